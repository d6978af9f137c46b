// Runs whose devices hold compressed models: exact bytes both ways, masks that stay, tiers with
// plans of their own, the same bits whatever the host does.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

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
const std::string kPruned =
    "compression.pruning={name: magnitude, sparsity: 75%, structure: unstructured}";
const std::string kQuantized = "compression.quantization={name: rtn, bits: 4, group: 16}";

std::string digest(const Ran& r) { return r.result.fingerprint + r.record->results_sha256(); }

const AttemptRow& first_accepted(const Ran& r) {
  for (const AttemptRow& a : r.attempts()) {
    if (a.outcome == Outcome::kAccepted) return a;
  }
  throw std::logic_error("nobody was accepted");
}

TEST(Pruned, TheWireCarriesWhatIsKeptAndTheMaskOnceARound) {
  const Ran r = run(kGlyphs, {kPruned});
  const std::int64_t kept = kHidden / 4 + kRest;
  const AttemptRow& a = first_accepted(r);
  EXPECT_EQ(a.bytes_down.value(), 4 * kept + kHidden / 8);
  EXPECT_EQ(a.bytes_up.value(), 4 * kept);
  EXPECT_NEAR(a.sparsity, 1 - static_cast<double>(kept) / (kHidden + kRest), 1e-6);
}

TEST(Pruned, WhatWasTakenOutNeverComesBack) {
  for (const std::string method : {"{name: fedavg}", "{name: scaffold}"}) {
    const Ran r = run(kGlyphs, {kPruned, "training.method=" + method});
    EXPECT_LT(r.rounds().back().train_loss, r.rounds().front().train_loss);
    const std::vector<float>& trained = r.record->model_values();
    ASSERT_EQ(static_cast<std::int64_t>(trained.size()), kHidden + kRest);
    EXPECT_GE(std::count(trained.begin(), trained.end(), 0.0F), kHidden * 3 / 4) << method;
  }
}

TEST(Quantized, TheDownloadIsTheStoredModelAndTheUploadTheDenseChange) {
  const Ran r = run(kGlyphs, {kQuantized});
  const AttemptRow& a = first_accepted(r);
  EXPECT_EQ(a.bytes_down.value(), kHidden / 2 + kHidden / 16 * 2 + 4 * kRest);
  EXPECT_EQ(a.bytes_up.value(), 4 * (kHidden + kRest));
  EXPECT_LT(r.rounds().back().train_loss, r.rounds().front().train_loss);
}

TEST(Quantized, TheRestTakesSixteenBits) {
  const std::string half = "compression.quantization={name: rtn, bits: 4, group: 16, rest: fp16}";
  const Ran r = run(kGlyphs, {half}), pruned = run(kGlyphs, {kPruned, half});
  EXPECT_EQ(first_accepted(r).bytes_down.value(), kHidden / 2 + kHidden / 16 * 2 + 2 * kRest);
  EXPECT_EQ(first_accepted(pruned).bytes_down.value(),
            kHidden / 8 + kHidden / 4 / 2 + kHidden / 4 / 16 * 2 + 2 * kRest);
  EXPECT_LT(r.rounds().back().train_loss, r.rounds().front().train_loss);
}

TEST(Quantized, LayersAreRecordedWithTheirErrors) {
  const Ran r = run(kGlyphs, {kQuantized, "record.layers=true"});
  ASSERT_EQ(r.record->layers().size(), 4u * 3);  // rounds x hidden.0, hidden.1, output
  for (const LayerRow& row : r.record->layers()) {
    EXPECT_EQ(row.error == 0, row.layer == 2);
    EXPECT_EQ(row.bits, row.layer == 2 ? 32 : 5);  // 4 and a scale of 16 for 16 values
    EXPECT_LT(row.error, 0.02);
  }
}

TEST(PrunedAndQuantized, GoTogether) {
  const Ran r = run(kGlyphs, {kPruned, kQuantized});
  const std::int64_t kept = kHidden / 4;
  const AttemptRow& a = first_accepted(r);
  EXPECT_EQ(a.bytes_down.value(), kHidden / 8 + kept / 2 + kept / 16 * 2 + 4 * kRest);
  EXPECT_EQ(a.bytes_up.value(), 4 * (kept + kRest));
}

const std::vector<std::string> kTiers{
    "devices.population={iphone-15-pro: 40%, pixel-8-pro: 30%, budget-android: 30%}",
    "devices.tiers={high: 10 GB, middle: 7 GB, low: 1 GB}",
    ("compression.planner={name: tiers, plans: {high: {bits: 8, sparsity: 30%}, middle: {sparsity: "
     "60%}, low: {sparsity: 80%}}}"),
    kPruned, kQuantized};

TEST(Tiers, EachHasAPlanOfItsOwnAndTheMeanIsOverWhoHoldsAWeight) {
  const Ran r = run(kGlyphs, kTiers);
  ASSERT_FALSE(r.record->tiers().empty());
  std::vector<Bytes> bytes(3);
  for (const TierRow& t : r.record->tiers()) {
    bytes[t.tier] = t.model_bytes;
    EXPECT_TRUE(std::isfinite(t.accuracy));
  }
  EXPECT_GT(bytes[0], bytes[1]);
  EXPECT_GT(bytes[1], bytes[2]);
  EXPECT_LT(r.rounds().back().train_loss, r.rounds().front().train_loss);
}

TEST(Compressed, SameBitsOnAnyNumberOfThreadsAndForEveryLaunchPolicy) {
  const std::vector<std::vector<std::string>> kinds{
      {kPruned, "compression.communication={name: top-k, density: 10%, error_feedback: true}"},
      {kPruned, kQuantized, "training.method={name: scaffold}"},
      kTiers};
  for (const auto& kind : kinds) {
    set_threads(1);
    const std::string reference = digest(run(kGlyphs, kind, LaunchPolicy::kSerial));
    for (const int threads : {1, 2, 8}) {
      for (const LaunchPolicy launch : {LaunchPolicy::kDemand, LaunchPolicy::kEager}) {
        set_threads(threads);
        EXPECT_EQ(digest(run(kGlyphs, kind, launch)), reference) << kind[0] << threads;
      }
    }
  }
  set_threads(0);
}

TEST(Compressed, TimingOnlyDispatchesTheSameEvents) {
  const Ran real = run(kGlyphs, kTiers);
  std::vector<std::string> timed = kTiers;
  timed.emplace_back("training.mode=timing-only");
  EXPECT_EQ(real.result.fingerprint, run(kGlyphs, timed).result.fingerprint);
}

}  // namespace
}  // namespace skiff
