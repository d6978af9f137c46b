#include "sim/live/event_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace skiff {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::size_t count(const std::string& text, const std::string& word) {
  std::size_t n = 0;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++n;
  return n;
}

std::string all_of(const EventLog& log, std::uint64_t next = 0, std::size_t piece = 4096) {
  std::string text;
  for (std::string more = log.since(next, piece); !more.empty(); more = log.since(next, piece)) {
    text += more;
  }
  return text;
}

TEST(EventLogTest, EventsComeInOrderOnceAndInPieces) {
  EventLog log;
  log.append("start", "{}");
  for (int i = 1; i <= 100; ++i) log.append("round", std::to_string(i));
  std::uint64_t next = 0;
  EXPECT_EQ(log.since(next, 1), "id: 0\nevent: start\ndata: {}\n\n");
  EXPECT_EQ(log.since(next, 1), "id: 1\nevent: round\ndata: 1\n\n");
  EXPECT_EQ(count(all_of(log, next), "event: round"), 99u);
  next = 101;
  EXPECT_EQ(log.since(next, 1000), "");
  log.append("end", "{}");
  EXPECT_EQ(log.since(next, 1000), "id: 101\nevent: end\ndata: {}\n\n");
}

TEST(EventLogTest, AnOverflowKeepsTheNewestAndTheFirst) {
  EventLog log;
  log.append("start", "{\"name\": \"long\"}");
  const std::size_t rounds = EventLog::kMost + 5000;
  for (std::size_t i = 1; i <= rounds; ++i) log.append("round", std::to_string(i));
  const std::string text = all_of(log);
  EXPECT_THAT(text, StartsWith("id: 0\nevent: start\ndata: {\"name\": \"long\"}\n\nid: 5001\n"));
  EXPECT_EQ(count(text, "event: start"), 1u);
  EXPECT_EQ(count(text, "event: round"), EventLog::kMost);
  EXPECT_THAT(text, HasSubstr("data: " + std::to_string(rounds) + "\n"));
}

TEST(EventLogTest, WhoFellBehindMissesEventsButGoesOn) {
  EventLog log;
  for (std::size_t i = 0; i <= EventLog::kMost + 10; ++i) log.append("round", std::to_string(i));
  std::uint64_t next = 3;
  EXPECT_THAT(log.since(next, 1), StartsWith("id: 11\n"));
  EXPECT_EQ(next, 12u);
}

TEST(EventLogTest, ANumberFromAnotherRunStartsOver) {
  EventLog log;
  log.append("start", "{}");
  std::uint64_t next = 999;
  EXPECT_THAT(log.since(next, 100), StartsWith("id: 0\n"));
}

TEST(EventLogTest, OneThreadWritesWhileOthersRead) {
  EventLog log;
  std::thread writer([&] {
    for (int i = 0; i < 30'000; ++i) log.append("round", std::to_string(i));
  });
  std::uint64_t next = 0;
  while (next < 30'000) {
    const std::uint64_t before = next;
    const std::string text = log.since(next, 2000);
    EXPECT_GE(next, before);
    EXPECT_LE(text.size(), 2100u);
  }
  writer.join();
  EXPECT_EQ(next, 30'000u);
}

}  // namespace
}  // namespace skiff
