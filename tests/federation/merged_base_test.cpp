// Devices that missed rounds of a base that merges move: what they download is what they missed.

#include <gtest/gtest.h>

#include <map>
#include <set>

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

}  // namespace
}  // namespace skiff
