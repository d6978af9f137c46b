// What people see at the end of a run, line by line.
#include "sim/record/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "sim/record/memory_recorder.h"
#include "tests/record/sample_run.h"

namespace skiff {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A handful of rows with round figures.
void fill(Recorder& recorder) {
  const auto attempt = [&](std::uint32_t device, Outcome outcome, Cause cause) {
    AttemptRow row;
    row.device = device;
    row.outcome = outcome;
    row.cause = cause;
    row.bytes_down = Bytes(2'000'000);
    row.bytes_up = Bytes(1'500'000);
    row.energy = {Joules(600), Joules(900), Joules(10), Joules(40)};
    row.peak_memory = Bytes(63'000'000);
    row.memory_limit = Bytes(sample::kClasses[recorder.info().class_of_device[device]].limit);
    recorder.add(row);
  };
  for (int i = 0; i < 1000; ++i) attempt(0, Outcome::kAccepted, Cause::kNone);
  for (int i = 0; i < 30; ++i) attempt(100, Outcome::kLate, Cause::kDeadline);
  for (int i = 0; i < 9; ++i) attempt(199, Outcome::kRefused, Cause::kRam);
  for (int i = 0; i < 2; ++i) attempt(199, Outcome::kRefused, Cause::kTier);
  attempt(199, Outcome::kAborted, Cause::kCrash);
  for (std::uint32_t r = 1; r <= 60; ++r) {
    RoundRow row{.round = r, .virtual_time = VirtualTime{r * 126'000'000'000}};
    row.metrics = {{"test_accuracy", r == 57 ? 0.9184 : 0.914 * r / 60}};
    row.wall_time = Seconds(r * 38.0 / 60);
    recorder.add(row);
  }
  sample::devices(recorder);
}

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> list;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) list.push_back(line);
  return list;
}

TEST(SummaryTest, ReadsAsPromised) {
  MemoryRecorder recorder(sample::info());
  fill(recorder);
  recorder.finish({RunStatus::kOk, "5d1c09e2aabbccdd"});
  EXPECT_EQ(summary_header(recorder.info()),
            "quickstart  seed 7  mlp, 199,210 parameters  200 devices  synchronous, 20 of 26");
  EXPECT_EQ(summary_body(recorder),
            "round 60/60 ######################################## 100%  2.1 h virtual  38 s\n"
            "  accuracy   final 0.914   best 0.918 (round 57)   0.900 at round 57, 2.0 h\n"
            "  bytes      down 2.1 GB   up 1.6 GB, of that 63.0 MB for nothing (late,\n"
            "             refused, aborted)\n"
            "  energy     1.6 MJ: compute 0.6, radio 0.9, flash 0.0, idle 0.0\n"
            "  attempts   1,042: accepted 1,000, late 30, refused 11 (ram 9, tier 2),\n"
            "             aborted 1 (crash)\n"
            "\n"
            "  class           devices  accepted  late  refused  aborted  peak RAM     limit\n"
            "  iphone-15-pro        30     1,000     0        0        0     63 MB    2.1 GB\n"
            "  pixel-8-pro          30         0     0        0        0         -    3.2 GB\n"
            "  budget-android      100         0    30        0        0     63 MB    537 MB\n"
            "  iot-sensor           40         0     0       11        1     63 MB     54 MB\n");
  EXPECT_EQ(summary_tail(recorder, "results/quickstart", 6),
            "results/quickstart: run.h5, 6 figures   fingerprint 5d1c09e2   results " +
                recorder.results_sha256().substr(0, 8) +
                "\n"
                "neutral defaults: method fedavg, weighting by-samples, memory limit background\n");
  EXPECT_THAT(summary_tail(recorder, "x", std::nullopt), Not(HasSubstr("figure")));
}

TEST(SummaryTest, FitsEightyColumns) {
  MemoryRecorder recorder(sample::info());
  sample::fill(recorder);
  recorder.finish({RunStatus::kInterrupted, "5d1c09e2aabbccdd"});
  const std::string all = summary_header(recorder.info()) + "\n" + summary_body(recorder) +
                          summary_tail(recorder, "results/quickstart", 6);
  for (const std::string& line : lines(all)) EXPECT_LE(line.size(), 92u) << line;
  for (const std::string& line : lines(all)) {
    if (line.starts_with("round ")) continue;  // the word "interrupted" hangs over
    EXPECT_LE(line.size(), 80u) << line;
  }
  EXPECT_THAT(all, HasSubstr("interrupted"));
}

TEST(SummaryTest, HeuristicsAreAlwaysNamed) {
  RunInfo info = sample::info();
  info.heuristics = {"optimizer", "participation"};
  info.case_name = "scaffold";
  EXPECT_EQ(lines(summary_header(info))[0].substr(0, 19), "quickstart/scaffold");
  EXPECT_THAT(summary_header(info), HasSubstr("heuristic (optimizer, participation): "));
}

TEST(SummaryTest, TheTargetOfTheScenarioIsTheOneToReach) {
  for (const double target : {0.5, 0.99}) {
    RunInfo info = sample::info();
    info.target = {"test_accuracy", target};
    NullRecorder recorder(info);
    fill(recorder);
    recorder.finish({});
    EXPECT_THAT(summary_body(recorder),
                HasSubstr(target == 0.5 ? "0.500 at round 33, 1.2 h" : "0.990 not reached"));
  }
}

TEST(SummaryTest, SmallerIsBetterForLossesAndPerplexity) {
  RunInfo info = sample::info();
  info.metrics = {"test_loss", "perplexity"};
  NullRecorder recorder(info);
  for (std::uint32_t r = 1; r <= 3; ++r) {
    RoundRow row{.round = r};
    row.metrics = {{"perplexity", r == 2 ? 12.5 : 20.0}};
    recorder.add(row);
  }
  recorder.finish({});
  EXPECT_THAT(summary_body(recorder), HasSubstr("perplexity final 20.00   best 12.50 (round 2)\n"));
}

TEST(SummaryTest, NothingMeasuredNothingClaimed) {
  RunInfo info = sample::info(200, 0);
  info.neutral_defaults.clear();
  NullRecorder recorder(info);
  recorder.finish({});
  const std::string body = summary_body(recorder);
  EXPECT_THAT(body, Not(HasSubstr("accuracy")));
  EXPECT_THAT(body, Not(HasSubstr("for nothing")));
  EXPECT_THAT(body, HasSubstr("attempts   0: accepted 0, late 0, refused 0, aborted 0"));
  EXPECT_EQ(lines(summary_tail(recorder, "x", 0)).size(), 1u);
}

TEST(SummaryTest, JsonHasTheSameFigures) {
  MemoryRecorder recorder(sample::info());
  fill(recorder);
  recorder.finish({RunStatus::kOk, "5d1c09e2aabbccdd"});
  const auto json = summary_json(recorder);
  EXPECT_EQ(json["metrics"]["test_accuracy"]["best_round"], 57);
  EXPECT_EQ(json["attempts"]["refused"]["causes"]["ram"], 9);
  EXPECT_EQ(json["classes"][2]["late"], 30);
  EXPECT_EQ(json["bytes"]["down"], 2'084'000'000);
  EXPECT_EQ(json["status"], "ok");
}

}  // namespace
}  // namespace skiff
