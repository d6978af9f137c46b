#include "algorithms/aggregation/proxskip.h"

#include "algorithms/kernels/reduce.h"

namespace skiff::proxskip {

std::int64_t drawn_steps(const Composition& c, double probability, std::int64_t version) {
  Stream coins(c.seed, "proxskip.coin", 0, static_cast<std::uint64_t>(version));
  std::int64_t steps = 1;
  while (coins.uniform() >= probability) ++steps;
  return steps;
}

Shift::Shift(State& state, std::span<const float> mean)
    : shift_(state.array<double>("proxskip.shift", mean.size())),
      rate_(state.array<double>("proxskip.rate", 1)) {
  if (rate_[0] == 0) return;
  kernels::axpy(shift_, rate_[0], mean);
  rate_[0] = 0;
}

void Shift::correct(const Slice& slice, std::span<float> g) const {
  const std::span<const double> h = shift_.subspan(slice.offset, slice.size());
  for (std::size_t j = 0; j < g.size(); ++j) {
    g[j] = static_cast<float>(static_cast<double>(g[j]) - h[j]);
  }
}

void Shift::close(std::span<const double> local, double probability, double learning_rate) {
  rate_[0] = probability / learning_rate;
  for (std::size_t j = 0; j < local.size(); ++j) shift_[j] -= rate_[0] * local[j];
}

Bytes state_bytes(std::size_t n) { return Bytes(static_cast<std::int64_t>((n + 1) * 8)); }

std::vector<double> mean_of(std::span<const Update> updates, std::span<const Vector> vectors) {
  double total = 0;
  for (const Update& u : updates) total += u.weight;
  SKIFF_CHECK(total > 0, "no update has a weight");
  std::vector<double> mean(vectors.front().values.size());
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    SKIFF_CHECK(vectors[i].values.size() == mean.size(), "an update of another shape");
    kernels::axpy(mean, updates[i].weight / total, vectors[i].values);
  }
  return mean;
}

void round_to(std::span<const double> mean, State& server, std::span<float> target) {
  const std::span<double> left_out = server.array<double>("proxskip.rounding", mean.size());
  for (std::size_t j = 0; j < mean.size(); ++j) {
    const double wanted = mean[j] + left_out[j];
    target[j] = static_cast<float>(wanted);
    left_out[j] = wanted - static_cast<double>(target[j]);
  }
}

}  // namespace skiff::proxskip
