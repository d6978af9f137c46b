// Ranks by layer: who gets them, what they may take, and what tells the server.

#include "algorithms/adaptation/layer_ranks.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/adaptation/matrix_model.h"

namespace skiff::testing {
namespace {

using Ranks = std::vector<std::uint16_t>;

std::int64_t values(const std::vector<RankedLayer>& layers, const Ranks& ranks, bool all) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    sum += ranks[i] * ((all ? layers[i].sketched : 0) + layers[i].trained);
  }
  return sum;
}

TEST(LayerRanks, LayersAlikeStayAlike) {
  const std::vector<RankedLayer> layers(4, {64, 64, 3.0});
  const Ranks even(4, 8);
  EXPECT_EQ(ranks_by_layer(layers, even, {8, 1, 32}), even);
}

TEST(LayerRanks, ALayerWithoutGradientGetsTheLeast) {
  std::vector<RankedLayer> layers(3, {64, 64, 1.0});
  layers[1].energy = 0;
  const Ranks ranks = ranks_by_layer(layers, Ranks(3, 8), {8, 2, 32});
  EXPECT_EQ(ranks[1], 2);
  EXPECT_EQ(ranks[0] + ranks[1] + ranks[2], 24);
}

TEST(LayerRanks, NoBudgetIsExceeded) {
  Stream draw(3, "layers");
  for (int trial = 0; trial < 300; ++trial) {
    std::vector<RankedLayer> layers;
    Ranks even;
    constexpr int kRank = 6;
    for (int i = 0; i < 12; ++i) {
      layers.push_back({1 + static_cast<int>(draw.below(90)), 1 + static_cast<int>(draw.below(90)),
                        std::exp(8 * draw.uniform())});
      even.push_back(static_cast<std::uint16_t>(std::min(kRank, layers.back().limit())));
    }
    const RankLimits limits{kRank, 2, 20};
    const Ranks ranks = ranks_by_layer(layers, even, limits);
    EXPECT_LE(values(layers, ranks, true), values(layers, even, true));
    EXPECT_LE(values(layers, ranks, false), values(layers, even, false));
    EXPECT_GE(caught(layers, ranks), caught(layers, even));
    for (std::size_t i = 0; i < layers.size(); ++i) {
      EXPECT_LE(ranks[i], std::min(limits.most, layers[i].limit()));
      EXPECT_GE(ranks[i], std::min(limits.least, layers[i].limit()));
    }
  }
}

// f(W) = <G, W>: one step trains -eta s B' G, whose energy tells |G|^2.
MatrixFunction linear(int rows, int cols) {
  return [rows, cols](const std::vector<double>&, std::vector<double>& g) {
    for (int k = 0; k < rows * cols; ++k) g[static_cast<std::size_t>(k)] = std::cos(1 + 3 * k);
    return 0.0;
  };
}

TEST(LayerRanks, WhatWasMergedTellsTheGradientsEnergyWithoutBias) {
  for (const char* distribution : {"orthonormal", "gaussian"}) {
    for (const char* side : {"left", "right"}) {
      constexpr int kRows = 6, kCols = 9, kRank = 2, kSeeds = 3000;
      constexpr double kRate = 0.5, kAlpha = 2;  // s = 1
      std::vector<double> g(kRows * kCols);
      linear(kRows, kCols)(g, g);
      double truth = 0;
      for (const double x : g) truth += x * x;
      double sum = 0, squares = 0;
      for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
        MatrixFederation f(
            kRows, kCols, {linear(kRows, kCols)},
            adapter_map(
                "rac-lora", kRank, kAlpha,
                {{"sketch", side}, {"distribution", distribution}, {"adaptive_rank", "true"}}),
            kRate, seed);
        f.round();
        const double told = f.server.models[0].memory.array<double>("rac-lora.energy", 1)[0];
        const double x = told / (kRate * kRate);
        sum += x, squares += x * x;
      }
      const double mean = sum / kSeeds;
      const double error = std::sqrt((squares / kSeeds - mean * mean) / kSeeds);
      EXPECT_NEAR(mean, truth, 3 * error) << distribution << ' ' << side;
      EXPECT_LT(error, 0.05 * truth);
    }
  }
}

}  // namespace
}  // namespace skiff::testing
