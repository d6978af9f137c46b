// Every weight is trained and sent: what a model does that nothing adapts.
//
// On the device: the trained copy and its gradient, 4 bytes a parameter each; the received weights,
// from which the update is taken at the end, stay in flash. A pruned model is trained in dense
// storage: what the mask left out is put back to 0 in every gradient and after every step, for
// which the coordinates that are kept are held too, 4 bytes each.
#include <algorithm>

#include "algorithms/kernels/reduce.h"
#include "algorithms/models/full_weights.h"
#include "algorithms/parametrization.h"
#include "algorithms/prepare.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

// direction = sum of shares[i] * vectors[i], in that order for every coordinate, in double.
void weighted_sum(std::span<const double> shares, std::span<const Vector> vectors,
                  std::span<float> direction) {
  constexpr std::size_t kBlock = 512;  // coordinates whose sums stay in the first-level cache
  double sums[kBlock];
  for (std::size_t begin = 0; begin < direction.size(); begin += kBlock) {
    const std::span<float> out =
        direction.subspan(begin, std::min(kBlock, direction.size() - begin));
    const std::span<double> sum(sums, out.size());
    std::fill(sum.begin(), sum.end(), 0.0);
    for (std::size_t i = 0; i < vectors.size(); ++i) {
      kernels::axpy(sum, shares[i], std::span(vectors[i].values).subspan(begin, out.size()));
    }
    for (std::size_t j = 0; j < out.size(); ++j) out[j] = static_cast<float>(sum[j]);
  }
}

bool holds_all(const Model& model) {
  return model.kept == nullptr && model.kept_rows.empty() && model.kept_cols.empty();
}

// By coordinate the mean over the clients that hold it, by Update::weight; 0 where nobody does.
void mean_over_holders(std::span<const Update> updates, std::span<const Vector> vectors,
                       Vector& direction) {
  std::vector<double> sum(direction.values.size()), weight(direction.values.size());
  for (std::size_t i = 0; i < updates.size(); ++i) {
    const Vector& v = vectors[i];
    const double w = updates[i].weight;
    const Model* held = updates[i].prepared.get();
    Coordinates all;
    if (held != nullptr) all = full_coordinates(*held, *direction.layout);
    const auto add = [&](std::size_t j) {
      const std::size_t to = all.empty() ? j : all[j];
      sum[to] += w * v.values[j];
      weight[to] += w;
    };
    if (held != nullptr && held->kept != nullptr) {
      for (const std::uint32_t j : *held->kept) add(j);
    } else {
      for (std::size_t j = 0; j < v.values.size(); ++j) add(j);
    }
  }
  for (std::size_t j = 0; j < sum.size(); ++j) {
    direction.values[j] = weight[j] > 0 ? static_cast<float>(sum[j] / weight[j]) : 0.0F;
  }
}

class Full final : public Parametrization {
 public:
  explicit Full(NoParams) {}

  std::unique_ptr<Weights> bind(std::shared_ptr<const Model> base, const Vector& received, Stream,
                                std::unique_ptr<Weights> reuse) const override {
    if (reuse == nullptr) reuse = std::make_unique<FullWeights>();
    static_cast<FullWeights&>(*reuse).rebind(received, base != nullptr ? base->kept : nullptr);
    return reuse;
  }

  LayoutPtr update_layout(const Shape& prepared) const override { return prepared.layout; }
  Vector& target(GlobalModel& model) const override { return model.weights; }
  const Vector& target(const GlobalModel& model) const override { return model.weights; }

  // A compressed model is trained from what its stored tensors decode to.
  Vector for_client(const Vector& global, const Model* base) const override {
    if (base == nullptr) return global;
    return decoded(*base);
  }

  void average(std::span<const Update> updates, std::span<const Vector> vectors,
               Vector& direction) const override {
    const bool whole = std::all_of(updates.begin(), updates.end(), [](const Update& u) {
      return u.prepared == nullptr || holds_all(*u.prepared);
    });
    if (!whole) return mean_over_holders(updates, vectors, direction);
    double total = 0;
    for (const Update& u : updates) total += u.weight;
    SKIFF_CHECK(total > 0, "no update has a weight");
    std::vector<double> shares;
    for (const Update& u : updates) shares.push_back(u.weight / total);
    for (const Vector& v : vectors) {
      SKIFF_CHECK(v.values.size() == direction.values.size(), "an update of another shape");
    }
    weighted_sum(shares, vectors, direction.values);
  }

  void cost(const Shape& prepared, const Optimizer& optimizer, Cost& cost) const override {
    const Bytes dense(static_cast<std::int64_t>(prepared.layout->size * sizeof(float)));
    cost.memory.weights += dense;
    if (prepared.masked()) cost.memory.weights += Bytes(4 * prepared.kept());
    cost.memory.gradients += dense;
    cost.memory.optimizer_state += optimizer.state_bytes(*prepared.layout);
  }
};

SKIFF_REGISTER(Parametrization, Full, NoParams,
               {.name = "full",
                .summary = "every weight is trained and sent",
                .paper = "baseline",
                .verified = "contracts; fused and unfused steps bit-equal"});

}  // namespace
}  // namespace skiff
