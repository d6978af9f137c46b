#include "sim/live/live_sweep.h"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "sim/live/event_log.h"

namespace skiff {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

RunNews news(std::uint32_t job, std::uint32_t round, std::uint32_t rounds, double value = 0.5) {
  RunNews news;
  news.job = job;
  news.round = round;
  news.rounds = rounds;
  news.value = value;
  return news;
}

// How many events a sweep of so many runs makes at most, each with every event that it can have.
std::size_t events(std::uint32_t runs, std::uint32_t rounds) {
  LiveThinning thinning(runs);
  std::size_t n = 2;  // start and end
  for (std::uint32_t job = 0; job < runs; ++job) {
    n += 2;
    for (std::uint32_t round = 1; round <= rounds; ++round) {
      n += thinning.wants(news(job, round, rounds));
    }
  }
  return n;
}

TEST(LiveSweepTest, ALargeSweepFitsIntoTheLog) {
  EXPECT_LT(events(20, 5000), EventLog::kMost);
  EXPECT_LT(events(400, 5000), EventLog::kMost);
  EXPECT_LT(events(4000, 300), EventLog::kMost);
}

TEST(LiveSweepTest, AShortRunIsShownWhole) { EXPECT_EQ(events(1, 50), 2 + 2 + 50u); }

TEST(LiveSweepTest, RoundsThatWereNotEvaluatedSayNothingButTheLastOne) {
  LiveThinning thinning(1);
  EXPECT_TRUE(thinning.wants(news(0, 1, 100)));
  EXPECT_FALSE(thinning.wants(news(0, 2, 100, kNaN)));
  EXPECT_TRUE(thinning.wants(news(0, 3, 100)));
  EXPECT_TRUE(thinning.wants(news(0, 100, 100, kNaN)));
}

TEST(LiveSweepTest, ARunThatIsDoneAgainSpeaksFromItsStart) {
  LiveThinning thinning(1);
  EXPECT_TRUE(thinning.wants(news(0, 80, 100)));
  EXPECT_FALSE(thinning.wants(news(0, 50, 100)));
  EXPECT_TRUE(thinning.wants(news(0, 1, 100)));
  EXPECT_TRUE(thinning.wants(news(0, 50, 100)));
}

TEST(LiveSweepTest, EventsAreOneLineOfJson) {
  const std::string start = live_sweep_start("a \"b\"\n", {{"top-k,batch=5", 3, "waiting"}});
  EXPECT_EQ(start.find('\n'), std::string::npos);
  const auto json = nlohmann::json::parse(start);
  EXPECT_EQ(json["name"], "a \"b\"\n");
  EXPECT_EQ(json["runs"][0]["seed"], 3);
  const auto point = nlohmann::json::parse(live_sweep_point(news(7, 2, 9, kNaN), 1.5));
  EXPECT_EQ(point["run"], 7);
  EXPECT_TRUE(point["value"].is_null());
  // What a run printed last may be cut in the middle of a letter.
  const auto run = nlohmann::json::parse(live_sweep_run(1, "failed", 2.0, "bad \xc3"));
  EXPECT_EQ(run["state"], "failed");
}

}  // namespace
}  // namespace skiff
