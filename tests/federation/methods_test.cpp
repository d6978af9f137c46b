// Methods and stateful codecs inside whole runs, against what their papers say they do.

#include <gtest/gtest.h>

#include <cmath>

#include "tests/federation/run_scenario.h"

namespace skiff {
namespace {

using test::Ran;
using test::run;

// Unequal clients, a strongly convex loss, many local steps: what makes local models drift apart.
const char* kDrift = R"(
seed: 2
data: {source: synthetic, alpha: 1, beta: 1, clients: 10, partition: {scheme: natural}}
model: {architecture: logistic-regression, l2: 0.1}
devices: {population: {laptop-x86: 1}}
server: {protocol: synchronous, participants: all, weighting: uniform, rounds: 150}
training: {steps: 10, batch: full, optimizer: {name: sgd, learning_rate: 0.02}}
evaluation: {every: 150, metrics: [train_loss]}
)";

// With uniform weights both are to minimise the mean of the clients' losses. One local step a round
// finds that minimum; ten of FedAvg's end elsewhere, ten of SCAFFOLD's at the same point.
TEST(Scaffold, CorrectsTheDriftThatStopsFedAvg) {
  const double minimum =
      run(kDrift, {"training.steps=1", "server.rounds=3000", "evaluation.every=3000"})
          .last("train_loss");
  const std::vector<std::string> longer{"server.rounds=600", "evaluation.every=600"};
  std::vector<std::string> corrected = longer;
  corrected.emplace_back("training.method={name: scaffold}");
  const double fedavg = std::abs(run(kDrift, longer).last("train_loss") - minimum);
  const double scaffold = std::abs(run(kDrift, corrected).last("train_loss") - minimum);
  EXPECT_GT(fedavg, 1e-4);
  EXPECT_LT(scaffold, fedavg / 5);
}

const char* kConvex = R"(
seed: 4
data: {source: synthetic, alpha: 1, beta: 1, clients: 8, partition: {scheme: natural}}
model: {architecture: logistic-regression, l2: 0.01}
devices: {population: {laptop-x86: 1}}
server: {protocol: synchronous, participants: all, weighting: uniform, rounds: 20}
training: {steps: 1, batch: full, optimizer: {name: sgd, learning_rate: 0.05}}
evaluation: {metrics: [train_loss]}
)";

// Keeping everything, EF21 and top-k are gradient descent.
TEST(Codecs, ThatKeepEverythingAreDense) {
  const Ran dense = run(kConvex);
  for (const char* codec :
       {"{name: top-k, density: 1, error_feedback: true}", "{name: ef21, density: 1}"}) {
    const Ran same = run(kConvex, {std::string("compression.communication=") + codec});
    for (std::size_t i = 0; i < dense.rounds().size(); ++i) {
      EXPECT_NEAR(same.rounds()[i].train_loss, dense.rounds()[i].train_loss,
                  1e-5 * dense.rounds()[i].train_loss)
          << codec;
    }
  }
}

// One coordinate in ten: EF21 goes on to the optimum, where plain top-k has a floor.
TEST(Codecs, Ef21ConvergesWhereTopKAloneStalls) {
  const std::vector<std::string> longer{"server.rounds=3000", "evaluation.every=3000"};
  const auto with = [&](const std::string& codec) {
    std::vector<std::string> overrides = longer;
    overrides.push_back("compression.communication=" + codec);
    return run(kConvex, overrides).last("train_loss");
  };
  const double dense = run(kConvex, longer).last("train_loss");
  const double ef21 = with("{name: ef21, density: 10%}");
  const double top_k = with("{name: top-k, density: 10%, error_feedback: false}");
  EXPECT_LT(std::abs(ef21 - dense), 1e-3);
  EXPECT_GT(top_k, ef21);
}

}  // namespace
}  // namespace skiff
