// What MicroAdam notes of its error feedback reaches the record of every round.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/federation/run_scenario.h"

namespace skiff {
namespace {

const char* kGlyphs = R"(
seed: 3
data: {source: glyphs, clients: 4, samples_per_client: 20, partition: {scheme: iid}}
model: {architecture: mlp, hidden: [16]}
devices: {population: {laptop-x86: 1}}
server: {protocol: synchronous, participants: 4, rounds: 3}
training: {steps: 1, batch: 10, optimizer: {name: sgd, learning_rate: 0.01}}
)";

test::Ran microadam(const std::string& feedback, const std::string& density = "10%") {
  return test::run(kGlyphs, {"training.optimizer={name: microadam, learning_rate: 0.01, density: " +
                             density + ", feedback: " + feedback + "}"});
}

std::vector<double> noted(const test::Ran& ran) {
  std::vector<double> all;
  for (const RoundRow& row : ran.rounds()) {
    for (const auto& [name, value] : row.metrics) {
      if (name == "contraction") all.push_back(value);
    }
  }
  return all;
}

// In a round's one step: q of the gradient is left and, exactly kept, nothing is rounded; where all
// that is left is lost, omega is 1. The first round's gradients are the same.
TEST(Contraction, IsOfEveryRound) {
  const std::vector<double> exact = noted(microadam("fp32")), lost = noted(microadam("none"));
  ASSERT_EQ(exact.size(), 3U);
  ASSERT_EQ(lost.size(), 3U);
  EXPECT_DOUBLE_EQ(lost[0], 2 * exact[0]);
  for (const double q : exact) {
    EXPECT_GT(q, 0);
    EXPECT_LT(q, std::sqrt(0.9));  // the greatest tenth holds more than a tenth
  }
  const std::vector<double> coded = noted(microadam("4-bit"));
  EXPECT_GT(coded[0], exact[0]);
  EXPECT_LT(coded[0], lost[0]);
  EXPECT_LT(noted(microadam("fp32", "100%"))[0], 1e-7);  // a difference of two sums
}

TEST(Contraction, IsNotOfOtherOptimizers) { EXPECT_TRUE(noted(test::run(kGlyphs)).empty()); }

}  // namespace
}  // namespace skiff
