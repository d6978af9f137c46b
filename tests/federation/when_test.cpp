// When a compressor acts: at the start, at each dispatch, on the device, at the end; and what is
// refused, with its reason.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

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
server: {protocol: synchronous, participants: 6, rounds: 4}
training: {epochs: 1, batch: 10, optimizer: {name: sgd, learning_rate: 0.1}}
)";
// hidden.0 (784 x 32) and hidden.1 (32 x 32) are pruned and quantized, the output layer is not.
constexpr std::int64_t kHidden = 784 * 32 + 32 * 32, kRest = 32 * 10 + 32 + 32 + 10;
constexpr std::int64_t kRtn4 = kHidden / 2 + kHidden / 16 * 2 + 4 * kRest;

std::string rtn(const std::string& at) {
  return "compression.quantization={name: rtn, bits: 4, group: 16, at: " + at + "}";
}
std::string magnitude(const std::string& at, const std::string& structure = "unstructured") {
  return "compression.pruning={name: magnitude, sparsity: 75%, structure: " + structure +
         ", at: " + at + "}";
}
const std::string kLora =
    "compression.adaptation={name: lora, rank: 2, alpha: 4, aggregation: fedit, targets: "
    "[hidden.0]}";

const AttemptRow& first_accepted(const Ran& r) {
  const auto& all = r.attempts();
  return *std::find_if(all.begin(), all.end(),
                       [](const AttemptRow& a) { return a.outcome == Outcome::kAccepted; });
}

double tier_value(const Ran& r, const std::string& metric) {
  double value = kNotMeasured;
  for (const EvaluationRow& row : r.record->evaluations()) {
    if (row.metric == metric) value = row.value;
  }
  return value;
}

// What a scenario is refused for; empty if it is not.
std::string refused(const std::vector<std::string>& overrides) {
  try {
    run(kGlyphs, overrides);
  } catch (const ScenarioError& error) {
    return error.what();
  }
  return "";
}

TEST(AtClient, TheDeviceReceivesTheDenseModelAndPaysForItsOwnCodes) {
  const Ran server = run(kGlyphs, {rtn("dispatch")}), device = run(kGlyphs, {rtn("client")});
  EXPECT_EQ(first_accepted(server).bytes_down.value(), kRtn4);
  EXPECT_EQ(first_accepted(device).bytes_down.value(), 4 * (kHidden + kRest));
  EXPECT_GT(first_accepted(device).flops.value(), first_accepted(server).flops.value());
  // The same codes, whoever made them.
  EXPECT_EQ(device.record->model_values(), server.record->model_values());
}

TEST(AtClient, APrunedModelTravelsPrunedAndIsQuantizedThere) {
  const Ran r = run(kGlyphs, {magnitude("start"), rtn("client")});
  const std::int64_t kept = kHidden / 4;
  EXPECT_EQ(first_accepted(r).bytes_down.value(), 4 * (kept + kRest) + kHidden / 8);
  EXPECT_EQ(first_accepted(r).bytes_up.value(), 4 * (kept + kRest));
}

TEST(AtDispatch, AMaskOfEachVersionCostsTheSameBytesAndMoves) {
  const Ran once = run(kGlyphs, {magnitude("start")}), anew = run(kGlyphs, {magnitude("dispatch")});
  EXPECT_EQ(first_accepted(anew).bytes_down, first_accepted(once).bytes_down);
  EXPECT_EQ(first_accepted(anew).bytes_up, first_accepted(once).bytes_up);
  const auto zeros = [](const Ran& r) {
    const std::vector<float>& v = r.record->model_values();
    return std::count(v.begin(), v.end(), 0.0F);
  };
  EXPECT_GE(zeros(once), kHidden * 3 / 4);
  EXPECT_LT(zeros(anew), kHidden / 4);  // the master stays whole
  EXPECT_LT(anew.rounds().back().train_loss, anew.rounds().front().train_loss);
}

