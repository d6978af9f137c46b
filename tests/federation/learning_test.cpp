// Real training inside the simulation: the same bits whatever the host does, state only for those
// whose update was accepted, memory verdicts, methods against their closed forms.

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "tests/federation/run_scenario.h"

namespace skiff {
namespace {

using test::Ran;
using test::run;

const char* kGlyphs = R"(
seed: 7
data: {source: glyphs, clients: 30, samples_per_client: 20, partition: {scheme: dirichlet, alpha: 0.5}}
model: {architecture: mlp, hidden: [24]}
devices: {population: {iphone-15-pro: 15%, pixel-8-pro: 15%, budget-android: 50%, iot-sensor: 20%}}
server: {protocol: synchronous, participants: 8, over_selection: 1.5, deadline: 10 min, rounds: 6}
training: {epochs: 1, batch: 10, optimizer: {name: sgd, learning_rate: 0.1}}
)";

const std::vector<std::vector<std::string>>& methods() {
  static const std::vector<std::vector<std::string>> all{
      {},
      {"compression.communication={name: top-k, density: 10%, error_feedback: true}"},
      {"compression.communication={name: ef21, density: 10%}"},
      {"compression.communication={name: qsgd, levels: 4}"},
      {"training.method={name: scaffold}"},
      {"training.optimizer={name: sgd, learning_rate: 0.05, momentum: 0.9}"}};
  return all;
}

std::string digest(const Ran& r) { return r.result.fingerprint + r.record->results_sha256(); }

TEST(SameBits, OnAnyNumberOfThreadsAndForEveryLaunchPolicy) {
  for (const auto& method : methods()) {
    set_threads(1);
    const std::string reference = digest(run(kGlyphs, method, LaunchPolicy::kSerial));
    for (const int threads : {1, 2, 8}) {
      for (const LaunchPolicy launch :
           {LaunchPolicy::kDemand, LaunchPolicy::kEager, LaunchPolicy::kSerial}) {
        set_threads(threads);
        EXPECT_EQ(digest(run(kGlyphs, method, launch)), reference)
            << (method.empty() ? "fedavg" : method[0]) << ", " << threads << " threads, policy "
            << static_cast<int>(launch);
      }
    }
  }
  set_threads(0);
}

TEST(SameBits, WithRandomDelaysInTheTasks) {
  const Scenario scenario =
      parse_scenario(kGlyphs, "test.yaml", methods()[1], {.profiles = test::profiles()});
  const std::string reference = digest(run(kGlyphs, methods()[1]));
  for (const LaunchPolicy launch : {LaunchPolicy::kDemand, LaunchPolicy::kEager}) {
    set_threads(8);
    FederationSetup setup = assemble(scenario);
    setup.launch = launch;
    setup.before_job = [](ClientId client) {
      std::this_thread::sleep_for(std::chrono::microseconds(mix64(client) % 3000));
    };
    EXPECT_EQ(digest(test::run(scenario, setup)), reference);
  }
  set_threads(0);
}

TEST(TimingOnly, DispatchesTheSameEventsAsTraining) {
  const Ran real = run(kGlyphs), timed = run(kGlyphs, {"training.mode=timing-only"});
  EXPECT_EQ(real.result.fingerprint, timed.result.fingerprint);
  EXPECT_EQ(real.result.events, timed.result.events);
  ASSERT_EQ(real.attempts().size(), timed.attempts().size());
  for (std::size_t i = 0; i < real.attempts().size(); ++i) {
    EXPECT_EQ(real.attempts()[i].bytes_up, timed.attempts()[i].bytes_up);
    EXPECT_EQ(real.attempts()[i].energy.total(), timed.attempts()[i].energy.total());
  }
}

TEST(Learning, LossFallsAndAccuracyRises) {
  const Ran r = run(kGlyphs, {"server.rounds=30"});
  double first = 0;
  for (const auto& [name, value] : r.rounds().front().metrics) {
    if (name == "test_accuracy") first = value;
  }
  EXPECT_GT(r.last("test_accuracy"), first + 0.2);
  EXPECT_LT(r.rounds().back().train_loss, r.rounds().front().train_loss);
}

TEST(Memory, ACheckedPlanRefusesAndSaysByHowMuch) {
  const Ran r =
      run(kGlyphs, {"devices.memory_limit=64 MB", "model.hidden=[2000]", "server.rounds=2"});
  int refused = 0;
  for (const AttemptRow& a : r.attempts()) {
    if (a.outcome != Outcome::kRefused) continue;
    ++refused;
    EXPECT_EQ(a.cause, Cause::kRam);
    EXPECT_GT(a.peak_memory, a.memory_limit);
    EXPECT_EQ(a.bytes_down, Bytes(0));
  }
  EXPECT_GT(refused, 0);
}

TEST(Memory, ABlindServerLosesTheDeviceInThePhaseWhereItsMemoryEnds) {
  const Ran r =
      run(kGlyphs, {"devices.memory_limit=64 MB", "model.hidden=[2000]", "server.rounds=1",
                    "compression.planner={name: fixed, admission: blind}"});
  int lost = 0;
  for (const AttemptRow& a : r.attempts()) {
    if (a.cause != Cause::kRam) continue;
    ++lost;
    EXPECT_EQ(a.outcome, Outcome::kAborted);
    EXPECT_GT(a.bytes_down, Bytes(0));  // it had downloaded the model
    EXPECT_EQ(a.bytes_up, Bytes(0));    // and never sent anything
    EXPECT_GT(a.energy.total().value(), 0);
    EXPECT_NE(a.download_end, kNever);
    EXPECT_EQ(a.train_end, kNever);
  }
  EXPECT_GT(lost, 0);
}

TEST(Numbers, AnUpdateThatBlowsUpIsARecordedResult) {
  const Ran r = run(kGlyphs, {"training.optimizer.learning_rate=1e30", "server.rounds=2"});
  int blown = 0;
  for (const AttemptRow& a : r.attempts()) blown += a.cause == Cause::kNotFinite;
  EXPECT_GT(blown, 0);
  EXPECT_EQ(r.result.status, RunStatus::kOk);
}

// A device that holds the version already is not sent it again.
TEST(CachedBase, AModelThatDidNotChangeIsDownloadedOnce) {
  const Ran r = run(kGlyphs, {"server.min_fraction=100%", "server.deadline=1 ms",
                              "server.participants=all", "server.over_selection=1"});
  for (const RoundRow& row : r.rounds()) EXPECT_EQ(row.accepted, 0u);
  const Ran normal = run(kGlyphs, {"server.participants=all", "server.over_selection=1",
                                   "server.deadline=none", "server.rounds=2"});
  EXPECT_GT(normal.rounds()[1].bytes_down, Bytes(0));
}

}  // namespace
}  // namespace skiff
