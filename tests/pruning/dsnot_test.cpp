// Swapping entries of a mask, on the closed layer with inputs that have a mean.
#include "algorithms/pruning/dsnot.h"

#include <gtest/gtest.h>

#include "tests/pruning/closed_layer.h"

namespace skiff::testing {
namespace {

using pruning::Layer;
using pruning::Mask;

// mu_j = sin(2 j + 1) / 2, second moment H + mu mu^T, one input: variances are d_j^2.
struct WithMeans {
  ClosedLayer closed;
  Layer layer;

  WithMeans() {
    for (int j = 0; j < 16; ++j) closed.inputs.sum[static_cast<std::size_t>(j)] = mean(j);
    for (int i = 0; i < 16; ++i) {
      for (int j = 0; j < 16; ++j) {
        closed.inputs.gram[static_cast<std::size_t>(i * 16 + j)] += mean(i) * mean(j);
      }
    }
    layer.rows = 8;
    layer.cols = 16;
    layer.weights = closed.w;
    layer.inputs = &closed.inputs;
  }
  static double mean(int j) { return 0.5 * std::sin(2 * j + 1); }
  Mask wanda(int removed) const {
    return pruning::lowest_of_rows(pruning::wanda(closed.matrix(), closed.xn()), 16, removed);
  }
};

TEST(DsnotTest, SwapsOnTheClosedLayer) {
  const WithMeans given;
  Mask mask = given.wanda(10);
  EXPECT_EQ(words(mask, 16), "9f3c cf3c cf3c cf1e cf9a ee9a a69f a6dd");
  EXPECT_NEAR(given.closed.error(mask), 46.719210477, 1e-6);
  EXPECT_NEAR(pruning::mean_row_error(mask, given.layer), .598914, 1e-6);
  const pruning::DsnotResult result = pruning::refine(mask, given.layer, {});
  EXPECT_EQ(result.swaps, 4);
  EXPECT_EQ(words(mask, 16), "9b7c cb3e cf36 cf1e cf9a ee9a a69f b6d9");
  EXPECT_NEAR(given.closed.error(mask), 32.608325600, 1e-6);
  EXPECT_NEAR(result.mean_error, .307616, 1e-6);
}

TEST(DsnotTest, WithoutTheSignRuleRowsGoFurther) {
  const WithMeans given;
  Mask mask = given.wanda(10);
  const pruning::DsnotResult result = pruning::refine(mask, given.layer, {.same_sign = false});
  EXPECT_EQ(result.swaps, 24);
  EXPECT_NEAR(given.closed.error(mask), 41.022453686, 1e-6);
  EXPECT_NEAR(result.mean_error, .237465, 1e-6);
}

TEST(DsnotTest, ASmallerMeanErrorIsNotASmallerError) {
  const WithMeans given;
  Mask mask = given.wanda(8);
  EXPECT_NEAR(pruning::mean_row_error(mask, given.layer), .365009, 1e-6);
  EXPECT_NEAR(given.closed.error(mask), 18.243474510, 1e-6);
  const pruning::DsnotResult result = pruning::refine(mask, given.layer, {});
  EXPECT_EQ(result.swaps, 2);
  EXPECT_NEAR(result.mean_error, .195384, 1e-6);
  EXPECT_NEAR(given.closed.error(mask), 18.359410872, 1e-6);
}

TEST(DsnotTest, RowsKeepTheirCountsAndEpsFalls) {
  const WithMeans given;
  for (const pruning::Relative relative :
       {pruning::Relative::kNone, pruning::Relative::kGrow, pruning::Relative::kPrune}) {
    Mask mask = given.wanda(10);
    const double before = pruning::mean_row_error(mask, given.layer);
    const pruning::DsnotResult result =
        pruning::refine(mask, given.layer, {.relative = relative, .alpha = 0.5});
    EXPECT_GT(result.swaps, 0);
    EXPECT_LT(result.mean_error, before);
    for (int i = 0; i < 8; ++i) {
      EXPECT_EQ(std::count(mask.begin() + i * 16, mask.begin() + (i + 1) * 16, 1), 10);
    }
  }
}

}  // namespace
}  // namespace skiff::testing