TEST(AtEnd, DevicesTrainTheWholeModelAndTheLastVersionIsCompressed) {
  const Ran plain = run(kGlyphs), r = run(kGlyphs, {magnitude("start"), rtn("end")});
  const Ran whole = run(kGlyphs, {rtn("end")});
  EXPECT_EQ(whole.record->model_values(), plain.record->model_values());
  EXPECT_EQ(first_accepted(whole).bytes_down.value(), 4 * (kHidden + kRest));
  EXPECT_EQ(tier_value(whole, "model_bytes"), static_cast<double>(kRtn4));
  EXPECT_NEAR(tier_value(whole, "test_loss"), whole.last("test_loss"), 0.1);
  EXPECT_NE(tier_value(whole, "test_loss"), whole.last("test_loss"));
  const std::int64_t kept = kHidden / 4;
  EXPECT_EQ(tier_value(r, "model_bytes"),
            static_cast<double>(kHidden / 8 + kept / 2 + kept / 16 * 2 + 4 * kRest));
}

TEST(AtStart, AFrozenBaseIsQuantizedOnceAndAdaptersTrainBesideIt) {
  const Ran start = run(kGlyphs, {kLora, rtn("start")});
  const Ran dispatch = run(kGlyphs, {kLora, rtn("dispatch")});
  EXPECT_EQ(start.result.fingerprint, dispatch.result.fingerprint);
  EXPECT_EQ(start.record->results_sha256(), dispatch.record->results_sha256());
  const std::int64_t adapters = 2 * (784 + 32);
  EXPECT_EQ(first_accepted(start).bytes_down.value(), kRtn4 + 8);  // a seed draws the adapters
  EXPECT_EQ(first_accepted(start).bytes_up.value(), 4 * adapters);
}

TEST(AtStart, AFrozenBaseThatIsPrunedAndQuantizedTakesAdaptersToo) {
  const Ran r = run(kGlyphs, {kLora, magnitude("start"), rtn("start")});
  const std::int64_t kept = kHidden / 4, adapters = 2 * (784 + 32);
  const std::int64_t base = kHidden / 8 + kept / 2 + kept / 16 * 2 + 4 * kRest;
  EXPECT_EQ(first_accepted(r).bytes_down.value(), base + 8);
  EXPECT_EQ(first_accepted(r).bytes_up.value(), 4 * adapters);
  EXPECT_LT(r.rounds().back().train_loss, r.rounds().front().train_loss);
}

TEST(When, WhatMeansNothingIsRefusedWithItsReason) {
  const auto says = [](const std::vector<std::string>& overrides, const std::string& part) {
    const std::string text = refused(overrides);
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  says({rtn("start")}, "leave the grid of the start");
  says({kLora, rtn("client")}, "the frozen base is made once");
  says({kLora, rtn("end")}, "devices hold the base from the first round on");
  says({magnitude("end"), rtn("dispatch")}, "pruning comes no later than quantization");
  says({magnitude("dispatch", "channel")}, "another network each round");
  says({"compression.pruning={name: wanda, sparsity: 50%, structure: unstructured, at: client}",
        "data.server_samples=20"},
       "it needs the server's samples");
  says({magnitude("dispatch"), "training.method={name: scaffold}"}, "would change its meaning");
  says({magnitude("dispatch"),
        "compression.communication={name: top-k, density: 10%, error_feedback: true}"},
       "would change its meaning");
  says({"compression.quantization={name: pv-tuning, bits: 2, wire: codes, at: end}"},
       "devices train codes only where the server sends them");
  says({kLora, "compression.quantization={name: pv-tuning, bits: 2, aggregation: model}"},
       "devices train the adapters");
  says({"compression.quantization={name: pv-tuning, bits: 2, wire: codes}",
        "compression.communication={name: fp16}"},
       "sends the codes as they are");
  says({"compression.quantization={name: pv-tuning, bits: 2, wire: codes, rest: fp16}"},
       "as 32-bit changes");
  says({"compression.quantization={name: pv-tuning, bits: 2}", "training.method={name: scaffold}"},
       "not what is trained");
}

}  // namespace
}  // namespace skiff
