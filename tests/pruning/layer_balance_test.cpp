// Layers that give unequal shares, and always the same total.
#include "algorithms/pruning/layer_balance.h"

#include <gtest/gtest.h>

#include <numeric>

#include "sim/core/random.h"

namespace skiff::testing {
namespace {

using pruning::BalancedMatrix;

std::int64_t total(const std::vector<std::int64_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
}

// Block 0 of even scores, block 1 with one score in ten a hundred times the others.
std::vector<BalancedMatrix> two_blocks() {
  std::vector<BalancedMatrix> matrices;
  Stream draws(1, "scores");
  for (int m = 0; m < 4; ++m) {
    const std::string layer = std::string("layers.") + (m < 2 ? "0" : "1");
    matrices.push_back({layer + (m % 2 == 0 ? ".up.weight" : ".down.weight"), {}});
    for (int i = 0; i < 1000; ++i) {
      const double s = 1 + draws.uniform();
      matrices.back().scores.push_back(m >= 2 && i % 10 == 0 ? 100 * s : s);
    }
  }
  return matrices;
}

TEST(LayerBalanceTest, BlocksAreNamedByTheirNumber) {
  EXPECT_EQ(pruning::block_of("model.layers.3.mlp.up_proj.weight"), "model.layers.3");
  EXPECT_EQ(pruning::block_of("hidden.0.weight"), "hidden.0");
  EXPECT_EQ(pruning::block_of("output.weight"), "output.weight");
}

TEST(LayerBalanceTest, OwlSparesBlocksWithOutliers) {
  const std::vector<BalancedMatrix> matrices = two_blocks();
  const std::vector<std::int64_t> counts = pruning::owl_counts(matrices, 0.7);
  // D = 0 and 10: densities 0.3 -+ lambda.
  EXPECT_EQ(counts[0], 780);
  EXPECT_EQ(counts[1], 780);
  EXPECT_EQ(counts[2], 620);
  EXPECT_EQ(counts[3], 620);
  EXPECT_EQ(total(counts), 2800);
}

TEST(LayerBalanceTest, WithoutOutliersOwlIsUniform) {
  std::vector<BalancedMatrix> matrices = two_blocks();
  matrices.resize(2);
  EXPECT_EQ(pruning::owl_counts(matrices, 0.5), pruning::uniform_counts(matrices, 0.5));
}

TEST(LayerBalanceTest, GlobalSharesAreBounded) {
  const std::vector<BalancedMatrix> matrices = two_blocks();
  const std::vector<std::int64_t> counts = pruning::global_counts(matrices, 0.5);
  EXPECT_EQ(total(counts), 2000);
  // Scores over their mean are low where there are outliers: those matrices give the most.
  EXPECT_EQ(counts[2], 700);
  EXPECT_EQ(counts[3], 700);
  EXPECT_EQ(counts[0] + counts[1], 600);
  for (const std::int64_t c : counts) EXPECT_GE(c, 300 - 5);
}

}  // namespace
}  // namespace skiff::testing
