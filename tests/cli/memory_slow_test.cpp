// The whole of a device's peak, not its growth alone: one client trains a network of 25 million
// weights for a step, and what the process takes is what the ledger declares, to 10 %, plus a
// constant that is stated:
//   the program itself, with its libraries: measured by the same run of a network of 1,000 weights
//   while the client trains, five copies of the model: the host is the server too. The server's
//   version, the message that carries it, what the client decoded of it, its update, its encoding
//   when it is over, six beside what the worker keeps for its next client (all but the optimizer's
//   state, and no gradient where sgd never writes one): the server's version, the message, what was
//   decoded of it, the upload, what the server decodes of that, and the mean
// Measured on x86-64 in MB, less the constant, against the ledger: see tests/bench/README.md.
#include <algorithm>

#include "tests/cli/memory.h"

namespace skiff::test {
namespace {

std::string network(int width, const std::string& optimizer) {
  return "seed: 1\n"
         "data: {source: gaussian-mixture, clients: 1, samples_per_client: 200, features: 64, "
         "classes: 4, partition: {scheme: iid}}\n"
         "model: {architecture: mlp, hidden: [" +
         std::to_string(width) + ", " + std::to_string(width) +
         "]}\n"
         "devices: {population: {rpi-5-8g: 1}}\n"
         "server: {protocol: synchronous, participants: 1, rounds: 1}\n"
         "training: {steps: 1, batch: 8, optimizer: " +
         optimizer +
         "}\n"
         "evaluation: {samples: 1}\n"
         "record: {final_model: false}\n";
}

TEST_F(Memory, OfAProcessIsTheLedgersAndAStatedConstant) {
  const double n = 5000, weights = 64 * n + n * n + 4 * n + 2 * n + 4;
  const double program = run_it(network(20, "{name: sgd, learning_rate: 0.1}")).resident;
  EXPECT_LT(program, 100 * kMegabyte);
  const struct {
    const char* optimizer;
    bool fused;  // into the gradient, which is never written
  } rows[] = {{"{name: sgd, learning_rate: 0.1}", true},
              {"{name: sgd, learning_rate: 0.1, momentum: 0.9}", false},
              {"{name: adamw, learning_rate: 0.001}", false},
              {"{name: adam-8bit, learning_rate: 0.001}", false},
              {"{name: microadam, learning_rate: 0.001}", false}};
  for (const auto& row : rows) {
    SCOPED_TRACE(row.optimizer);
    const Peaks peaks = run_it(network(5000, row.optimizer));
    if (peaks.declared == 0) GTEST_SKIP() << "python3 without h5py";
    const double copy = 4 * weights;
    EXPECT_GT(peaks.declared, 2.9 * copy);  // weights, gradients, and what they pass through
    const double after = copy - peaks.optimizer - (row.fused ? copy : 0);  // beyond five copies
    const double constant = program + 5 * copy + std::max(0.0, after);
    const double left = peaks.resident - constant;
    std::printf("%s: process %.0f MB, less the constant of %.0f MB %.0f MB, ledger %.0f MB\n",
                row.optimizer, peaks.resident / kMegabyte, constant / kMegabyte, left / kMegabyte,
                peaks.declared / kMegabyte);
    EXPECT_NEAR(left, peaks.declared, 0.1 * peaks.declared);
  }
}

}  // namespace
}  // namespace skiff::test
