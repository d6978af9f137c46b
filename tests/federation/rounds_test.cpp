// The rules of synchronous rounds: who is invited, when a round closes, what becomes of the rest.

#include <gtest/gtest.h>

#include "tests/federation/run_scenario.h"

namespace skiff {
namespace {

using test::Ran;
using test::run;

const char* kTen = R"(
seed: 3
data: {source: none, clients: 10, samples_per_client: 1, partition: {scheme: iid}}
devices: {population: {rpi-5-8g: 1}}
server: {protocol: synchronous, participants: 4, over_selection: 2, rounds: 1}
training: {mode: timing-only, download: 0 B, upload: 0 B,
           compute_time: {list: [1 s, 2 s, 3 s, 4 s, 5 s, 6 s, 7 s, 8 s, 9 s, 10 s]}}
)";

int count(const Ran& r, Outcome outcome) {
  int n = 0;
  for (const AttemptRow& a : r.attempts()) n += a.outcome == outcome;
  return n;
}

TEST(Rounds, CloseAtTheWantedReportAndTheRestIsLate) {
  const Ran r = run(kTen);
  EXPECT_EQ(r.attempts().size(), 8u);
  EXPECT_EQ(count(r, Outcome::kAccepted), 4);
  EXPECT_EQ(count(r, Outcome::kLate), 4);
  EXPECT_EQ(r.rounds()[0].invited, 8u);
  for (const AttemptRow& a : r.attempts()) {
    if (a.outcome == Outcome::kLate) {
      EXPECT_EQ(a.cause, Cause::kNone);
      EXPECT_EQ(a.upload_end, kNever);
    }
  }
}

TEST(Rounds, AReportExactlyAtTheDeadlineCounts) {
  // Everybody takes part; client i needs i + 1 seconds, and five are done at 5 s.
  const std::vector<std::string> all{"server.participants=all", "server.over_selection=1"};
  std::vector<std::string> at = all;
  at.emplace_back("server.deadline=5 s");
  const Ran r = run(kTen, at);
  EXPECT_EQ(count(r, Outcome::kAccepted), 5);
  EXPECT_EQ(count(r, Outcome::kLate), 5);
  for (const AttemptRow& a : r.attempts()) {
    if (a.outcome == Outcome::kLate) {
      EXPECT_EQ(a.cause, Cause::kDeadline);
    }
  }
  EXPECT_EQ(r.rounds()[0].virtual_time.ns, 5'000'000'000);
}

TEST(Rounds, TooFewReportsAbandonTheRound) {
  const Ran r = run(kTen, {"server.participants=all", "server.over_selection=1",
                           "server.deadline=5 s", "server.min_fraction=60%"});
  EXPECT_EQ(count(r, Outcome::kAccepted), 0);
  EXPECT_EQ(count(r, Outcome::kAborted), 5);
  EXPECT_EQ(r.rounds()[0].accepted, 0u);
  // What was spent is spent.
  EXPECT_GT(r.rounds()[0].energy.value(), 0);
}

TEST(Rounds, AreBitForBitRepeatable) {
  const Ran a = run(kTen, {"server.rounds=50"}), b = run(kTen, {"server.rounds=50"});
  EXPECT_EQ(a.result.fingerprint, b.result.fingerprint);
  EXPECT_EQ(a.record->results_sha256(), b.record->results_sha256());
  const Ran other = run(kTen, {"server.rounds=50", "seed=4"});
  EXPECT_NE(a.result.fingerprint, other.result.fingerprint);
}

TEST(Rounds, DevicesThatAreOfflineJoinWhenTheyComeOnline) {
  const std::vector<std::string> diurnal{"devices.availability={name: diurnal, swing: 4}",
                                         "server.participants=all", "server.over_selection=1"};
  const Ran r = run(kTen, diurnal);
  bool somebody_joined_later = false;
  for (const AttemptRow& a : r.attempts()) {
    somebody_joined_later = somebody_joined_later || a.selected.ns > 0;
  }
  EXPECT_TRUE(somebody_joined_later);
  std::vector<std::string> impatient = diurnal;
  impatient.emplace_back("server.select_timeout=1 s");
  const Ran in_a_hurry = run(kTen, impatient);
  for (const AttemptRow& a : in_a_hurry.attempts()) {
    EXPECT_LE(a.selected.ns, 1'000'000'000);
  }
}

TEST(Rounds, AnEmptyBatteryEndsAnAttempt) {
  const Ran r = run(
      kTen, {"devices.population={budget-android: 1}", "devices.battery_start=0.0001",
             "training.compute_time=1 h", "server.participants=all", "server.over_selection=1"});
  EXPECT_EQ(count(r, Outcome::kAborted), 10);
  for (const AttemptRow& a : r.attempts()) {
    EXPECT_EQ(a.cause, Cause::kBattery);
    EXPECT_NEAR(a.battery_end, 0, 1e-12);
  }
}

TEST(Rounds, TooLittleChargeIsRefused) {
  const Ran r = run(kTen, {"devices.population={budget-android: 1}", "devices.battery_start=0.2",
                           "devices.min_battery=30%"});
  EXPECT_EQ(count(r, Outcome::kRefused), 10);
  for (const AttemptRow& a : r.attempts()) EXPECT_EQ(a.cause, Cause::kBattery);
}

TEST(Rounds, StopRulesEndTheRunAtTheFirstOneMet) {
  const Ran by_time = run(kTen, {"server.rounds=1000", "server.stop.virtual_time=60 s"});
  EXPECT_GE(to_seconds(by_time.rounds().back().virtual_time).value(), 60);
  EXPECT_LT(by_time.rounds().size(), 1000u);
  const Ran by_bytes =
      run(kTen, {"server.rounds=1000", "training.upload=1 MB", "server.stop.upload=100 MB"});
  Bytes up;
  for (const RoundRow& row : by_bytes.rounds()) up += row.bytes_up;
  EXPECT_GE(up.value(), 100'000'000);
  EXPECT_LT((up - by_bytes.rounds().back().bytes_up).value(), 100'000'000);
}

}  // namespace
}  // namespace skiff
