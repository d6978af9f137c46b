// What a step is said to hold is what the process takes: of two runs that differ in nothing but the
// batch (or the length of the texts), the resident memory differs as the declared peaks do, to 10 %
// and 4 MB. What both have in common, the stated constant, is the program, the data, the server's
// copies of the model and the blocks of products on the stack (kProductStack a thread).
#include "tests/cli/memory.h"

namespace skiff::test {
namespace {

class MemoryGrowth : public Memory {
 protected:
  void expect_growth(const std::string& small, const std::string& large) {
    const Peaks a = run_it(small), b = run_it(large);
    if (a.declared == 0) GTEST_SKIP() << "python3 without h5py";
    const double declared = b.declared - a.declared, resident = b.resident - a.resident;
    EXPECT_GT(declared, 20 * kMegabyte);  // or nothing is measured
    EXPECT_NEAR(resident, declared, 0.1 * declared + 4 * kMegabyte);
  }
};

TEST_F(MemoryGrowth, OfAConvolutionalStepGrowsWithTheBatchAsDeclared) {
  const auto batch = [](const char* size) {
    return std::string(R"(seed: 1
data:     {source: glyphs, clients: 1, samples_per_client: 6000, partition: {scheme: iid}}
model:    {architecture: cnn, preset: small}
devices:  {population: {rpi-5-8g: 1}}
server:   {protocol: synchronous, participants: 1, rounds: 1}
training: {steps: 1, optimizer: {name: sgd, learning_rate: 0.1}, batch: )") +
           size + "}\nevaluation: {samples: 50}\n";
  };
  expect_growth(batch("10"), batch("5000"));
}

TEST_F(MemoryGrowth, OfADecoderGrowsWithTheTextAsDeclared) {
  const auto length = [](const char* tokens) {
    return std::string(R"(seed: 1
model:    {architecture: llama, preset: small}
devices:  {population: {rpi-5-8g: 1}}
server:   {protocol: synchronous, participants: 1, rounds: 1}
training: {steps: 1, batch: 2, optimizer: {name: adamw, learning_rate: 0.001}}
evaluation: {samples: 1}
data:     {source: grammar, clients: 1, samples_per_client: 100, tokenizer: word, partition: {scheme: iid}, sequence_length: )") +
           tokens + "}\n";
  };
  expect_growth(length("256"), length("1024"));
}

}  // namespace
}  // namespace skiff::test
