#include "algorithms/adaptation/layer_ranks.h"

#include <algorithm>
#include <numeric>

#include "sim/core/error.h"

namespace skiff {
namespace {

std::int64_t values(const RankedLayer& l) {
  return static_cast<std::int64_t>(l.sketched) + l.trained;
}

double worth(const RankedLayer& l) {
  return l.energy / (static_cast<double>(l.sketched) * static_cast<double>(values(l)));
}

}  // namespace

std::vector<std::uint16_t> ranks_by_layer(std::span<const RankedLayer> layers,
                                          std::span<const std::uint16_t> present,
                                          const RankLimits& limits) {
  constexpr double kWorthIt = 1.2;
  std::vector<std::uint16_t> ranks;
  std::int64_t all = 0, trained = 0;  // left of the budgets
  for (const RankedLayer& l : layers) {
    const int even = std::min(limits.rank, l.limit()), least = std::min(limits.least, even);
    ranks.push_back(static_cast<std::uint16_t>(least));
    all += (even - least) * values(l);
    trained += static_cast<std::int64_t>(even - least) * l.trained;
  }
  std::vector<std::size_t> order(layers.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return worth(layers[a]) > worth(layers[b]);
  });
  for (const std::size_t i : order) {
    const RankedLayer& l = layers[i];
    const std::int64_t room = std::min(limits.most, l.limit()) - ranks[i];
    const std::int64_t more = std::max<std::int64_t>(
        0, std::min({room, all / values(l), trained / std::max(1, l.trained)}));
    ranks[i] = static_cast<std::uint16_t>(ranks[i] + more);
    all -= more * values(l);
    trained -= more * l.trained;
  }
  if (caught(layers, ranks) < kWorthIt * caught(layers, present)) {
    return {present.begin(), present.end()};
  }
  return ranks;
}

double caught(std::span<const RankedLayer> layers, std::span<const std::uint16_t> ranks) {
  SKIFF_CHECK(layers.size() == ranks.size(), "ranks of other layers");
  double sum = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    sum += ranks[i] * layers[i].energy / layers[i].sketched;
  }
  return sum;
}

}  // namespace skiff
