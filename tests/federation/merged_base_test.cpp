// Devices that missed rounds of a base that merges move: what they download is what they missed.

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "sim/federation/learner.h"
#include "tests/federation/run_scenario.h"

namespace skiff {
namespace {

// 2 of 6 devices a round, so that most of them miss some; A and B differ in size: 72 and 67 values.
const char* kMissing = R"(
seed: 5
data: {source: gaussian-mixture, clients: 6, samples_per_client: 8, features: 8, classes: 3, partition: {scheme: iid}}
model: {architecture: mlp, hidden: [24, 40]}
devices: {population: {laptop-x86: 1}}
server: {protocol: synchronous, participants: 2, rounds: 12}
training: {steps: 1, batch: 4, optimizer: {name: sgd, learning_rate: 0.05}}
evaluation: {every: 12, metrics: [train_loss]}
)";

void expect_exact_downloads(const std::string& adaptation, const std::string& hidden = "[24, 40]") {
  SCOPED_TRACE(adaptation);
  const Scenario scenario = parse_scenario(
      kMissing, "test.yaml", {"compression.adaptation=" + adaptation, "model.hidden=" + hidden},
      {.profiles = test::profiles()});
  FederationSetup setup = assemble(scenario);
  const Composition c = setup.composition;
  const auto head = static_cast<std::int64_t>(
      8 + 2 * c.global().parametrization->told_ranks(c.global().prepared));
  const test::Ran ran = test::run(scenario, std::move(setup));
  const Plan& plan = c.global();
  std::map<std::int64_t, std::int64_t> sent;  // by round: the trained factors, as they went up
  for (const AttemptRow& a : ran.attempts()) sent[a.base_version] = a.bytes_up.value();
  const auto grown_in = [&](std::int64_t round) { return sent.at(round) + head; };
  std::map<std::uint32_t, std::int64_t> held;  // the base's version, by device
  std::set<std::int64_t> sizes;
  int missed = 0;
  for (const AttemptRow& a : ran.attempts()) {
    const std::int64_t version = a.base_version;
    std::int64_t base = plan.prepared.stored.value();
    if (const auto it = held.find(a.device); it != held.end()) {
      std::int64_t sum = 0;
      for (std::int64_t r = it->second; r < version; ++r) sum += grown_in(r);
      base = std::min(base, sum);
      missed += version - it->second > 1;
    }
    sizes.insert(grown_in(version));
    EXPECT_EQ(a.bytes_down.value(), base + head) << "round " << version;
    held[a.device] = version;
  }
  EXPECT_GT(missed, 4);
  if (adaptation.find("bernoulli") != std::string::npos || head > 8) {
    EXPECT_GT(sizes.size(), 1U);
  }
}

TEST(MergedBase, ADownloadIsWhatTheDeviceMissed) {
  expect_exact_downloads("{name: rac-lora, rank: 1, alpha: 1, targets: linear, sketch: left}");
  expect_exact_downloads(
      "{name: bernoulli-lora, rank: 1, alpha: 1, targets: linear, "
      "probability: 0.5}");
  expect_exact_downloads(
      "{name: bernoulli-lora, rank: 1, alpha: 1, targets: linear, "
      "probability: 0.5, variant: adapter-mask}");
  expect_exact_downloads(
      "{name: rac-lora, rank: 4, alpha: 4, targets: linear, sketch: right, adaptive_rank: true, "
      "adapt_every: 2}",
      "[8, 8, 200]");
}

// Over codes: a device that holds the same codes downloads what was merged since; others the codes
// and what lies beside them.
TEST(MergedBase, CodesAreSentOnceAndWhatIsMergedLiesBesideThem) {
  for (const std::string merge : {"stack", "side-bf16", "requantize"}) {
    SCOPED_TRACE(merge);
    const Scenario scenario = parse_scenario(
        kMissing, "test.yaml",
        {"compression.adaptation={name: rac-lora, rank: 1, alpha: 1, targets: linear, sketch: "
         "left, merge: " +
             merge + (merge == "stack" ? ", stack_blocks: 4}" : "}"),
         "compression.quantization={name: rtn, bits: 4, group: 8}", "model.hidden=[240, 400]"},
        {.profiles = test::profiles()});
    FederationSetup setup = assemble(scenario);
    const Composition c = setup.composition;
    const Plan& plan = c.global();
    const std::int64_t factor = 4 * static_cast<std::int64_t>(c.update_layout(plan)->size) + 8;
    const std::int64_t side = 2 * (8 * 240 + 240 * 400);
    const test::Ran ran = test::run(scenario, std::move(setup));
    std::map<std::uint32_t, std::int64_t> held;
    std::set<std::int64_t> grown;
    for (const AttemptRow& a : ran.attempts()) {
      const std::int64_t version = a.base_version;
      const std::int64_t first = merge == "stack"       ? version - version % 4
                                 : merge == "side-bf16" ? 0
                                                        : version;
      const std::int64_t beside =
          merge == "side-bf16" ? (version > 0 ? side : 0) : (version - first) * factor;
      std::int64_t base = plan.prepared.stored.value() + beside;
      const auto it = held.find(a.device);
      if (it != held.end() && it->second >= first) {
        base = std::min(base, (version - it->second) * factor);
        grown.insert(base);
      }
      EXPECT_EQ(a.bytes_down.value(), base + 8) << "round " << version;
      held[a.device] = version;
    }
    EXPECT_EQ(grown.empty(), merge == "requantize");
  }
}

// What devices hold is the first master's codes and, exactly or rounded, what was merged since.
TEST(MergedBase, WhatDevicesHoldIsTheCodesAndWhatWasMerged) {
  for (const std::string merge : {"stack", "side-bf16"}) {
    SCOPED_TRACE(merge);
    const Scenario scenario = parse_scenario(
        kMissing, "test.yaml",
        {"compression.adaptation={name: rac-lora, rank: 1, alpha: 1, targets: linear, sketch: "
         "left, merge: " +
             merge + (merge == "stack" ? ", stack_blocks: 3}" : "}"),
         "compression.quantization={name: rtn, bits: 3, group: 8}"},
        {.profiles = test::profiles()});
    FederationSetup setup = assemble(scenario);
    Preparer preparer(setup);
    Server server = initial_server(setup);
    const Vector start = server.models[0].weights;
    const Vector codes = decoded(*preparer.prepared(server, 0));
    EXPECT_NE(codes.values, start.values);
    for (int space = 1; space < 3; ++space) {
      server.version = server.models[0].base_version = space;
      Stream draw(static_cast<std::uint64_t>(space), "merged");
      for (float& w : server.models[0].weights.values) w += 0.1F * draw.uniform_float();
      const Vector held = decoded(*preparer.prepared(server, 0));
      for (std::size_t i = 0; i < held.values.size(); ++i) {
        const float merged = server.models[0].weights.values[i] - start.values[i];
        EXPECT_NEAR(held.values[i], codes.values[i] + merged, merge == "stack" ? 1e-6 : 1e-3);
      }
    }
    server.version = server.models[0].base_version = 3;
    const Vector third = decoded(*preparer.prepared(server, 0));
    const float merged = server.models[0].weights.values[5] - start.values[5];
    const bool anew = std::abs(third.values[5] - (codes.values[5] + merged)) > 1e-2F;
    EXPECT_EQ(anew, merge == "stack");
  }
}

}  // namespace
}  // namespace skiff
