#include "algorithms/quantization/bit_allocation.h"

#include <gmock/gmock.h>

#include <cmath>
#include <stdexcept>

#include "sim/core/random.h"

namespace skiff {
namespace {

using Layers = std::vector<std::vector<AllocationOption>>;

Layers grids_for(const std::vector<double>& sizes, const std::vector<double>& slopes) {
  const std::pair<double, double> options[] = {
      {2.0156, .11748},   {2.0156, .1075995},  {3.0156, .03454776}, {3.2453, .0218846},
      {4.0156, .0077511}, {5.0156, .00250467}, {8.0156, 4.1185e-5}};
  Layers layers;
  for (std::size_t l = 0; l < sizes.size(); ++l) {
    layers.emplace_back();
    for (const auto& [bits, distortion] : options) {
      layers.back().push_back({bits * sizes[l], slopes[l] * distortion});
    }
  }
  return layers;
}

TEST(BitAllocationTest, SixLayersAtThreeAndAQuarterBits) {
  const std::vector<double> slopes{.02, .3, .01, 1.1, .15, .6};
  std::vector<double> sizes{4096, 4096, 1024, 1024, 11008, 11008};
  double all = 32256;
  Allocation best = allocate(grids_for(sizes, slopes), 3.25 * all);
  EXPECT_THAT(best.choice, ::testing::ElementsAre(1, 4, 3, 5, 3, 3));
  EXPECT_NEAR(best.value, .023864753, 1e-9);
  EXPECT_NEAR(best.cost / all, 3.24316, 1e-5);
  EXPECT_TRUE(best.exact);
  sizes[3] = 4096;
  all += 3072;
  best = allocate(grids_for(sizes, slopes), 3.25 * all);
  EXPECT_THAT(best.choice, ::testing::ElementsAre(1, 4, 2, 5, 1, 4));
  EXPECT_NEAR(best.value, .0283685196, 1e-10);
  EXPECT_NEAR(best.cost / all, 3.247484, 1e-6);
}

Layers random_layers(Stream& stream, std::size_t count) {
  Layers layers(count);
  for (auto& layer : layers) {
    const double size = 1 + stream.below(50), slope = stream.uniform();
    for (int bits = 1; bits <= 5; ++bits) {
      layer.push_back({bits * size + stream.below(8),
                       slope * std::exp2(-2 * bits) * (0.7 + 0.6 * stream.uniform())});
    }
  }
  return layers;
}

TEST(BitAllocationTest, NothingThatFitsIsBetter) {
  Stream stream(4, "knapsack");
  for (int instance = 0; instance < 200; ++instance) {
    const std::size_t count = 1 + stream.below(6);
    const Layers layers = random_layers(stream, count);
    double least = 0, most = 0, uniform = 1e30;
    for (const auto& layer : layers) {
      least += layer.front().cost;
      most += layer.back().cost;
    }
    const double budget = least + 8 * double(count) + stream.uniform() * (most - least);
    double best = 1e30;
    std::size_t combinations = 1;
    for (std::size_t l = 0; l < count; ++l) combinations *= 5;
    for (std::size_t c = 0; c < combinations; ++c) {
      double cost = 0, value = 0;
      bool same = true;
      for (std::size_t l = 0, rest = c; l < count; ++l, rest /= 5) {
        cost += layers[l][rest % 5].cost;
        value += layers[l][rest % 5].value;
        same = same && rest % 5 == c % 5;
      }
      if (cost > budget) continue;
      best = std::min(best, value);
      if (same) uniform = std::min(uniform, value);
    }
    const Allocation found = allocate(layers, budget);
    EXPECT_NEAR(found.value, best, 1e-12);
    EXPECT_LE(found.value, uniform + 1e-12);
    EXPECT_LE(found.cost, budget);
  }
}

// Six layers of 1000, 2000 and 3000 weights, Lloyd-Max grids for Gaussians of 2, 3, 4 and 8 bits:
// the figures were found by trying all 4^6 combinations elsewhere.
TEST(BitAllocationTest, SixLayersOfScalarGridsInFourBudgets) {
  const std::pair<int, double> grids[] = {
      {2, .117482}, {3, .0345478}, {4, .00950101}, {8, 4.01167e-5}};
  Layers layers(6);
  for (std::size_t l = 0; l < 6; ++l) {
    const double weights = 1000.0 * static_cast<double>(1 + l % 3);
    for (const auto& [bits, error] : grids) {
      layers[l].push_back({weights * bits / 8, error / static_cast<double>(1 + l)});
    }
  }
  const struct {
    double budget, value;
    std::vector<int> bits;
  } rows[] = {{3750, .1113875625, {4, 3, 2, 4, 2, 2}},
              {4500, .0608942917, {4, 4, 3, 3, 3, 2}},
              {6000, .0230004042, {8, 4, 4, 4, 3, 3}},
              {7500, .00908613455, {8, 8, 4, 4, 4, 4}}};
  for (const auto& row : rows) {
    const Allocation best = allocate(layers, row.budget);
    EXPECT_NEAR(best.value, row.value, 1e-6 * row.value) << row.budget;
    std::vector<int> bits;
    for (const int option : best.choice) bits.push_back(grids[option].first);
    EXPECT_EQ(bits, row.bits) << row.budget;
    EXPECT_TRUE(best.exact);
  }
}

TEST(BitAllocationTest, ABudgetBelowTheSmallestIsRefused) {
  EXPECT_THROW(allocate(Layers{{{2, 1}}, {{3, 1}, {4, 0}}}, 4.9), std::invalid_argument);
  EXPECT_EQ(allocate(Layers{{{2, 1}}, {{3, 1}, {4, 0}}}, 5).choice, (std::vector<int>{0, 0}));
}

}  // namespace
}  // namespace skiff
