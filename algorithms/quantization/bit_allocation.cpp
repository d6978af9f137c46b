#include "algorithms/quantization/bit_allocation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <tuple>

namespace skiff {
namespace {

constexpr std::size_t kMostSums = std::size_t{1} << 17;
constexpr double kUnits = 1 << 16;

struct Sum {
  double cost = 0, value = 0;
  int before = 0, option = 0;  // index among the sums of the layer before
};

// What the layers from `next` on cost at least.
std::vector<double> least_costs(std::span<const std::vector<AllocationOption>> layers) {
  std::vector<double> rest(layers.size() + 1);
  for (std::size_t l = layers.size(); l-- > 0;) {
    double least = std::numeric_limits<double>::infinity();
    for (const AllocationOption& o : layers[l]) least = std::min(least, o.cost);
    rest[l] = rest[l + 1] + least;
  }
  return rest;
}

std::vector<Sum> unbeaten(std::vector<Sum> all) {
  std::sort(all.begin(), all.end(), [](const Sum& a, const Sum& b) {
    return std::tie(a.cost, a.value, a.before, a.option) <
           std::tie(b.cost, b.value, b.before, b.option);
  });
  std::vector<Sum> kept;
  for (const Sum& s : all) {
    if (kept.empty() || s.value < kept.back().value) kept.push_back(s);
  }
  return kept;
}

}  // namespace

Allocation allocate(std::span<const std::vector<AllocationOption>> layers, double budget) {
  const std::vector<double> rest = least_costs(layers);
  if (rest.front() > budget) {
    throw std::invalid_argument(
        fmt::format("the smallest option of every layer takes {:.0f} of the budget of {:.0f}",
                    rest.front(), budget));
  }
  Allocation out;
  double unit = 0;  // costs are rounded up to it; 0: they are exact
  std::vector<std::vector<Sum>> sums{{Sum{}}};
  for (std::size_t l = 0; l < layers.size(); ++l) {
    std::vector<Sum> next;
    for (std::size_t i = 0; i < sums.back().size(); ++i) {
      for (std::size_t o = 0; o < layers[l].size(); ++o) {
        const Sum& before = sums.back()[i];
        double cost = before.cost + layers[l][o].cost;
        if (cost + rest[l + 1] > budget) continue;
        if (unit > 0) cost = std::min(std::ceil(cost / unit) * unit, budget - rest[l + 1]);
        next.push_back(
            {cost, before.value + layers[l][o].value, static_cast<int>(i), static_cast<int>(o)});
      }
    }
    next = unbeaten(std::move(next));
    if (next.size() > kMostSums) {
      out.exact = false;
      unit = budget / kUnits;
      for (Sum& s : next) s.cost = std::min(std::ceil(s.cost / unit) * unit, budget - rest[l + 1]);
      next = unbeaten(std::move(next));
    }
    sums.push_back(std::move(next));
  }
  out.choice.resize(layers.size());
  auto at = static_cast<int>(sums.back().size()) - 1;  // the last is the least in value
  for (std::size_t l = layers.size(); l-- > 0;) {
    const Sum& sum = sums[l + 1][static_cast<std::size_t>(at)];
    out.choice[l] = sum.option;
    at = sum.before;
  }
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const AllocationOption& o = layers[l][static_cast<std::size_t>(out.choice[l])];
    out.cost += o.cost;
    out.value += o.value;
  }
  return out;
}

}  // namespace skiff
