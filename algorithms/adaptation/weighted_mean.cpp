#include "algorithms/adaptation/weighted_mean.h"

#include <algorithm>

#include "algorithms/kernels/reduce.h"
#include "sim/core/error.h"

namespace skiff {

std::vector<double> shares_of(std::span<const Update> updates) {
  double total = 0;
  for (const Update& u : updates) total += u.weight;
  SKIFF_CHECK(total > 0, "no update has a weight");
  std::vector<double> shares;
  for (const Update& u : updates) shares.push_back(u.weight / total);
  return shares;
}

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

void weighted_mean(std::span<const Update> updates, std::span<const Vector> vectors,
                   Vector& direction) {
  for (const Vector& v : vectors) {
    SKIFF_CHECK(v.values.size() == direction.values.size(), "an update of another shape");
  }
  weighted_sum(shares_of(updates), vectors, direction.values);
}

}  // namespace skiff
