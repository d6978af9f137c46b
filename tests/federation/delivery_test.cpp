// server.rounds: 0: every device is sent the model, to hold it and predict one sample. Who can, and
// after what bytes, time and energy.

#include <gtest/gtest.h>

#include <map>

#include "tests/federation/run_scenario.h"

namespace skiff {
namespace {

using test::Ran;
using test::run;

const char* kGlyphs = R"(
seed: 7
data: {source: glyphs, clients: 12, samples_per_client: 20, partition: {scheme: iid}}
model: {architecture: mlp, hidden: [32, 32]}
devices: {population: {pixel-8-pro: 1}}
server: {protocol: synchronous, participants: 6, rounds: 0}
training: {epochs: 1, batch: 10, optimizer: {name: sgd, learning_rate: 0.1}}
)";
constexpr std::int64_t kHidden = 784 * 32 + 32 * 32, kRest = 32 * 10 + 32 + 32 + 10;

TEST(Delivery, EveryDeviceIsSentTheModelAndNobodyReports) {
  const Ran r = run(kGlyphs);
  ASSERT_EQ(r.attempts().size(), 12u);
  for (const AttemptRow& a : r.attempts()) {
    EXPECT_EQ(a.outcome, Outcome::kAccepted);
    EXPECT_EQ(a.bytes_down.value(), 4 * (kHidden + kRest));
    EXPECT_EQ(a.bytes_up.value(), 0);
    EXPECT_EQ(a.steps, 0u);
    EXPECT_GT(a.energy.total().value(), 0);
    EXPECT_EQ(a.upload_end, a.train_end);
  }
  ASSERT_EQ(r.rounds().size(), 1u);
  EXPECT_EQ(r.rounds()[0].round, 0u);
  EXPECT_EQ(r.rounds()[0].accepted, 12u);
  EXPECT_GT(r.rounds()[0].virtual_time, VirtualTime{});
}

TEST(Delivery, TheModelThatIsMeasuredIsTheOneThatWasSent) {
  const std::string coarse = "compression.quantization={name: rtn, bits: 2, group: 32}";
  const Ran whole = run(kGlyphs), less = run(kGlyphs, {coarse});
  EXPECT_LT(less.attempts()[0].bytes_down, whole.attempts()[0].bytes_down);
  EXPECT_LT(less.attempts()[0].peak_memory, whole.attempts()[0].peak_memory);
  EXPECT_LT(less.rounds()[0].virtual_time, whole.rounds()[0].virtual_time);
  EXPECT_NE(less.record->evaluations().size(), 0u);  // of what devices hold, beside the master
}

TEST(Delivery, RealSizeModelsFitOrAreRefusedByTheirBytes) {
  const char* text = R"(
seed: 1
data: {source: grammar, tokenizer: byte, clients: 30, samples_per_client: 4, sequence_length: 32, partition: {scheme: iid}}
model: {architecture: llama, preset: tiny, deploy_as: llama-3-8b}
devices: {population: {pixel-8-pro: 1, budget-android: 1, iot-sensor: 1}, memory_limit: foreground}
server: {protocol: synchronous, participants: 5, rounds: 0}
training: {epochs: 1, batch: 4, optimizer: {name: sgd, learning_rate: 0.1}}
)";
  const auto fitting = [&](const std::string& quantization) {
    const Ran r = run(text, {"compression.quantization=" + quantization});
    EXPECT_EQ(r.attempts().size(), 30u);
    int fit = 0;
    for (const AttemptRow& a : r.attempts()) {
      fit += a.outcome == Outcome::kAccepted;
      if (a.outcome == Outcome::kRefused) {
        EXPECT_TRUE(a.cause == Cause::kRam || a.cause == Cause::kStorage);
      }
    }
    return fit;
  };
  // Of the largest device's 7.7 GB: linear layers of 7.0 G weights, the rest of 1.05 G.
  EXPECT_EQ(fitting("{name: rtn, bits: 8, group: 32, rest: fp16}"), 0);     // 7.4 + 2.1 GB
  EXPECT_EQ(fitting("{name: rtn, bits: 4, group: 32}"), 0);                 // 3.9 + 4.2 GB
  const int some = fitting("{name: rtn, bits: 4, group: 32, rest: fp16}");  // 3.9 + 2.1 GB
  EXPECT_GT(some, 0);
  EXPECT_LT(some, 30);
}

TEST(Delivery, HoldsForTimingOnlyToo) {
  const Ran timed = run(kGlyphs, {"training.mode=timing-only"}), real = run(kGlyphs);
  ASSERT_EQ(timed.attempts().size(), real.attempts().size());
  for (std::size_t i = 0; i < timed.attempts().size(); ++i) {
    EXPECT_EQ(timed.attempts()[i].upload_end, real.attempts()[i].upload_end);
    EXPECT_EQ(timed.attempts()[i].bytes_down, real.attempts()[i].bytes_down);
  }
}

}  // namespace
}  // namespace skiff
