// RAC-LoRA and Bernoulli-LoRA on matrices whose trajectories are known in double precision.
#include "tests/adaptation/five_clients.h"

namespace skiff::testing {
namespace {

// The paper's counterexample: f(W) = x' M x + b' x with x = vec(W), W 3 x 3, M = Diag(10, 1, ...,
// 1), b = 1. L = 20, f(0) - f* = 2.025.
double counterexample(const std::vector<double>& w, std::vector<double>& g) {
  double f = 0;
  for (std::size_t j = 0; j < w.size(); ++j) {
    const double curvature = j == 0 ? 10 : 1;
    f += curvature * w[j] * w[j] + w[j];
    g[j] = 2 * curvature * w[j] + 1;
  }
  return f;
}
double gap(const MatrixFederation& f) {
  std::vector<double> g(9);
  return counterexample(f.matrix(), g) + 2.025;
}
// (a / 2) |W - W*|^2 with W*[i][j] = sin(1 + i + 2 j).
MatrixFunction isotropic(int rows, int cols) {
  return [rows, cols](const std::vector<double>& w, std::vector<double>& g) {
    double f = 0;
    for (int i = 0; i < rows; ++i) {
      for (int j = 0; j < cols; ++j) {
        const auto at = static_cast<std::size_t>(i * cols + j);
        g[at] = w[at] - std::sin(1 + i + 2 * j);
        f += g[at] * g[at] / 2;
      }
    }
    return f;
  };
}

TEST(RacLora, ReachesTheOptimumWhereLoraStalls) {
  double stalled = 0;
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    MatrixFederation lora(3, 3, {counterexample},
                          adapter_map("lora", 1, 1, {{"aggregation", "fedit"}}), 0.02, seed);
    lora.round(4000);
    stalled = std::max(stalled, gap(lora));
    EXPECT_NEAR(gap(lora), 13.0 / 45, 1e-4) << "the best matrix of rank 1";
  }
  for (const char* side : {"left", "right"}) {
    double mean[2] = {0, 0};
    constexpr int kSeeds = 400;
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
      MatrixFederation rac(3, 3, {counterexample},
                           adapter_map("rac-lora", 1, 1, {{"sketch", side}}), 1.0 / 20, seed);
      for (int t = 0; t < 50; ++t) {
        rac.round();
        if (t == 9) mean[0] += gap(rac) / kSeeds;
      }
      mean[1] += gap(rac) / kSeeds;
    }
    EXPECT_NEAR(mean[0], 1.044, 0.06) << side;
    EXPECT_NEAR(mean[1], 0.0756, 0.012) << side;
  }
  MatrixFederation rac(3, 3, {counterexample}, adapter_map("rac-lora", 1, 1, {{"sketch", "left"}}),
                       1.0 / 20, 1);
  for (int t = 0; t < 300; ++t) rac.round();
  EXPECT_LT(gap(rac), 1e-5);  // single precision
}

TEST(RacLora, OfFullRankIsGradientDescent) {
  MatrixFederation rac(3, 3, {counterexample}, adapter_map("rac-lora", 3, 3, {{"sketch", "left"}}),
                       1.0 / 20, 3);
  const double descent[] = {0.2431533, 5.312e-5};
  for (int t = 0; t < 50; ++t) {
    rac.round();
    if (t == 9) {
      EXPECT_NEAR(gap(rac), descent[0], 1e-5);
    }
  }
  EXPECT_NEAR(gap(rac), descent[1], 2e-6);
}

double contraction(const Node& adaptation, int rows, int cols) {
  constexpr int kSeeds = 800;
  double mean = 0;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    MatrixFederation f(rows, cols, {isotropic(rows, cols)}, adaptation, 1, seed);
    std::vector<double> g(static_cast<std::size_t>(rows * cols));
    const double before = isotropic(rows, cols)(f.matrix(), g);
    f.round();
    mean += isotropic(rows, cols)(f.matrix(), g) / before / kSeeds;
  }
  return mean;
}

TEST(RacLora, ContractsAnIsotropicQuadraticByItsShareOfTheRank) {
  EXPECT_NEAR(contraction(adapter_map("rac-lora", 4, 4, {{"sketch", "left"}}), 8, 12), 0.5, 0.01);
  EXPECT_NEAR(contraction(adapter_map("rac-lora", 1, 1, {{"sketch", "right"}}), 8, 12), 11.0 / 12,
              0.01);
}

TEST(BernoulliLora, ContractsByTheMeanOfBothSides) {
  for (const double p : {0.5, 0.3}) {
    const double lambda = p * 2 / 8 + (1 - p) * 2 / 12;
    const Node map = adapter_map("bernoulli-lora", 2, 2, {{"probability", std::to_string(p)}});
    EXPECT_NEAR(contraction(map, 8, 12), 1 - lambda, 0.01) << p;
  }
}

TEST(BernoulliLora, AtTheEndsIsRacLora) {
  for (const auto& [p, side] : {std::pair("1", "left"), std::pair("0", "right")}) {
    MatrixFederation coin(8, 12, {isotropic(8, 12)},
                          adapter_map("bernoulli-lora", 2, 2, {{"probability", p}}), 0.7, 5);
    MatrixFederation rac(8, 12, {isotropic(8, 12)},
                         adapter_map("rac-lora", 2, 2, {{"sketch", side}}), 0.7, 5);
    for (int t = 0; t < 5; ++t) coin.round(3), rac.round(3);
    EXPECT_EQ(coin.matrix(), rac.matrix()) << p;
  }
}

TEST(RacLora, FederatedWithOneLocalStepReachesTheFullOptimum) {
  const double best = best_loss();
  EXPECT_NEAR(mean_loss(std::vector<double>(kRows * kCols)) - best, 14.337928, 1e-5);
  double mean = 0;
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    MatrixFederation rac(kRows, kCols, heterogeneous_clients(),
                         adapter_map("rac-lora", 2, 2, {{"sketch", "left"}}), 1 / 9.999912, seed);
    for (int t = 0; t < 50; ++t) rac.round();
    mean += (mean_loss(rac.matrix()) - best) / 6;
    for (int t = 50; t < 200; ++t) rac.round();
    EXPECT_LT(mean_loss(rac.matrix()) - best, 2e-5);  // single precision
  }
  EXPECT_LT(mean, 3e-4);
}

}  // namespace
}  // namespace skiff::testing
