// Federated LoRA stalls: at the best matrix of its rank, at what the mean of factors is off by, in
// the subspace of a frozen factor.
#include "tests/adaptation/five_clients.h"

namespace skiff::testing {
namespace {

TEST(Lora, FederatedAveragingOfFactorsStallsAtTheBestMatrixOfItsRank) {
  const double best = best_loss();
  for (std::uint64_t seed = 0; seed < 2; ++seed) {
    MatrixFederation one(
        kRows, kCols, heterogeneous_clients(),
        adapter_map("lora", 2, 2, {{"aggregation", "fedit"}, {"init", "gaussian"}}), 0.02, seed);
    for (int t = 0; t < 3000; ++t) one.round(1);
    EXPECT_NEAR(mean_loss(one.matrix()) - best, 1.3739598, 2e-3);
  }
  // With several local steps the mean of factors is no mean of products.
  int settled = 0;
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    MatrixFederation five(
        kRows, kCols, heterogeneous_clients(),
        adapter_map("lora", 2, 2, {{"aggregation", "fedit"}, {"init", "gaussian"}}), 0.02, seed);
    for (int t = 0; t < 3000; ++t) five.round(5);
    settled += std::abs(mean_loss(five.matrix()) - best - 5.5540) < 2e-2;
  }
  EXPECT_GE(settled, 2);
}

// A frozen A confines the model to its rows.
TEST(Lora, WithAFrozenFactorTheGapIsThatOfItsSubspace) {
  double mean = 0;
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    MatrixFederation ffa(kRows, kCols, heterogeneous_clients(),
                         adapter_map("lora", 2, 2, {{"aggregation", "ffa"}, {"init", "gaussian"}}),
                         0.02, seed);
    for (int t = 0; t < 3000; ++t) ffa.round(1);
    mean += (mean_loss(ffa.matrix()) - best_loss()) / 4;
  }
  EXPECT_GT(mean, 9);
  EXPECT_LT(mean, 14);
}

}  // namespace
}  // namespace skiff::testing
