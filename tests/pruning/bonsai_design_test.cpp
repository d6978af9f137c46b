// Bonsai's regression and draws on utilities whose truth is known.
#include "algorithms/pruning/bonsai_design.h"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "tests/pruning/numpy_random.h"

namespace skiff::testing {
namespace {

using pruning::Eligible;
using pruning::Mask;

// 60 units of sorted importances, a prior that knows them roughly, 30 eligible.
struct Additive {
  std::vector<double> truth, prior;
  std::vector<Eligible> modules;

  explicit Additive(std::uint32_t seed) {
    NumpyRandom draws(seed);
    for (int u = 0; u < 60; ++u) truth.push_back(0.1 * draws.uniform());
    std::sort(truth.begin(), truth.end());
    for (const double t : truth) prior.push_back(t + 0.01 * draws.normal());
    modules = {pruning::eligible(prior, Mask(60, 1), 0.25, 2)};
  }
  std::vector<double> of_eligible(const std::vector<double>& all) const {
    std::vector<double> some;
    for (const int u : modules[0].units) some.push_back(all[static_cast<std::size_t>(u)]);
    return some;
  }
  std::vector<double> utilities(const std::vector<Mask>& masks, double noise,
                                std::uint32_t seed) const {
    NumpyRandom draws(seed);
    const std::vector<double> beta = of_eligible(truth);
    std::vector<double> y;
    for (const Mask& m : masks) {
      y.push_back(noise * draws.normal() +
                  std::inner_product(m.begin(), m.end(), beta.begin(), 0.0));
    }
    return y;
  }
};

TEST(BonsaiDesignTest, ThirtyOfSixtyAreEligibleAndSixteenGo) {
  const Additive given(1);
  EXPECT_EQ(given.modules[0].units.size(), 30U);
  EXPECT_EQ(given.modules[0].draws, 16);
  const std::vector<Mask> masks = pruning::sub_models(given.modules, 200, false, Stream(1, "test"));
  ASSERT_EQ(masks.size(), 200U);
  for (std::size_t m = 0; m < masks.size(); m += 2) {
    EXPECT_EQ(pruning::count(masks[m]), 14);
    for (std::size_t u = 0; u < 30; ++u) EXPECT_EQ(masks[m][u] + masks[m + 1][u], 1);
  }
}

TEST(BonsaiDesignTest, UnitsOfALowPriorAreDrawnMoreOften) {
  const Additive given(2);
  const std::vector<Mask> masks =
      pruning::sub_models(given.modules, 4000, false, Stream(1, "test"));
  std::vector<double> off(30), weights = given.modules[0].weights;
  for (std::size_t m = 0; m < masks.size(); m += 2) {
    for (std::size_t u = 0; u < 30; ++u) off[u] += masks[m][u] == 0 ? 1 : 0;
  }
  EXPECT_GT(pruning::kendall_tau(off, weights), 0.9);
}

TEST(BonsaiDesignTest, WithoutNoiseTheImportancesAreRecovered) {
  const Additive given(3);
  const std::vector<Mask> masks = pruning::sub_models(given.modules, 200, false, Stream(3, "test"));
  const std::vector<double> beta = pruning::ridge(masks, given.utilities(masks, 0, 1), 1e-8);
  const std::vector<double> truth = given.of_eligible(given.truth);
  for (std::size_t u = 0; u < 30; ++u) EXPECT_NEAR(beta[u], truth[u], 1e-9);
  EXPECT_EQ(pruning::kendall_tau(beta, truth), 1);
}

// Mean over seeds of Kendall's tau between the estimate and the truth.
double mean_tau(double noise, int masks_per_round) {
  constexpr int kSeeds = 24;
  double sum = 0;
  for (std::uint32_t seed = 0; seed < kSeeds; ++seed) {
    const Additive given(100 + seed);
    const std::vector<Mask> masks =
        pruning::sub_models(given.modules, masks_per_round, false, Stream(seed, "test"));
    const std::vector<double> y = given.utilities(masks, noise, 500 + seed);
    sum += pruning::kendall_tau(pruning::ridge(masks, y, 1e-8), given.of_eligible(given.truth));
  }
  return sum / kSeeds;
}

TEST(BonsaiDesignTest, NoiseAndTooFewMasksCostWhatTheyShould) {
  EXPECT_NEAR(mean_tau(0.01, 200), 0.94, 0.05);
  EXPECT_NEAR(mean_tau(0.05, 200), 0.715, 0.065);
  double prior = 0;
  for (std::uint32_t seed = 0; seed < 24; ++seed) {
    const Additive given(100 + seed);
    prior +=
        pruning::kendall_tau(given.of_eligible(given.prior), given.of_eligible(given.truth)) / 24;
  }
  EXPECT_NEAR(prior, 0.635, 0.075);
  for (const double noise : {0.0, 0.05}) {
    const double few = mean_tau(noise, 50);
    EXPECT_GT(few, 0.15);
    EXPECT_LT(few, prior);
  }
}

// Four modules of 20 units with other means: who can tell them apart?
struct FourModules {
  std::vector<double> truth;
  std::vector<Eligible> modules;
  FourModules() {
    NumpyRandom draws(4);
    for (const double mean : {.0096, .0586, .1108, .1606}) {
      Eligible e;
      for (int u = 0; u < 20; ++u) {
        e.units.push_back(u);
        e.weights.push_back(1);
        truth.push_back(mean + 0.02 * (draws.uniform() - 0.5));
      }
      e.draws = 11;
      modules.push_back(e);
    }
  }
  std::vector<double> estimate(bool pooled) const {
    const std::vector<Mask> masks = pruning::sub_models(modules, 1000, pooled, Stream(6, "test"));
    std::vector<double> y;
    for (const Mask& m : masks) {
      y.push_back(std::inner_product(m.begin(), m.end(), truth.begin(), 0.0));
    }
    return pruning::ridge(masks, y, 1e-8);
  }
};

TEST(BonsaiDesignTest, OnlyPooledDrawsTellModulesApart) {
  const FourModules given;
  const std::vector<double> pooled = given.estimate(true), stratified = given.estimate(false);
  EXPECT_GT(pruning::kendall_tau(pooled, given.truth), 0.999);
  EXPECT_LT(pruning::kendall_tau(stratified, given.truth), 0.4);
  std::vector<double> means;
  for (std::size_t m = 0; m < 4; ++m) {
    const auto begin = static_cast<std::ptrdiff_t>(20 * m);
    const std::vector<double> part(stratified.begin() + begin, stratified.begin() + begin + 20);
    const std::vector<double> truth(given.truth.begin() + begin, given.truth.begin() + begin + 20);
    EXPECT_GT(pruning::kendall_tau(part, truth), 0.999);  // within a module all is well
    means.push_back(std::accumulate(part.begin(), part.end(), 0.0) / 20);
  }
  // 1000 masks know nothing of the modules' means: 0.01 to 0.16 in truth.
  EXPECT_LT(
      *std::max_element(means.begin(), means.end()) - *std::min_element(means.begin(), means.end()),
      0.03);
}

TEST(BonsaiDesignTest, CrossValidationTakesTheGreatestGammaOfEquals) {
  const Additive given(7);
  const std::vector<Mask> masks = pruning::sub_models(given.modules, 100, false, Stream(7, "test"));
  const std::vector<double> flat(masks.size(), 1.0);
  for (const double b : pruning::cross_validated_ridge(masks, flat)) EXPECT_EQ(b, 0);
  const std::vector<double> beta =
      pruning::cross_validated_ridge(masks, given.utilities(masks, 0.01, 8));
  EXPECT_GT(pruning::kendall_tau(beta, given.of_eligible(given.truth)), 0.6);
}

}  // namespace
}  // namespace skiff::testing
