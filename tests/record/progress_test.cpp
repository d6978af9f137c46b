#include "sim/record/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace skiff {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Style = Progress::Style;
using std::chrono::milliseconds;

// What a progress of `rounds` rounds, one each `step`, writes.
std::string written(Style style, std::uint32_t rounds, milliseconds step,
                    const std::string& note = {}) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* stream = ::open_memstream(&text, &size);
  Progress::Clock::time_point now{};
  {
    Progress progress(rounds, stream, style, now);
    for (std::uint32_t r = 1; r <= rounds; ++r) {
      now += step;
      progress.update(r, VirtualTime{r * 126'000'000'000}, note, now);
    }
  }
  std::fclose(stream);
  std::string result(text, size);
  std::free(text);
  return result;
}

std::size_t count(const std::string& text, char c) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), c));
}

TEST(ProgressTest, ALineEachTenthIntoAPipe) {
  const std::string text = written(Style::kLines, 60, milliseconds(500), "accuracy 0.9");
  EXPECT_EQ(count(text, '\n'), 10u);
  EXPECT_EQ(text.substr(0, text.find('\n')),
            "round 6/60 10%  12.6 min virtual  3.0 s  ETA 27 s  accuracy 0.9");
  EXPECT_THAT(text, HasSubstr("round 60/60 100%  2.1 h virtual  30 s  accuracy 0.9\n"));
  EXPECT_THAT(text, Not(HasSubstr("\033")));
  EXPECT_THAT(text, Not(HasSubstr("\r")));
}

TEST(ProgressTest, FewRoundsGiveFewLines) {
  EXPECT_EQ(count(written(Style::kLines, 3, milliseconds(1)), '\n'), 3u);
  EXPECT_EQ(count(written(Style::kLines, 10'000, milliseconds(1)), '\n'), 10u);
}

TEST(ProgressTest, AtMostFiveTimesASecondOnATerminal) {
  // 10 s at 1 ms a round: 50 updates, the first at once, the last for the end, one to clear.
  const std::string text = written(Style::kBar, 10'000, milliseconds(1));
  EXPECT_LE(count(text, '\r'), 53u);
  EXPECT_GE(count(text, '\r'), 48u);
}

TEST(ProgressTest, TheBarFitsTheTerminalAndGoesAway) {
  const std::string text = written(Style::kBar, 60, milliseconds(500), "accuracy 0.914");
  std::size_t begin = 0;
  for (std::size_t end; (end = text.find("\033[K", begin)) != std::string::npos; begin = end + 3) {
    EXPECT_LE(end - begin, 80u);
  }
  EXPECT_TRUE(text.ends_with("\r\033[K"));
  EXPECT_THAT(text, Not(HasSubstr("\033[32m")));
  EXPECT_THAT(written(Style::kColourBar, 60, milliseconds(500)), HasSubstr("\033[32m##"));
}

TEST(ProgressTest, QuietSaysNothing) {
  EXPECT_EQ(written(Style::kNone, 60, milliseconds(500)), "");
}

TEST(ProgressTest, APipeGetsLines) {
  std::FILE* file = std::tmpfile();
  EXPECT_EQ(Progress::style_for(file), Style::kLines);
  std::fclose(file);
}

TEST(ProgressTest, BarsOfARunThatIsOverOrHasNoRounds) {
  EXPECT_EQ(progress_bar(60, 60, VirtualTime{7'560'000'000'000}),
            "round 60/60 " + std::string(40, '#') + " 100%  2.1 h virtual");
  EXPECT_EQ(progress_bar(0, 0, VirtualTime{}, 4), "round 0/0 #### 100%  0.0 s virtual");
  EXPECT_EQ(progress_bar(1, 3, VirtualTime{}, 6), "round 1/3 ##.... 33%  0.0 s virtual");
}

}  // namespace
}  // namespace skiff
