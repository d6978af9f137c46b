// The digest of the results: the same rows give the same one, and no column is left out.
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "sim/record/memory_recorder.h"
#include "tests/record/sample_run.h"

namespace skiff {
namespace {

struct Rows {
  AttemptRow attempt;
  RoundRow round;
  TierRow tier;
  DeviceRow device;
  MemoryRow memory;
  LayerRow layer;
  EvaluationRow evaluation;
  std::vector<float> model{1, 2, 3};
  std::vector<ModelSlice> slices{{"a", 1, 3, 0}};
};

Rows rows() {
  Rows r;
  r.attempt.selected = r.attempt.download_end = r.attempt.train_end = VirtualTime{1'000'000};
  r.round.metrics = {{"test_accuracy", 0.5}};
  r.evaluation.metric = "test_accuracy";
  r.memory.plan = "all";
  return r;
}

RunInfo info() {
  RunInfo run = sample::info();
  run.keep_layers = true;
  return run;
}

std::string digest(const Rows& r, const RunInfo& run = info()) {
  MemoryRecorder recorder(run);
  recorder.add(r.attempt);
  recorder.add(r.round);
  recorder.add(r.tier);
  recorder.add(r.device);
  recorder.add(r.memory);
  recorder.add(r.layer);
  recorder.add(r.evaluation);
  recorder.set_final_model(r.slices, r.model);
  recorder.finish({RunStatus::kOk, "f"});
  return recorder.results_sha256();
}

// `change` must show in the digest.
void expect_seen(const char* what, const std::function<void(Rows&)>& change) {
  Rows changed = rows();
  change(changed);
  EXPECT_NE(digest(changed), digest(rows())) << what;
}

#define EXPECT_SEEN(field, value) expect_seen(#field, [](Rows& r) { r.field = value; })

TEST(ResultsHashTest, EveryColumnOfAttemptsCounts) {
  EXPECT_SEEN(attempt.device, 1);
  EXPECT_SEEN(attempt.round, 1);
  EXPECT_SEEN(attempt.base_version, 1);
  EXPECT_SEEN(attempt.staleness, 1);
  EXPECT_SEEN(attempt.outcome, Outcome::kLate);
  EXPECT_SEEN(attempt.cause, Cause::kCrash);
  EXPECT_SEEN(attempt.selected, VirtualTime{2});
  EXPECT_SEEN(attempt.download_end, VirtualTime{2});
  EXPECT_SEEN(attempt.train_end, kNever);
  EXPECT_SEEN(attempt.upload_end, VirtualTime{2});
  EXPECT_SEEN(attempt.flops, Flops(1));
  EXPECT_SEEN(attempt.bytes_down, Bytes(1));
  EXPECT_SEEN(attempt.bytes_up, Bytes(1));
  EXPECT_SEEN(attempt.bytes_wasted, Bytes(1));
  EXPECT_SEEN(attempt.encoded_bytes, Bytes(1));
  EXPECT_SEEN(attempt.peak_memory, Bytes(1));
  EXPECT_SEEN(attempt.memory_limit, Bytes(1));
  EXPECT_SEEN(attempt.energy.compute, Joules(1));
  EXPECT_SEEN(attempt.energy.radio, Joules(1));
  EXPECT_SEEN(attempt.energy.flash, Joules(1));
  EXPECT_SEEN(attempt.energy.idle, Joules(1));
  EXPECT_SEEN(attempt.battery_start, 0.5);
  EXPECT_SEEN(attempt.battery_end, 0.5);
  EXPECT_SEEN(attempt.bits, 4.f);
  EXPECT_SEEN(attempt.sparsity, 0.5f);
  EXPECT_SEEN(attempt.rank, 8);
  EXPECT_SEEN(attempt.batch, 1);
  EXPECT_SEEN(attempt.steps, 1);
  EXPECT_SEEN(attempt.samples, 1);
  EXPECT_SEEN(attempt.train_loss, 1);
}

TEST(ResultsHashTest, EveryColumnOfRoundsCounts) {
  EXPECT_SEEN(round.round, 1);
  EXPECT_SEEN(round.virtual_time, VirtualTime{1});
  EXPECT_SEEN(round.bytes_down, Bytes(1));
  EXPECT_SEEN(round.bytes_up, Bytes(1));
  EXPECT_SEEN(round.bytes_wasted, Bytes(1));
  EXPECT_SEEN(round.energy, Joules(1));
  EXPECT_SEEN(round.invited, 1);
  EXPECT_SEEN(round.accepted, 1);
  EXPECT_SEEN(round.late, 1);
  EXPECT_SEEN(round.refused, 1);
  EXPECT_SEEN(round.aborted, 1);
  EXPECT_SEEN(round.staleness_mean, 1);
  EXPECT_SEEN(round.train_loss, 1);
  EXPECT_SEEN(round.metrics[0].second, 0.6);
  EXPECT_SEEN(round.metrics[0].first, "test_loss");
}

TEST(ResultsHashTest, EveryColumnOfTheSmallerTablesCounts) {
  EXPECT_SEEN(tier.round, 1);
  EXPECT_SEEN(tier.tier, 1);
  EXPECT_SEEN(tier.accuracy, 1);
  EXPECT_SEEN(tier.loss, 1);
  EXPECT_SEEN(tier.model_bytes, Bytes(1));
  EXPECT_SEEN(tier.bits, 4.f);
  EXPECT_SEEN(tier.sparsity, 0.5f);
  EXPECT_SEEN(tier.rank, 1);
  EXPECT_SEEN(tier.accepted, 1);
  EXPECT_SEEN(tier.refused, 1);
  EXPECT_SEEN(tier.peak_memory, Bytes(1));
  EXPECT_SEEN(tier.memory_limit, Bytes(1));
  EXPECT_SEEN(device.device_class, 1);
  EXPECT_SEEN(device.tier, 0);
  EXPECT_SEEN(device.ram, Bytes(1));
  EXPECT_SEEN(device.memory_limit, Bytes(1));
  EXPECT_SEEN(device.flops, FlopsPerSecond(1));
  EXPECT_SEEN(device.bandwidth_down, BytesPerSecond(1));
  EXPECT_SEEN(device.bandwidth_up, BytesPerSecond(1));
  EXPECT_SEEN(device.battery, Joules(1));
  EXPECT_SEEN(device.samples, 1);
  EXPECT_SEEN(device.attempts, 1);
  EXPECT_SEEN(device.accepted, 1);
  EXPECT_SEEN(device.bytes_down, Bytes(1));
  EXPECT_SEEN(device.bytes_up, Bytes(1));
  EXPECT_SEEN(device.energy, Joules(1));
  EXPECT_SEEN(device.peak_memory, Bytes(1));
  EXPECT_SEEN(layer.round, 1);
  EXPECT_SEEN(layer.layer, 1);
  EXPECT_SEEN(layer.error, 1);
  EXPECT_SEEN(layer.bits, 4.f);
  EXPECT_SEEN(layer.sparsity, 0.5f);
  EXPECT_SEEN(layer.rank, 1);
}

TEST(ResultsHashTest, EvaluationsMemoryAndTheModelCount) {
  EXPECT_SEEN(evaluation.round, 1);
  EXPECT_SEEN(evaluation.scope, EvaluationRow::Scope::kClient);
  EXPECT_SEEN(evaluation.entity, 1);
  EXPECT_SEEN(evaluation.split, EvaluationRow::Split::kTrain);
  EXPECT_SEEN(evaluation.metric, "test_loss");
  EXPECT_SEEN(evaluation.value, 1);
  EXPECT_SEEN(memory.plan, "low-end");
  EXPECT_SEEN(memory.weights, Bytes(1));
  EXPECT_SEEN(memory.runtime, Bytes(1));
  EXPECT_SEEN(model[1], 2.5f);
  EXPECT_SEEN(slices[0].name, "b");
  EXPECT_SEEN(slices[0].rows, 3);
  EXPECT_SEEN(slices[0].cols, 1);
  EXPECT_SEEN(slices[0].offset, 1);
}

TEST(ResultsHashTest, NamesThatRowsReferToCount) {
  RunInfo other = info();
  other.tiers[0] = "premium";
  EXPECT_NE(digest(rows(), other), digest(rows()));
  other = info();
  other.device_classes[3] = "toaster";
  EXPECT_NE(digest(rows(), other), digest(rows()));
}

TEST(ResultsHashTest, WallClockProvenanceAndLabelsForPeopleDoNot) {
  Rows slow = rows();
  slow.round.wall_time = Seconds(100);
  EXPECT_EQ(digest(slow), digest(rows()));
  RunInfo other = info();
  other.provenance.threads = 64;
  other.provenance.cpu = "another";
  other.provenance.started_utc = "later";
  EXPECT_EQ(digest(rows(), other), digest(rows()));
}

TEST(ResultsHashTest, OneNaNIsAsGoodAsAnother) {
  Rows other = rows();
  other.attempt.train_loss = -std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(digest(other), digest(rows()));
}

TEST(ResultsHashTest, TheSameRunTwiceGivesTheSameDigest) {
  std::string first;
  for (int turn = 0; turn < 2; ++turn) {
    MemoryRecorder recorder(sample::info());
    sample::fill(recorder);
    recorder.finish({});
    if (turn == 0) first = recorder.results_sha256();
    EXPECT_EQ(recorder.results_sha256(), first);
    EXPECT_EQ(first.size(), 64u);
  }
}

}  // namespace
}  // namespace skiff
