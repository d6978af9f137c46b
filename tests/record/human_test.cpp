#include "sim/record/human.h"

#include <gtest/gtest.h>

#include <clocale>

namespace skiff {
namespace {

TEST(HumanTest, Counts) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1560), "1,560");
  EXPECT_EQ(grouped(199210), "199,210");
  EXPECT_EQ(grouped(10'000'000), "10,000,000");
}

TEST(HumanTest, Bytes) {
  EXPECT_EQ(human(Bytes(0)), "0 B");
  EXPECT_EQ(human(Bytes(999)), "999 B");
  EXPECT_EQ(human(Bytes(1000)), "1.0 kB");
  EXPECT_EQ(human(Bytes(181'900'000)), "181.9 MB");
  EXPECT_EQ(human(Bytes(999'990'000)), "1.0 GB");  // never "1000.0 MB"
  EXPECT_EQ(human(Bytes(2'500'000'000'000)), "2.5 TB");
  EXPECT_EQ(human_short(Bytes(63'400'000)), "63 MB");
  EXPECT_EQ(human_short(Bytes(2'100'000'000)), "2.1 GB");
  EXPECT_EQ(human_short(Bytes(537'000'000)), "537 MB");
  EXPECT_EQ(human_short(Bytes(9'990'000)), "10 MB");
  EXPECT_EQ(human_short(Bytes(12)), "12 B");
}

TEST(HumanTest, Times) {
  EXPECT_EQ(human(Seconds(0)), "0.0 s");
  EXPECT_EQ(human(Seconds(38.2)), "38 s");
  EXPECT_EQ(human(Seconds(740)), "12.3 min");
  EXPECT_EQ(human(Seconds(7560)), "2.1 h");
  EXPECT_EQ(human(Seconds(86400 * 3.4)), "3.4 d");
  EXPECT_EQ(human(Seconds(1.0 / 0.0)), "never");
}

TEST(HumanTest, EnergiesAndMetrics) {
  EXPECT_EQ(human(Joules(0)), "0.0 J");
  EXPECT_EQ(human(Joules(31'700)), "31.7 kJ");
  EXPECT_EQ(human(Joules(5e6)), "5.0 MJ");
  EXPECT_EQ(human_metric(0.9142), "0.914");
  EXPECT_EQ(human_metric(12.345), "12.35");
  EXPECT_EQ(human_metric(0.0000213), "2.1e-05");
  EXPECT_EQ(human_metric(4321.6), "4322");
  EXPECT_EQ(human_metric(0), "0.000");
  EXPECT_EQ(human_metric(0.0 / 0.0), "-");
}

TEST(HumanTest, TheLocaleChangesNothing) {
  for (const char* locale : {"de_DE.UTF-8", "fr_FR.UTF-8", "C.UTF-8"}) {
    if (std::setlocale(LC_ALL, locale) == nullptr) continue;
    EXPECT_EQ(human(Bytes(181'900'000)), "181.9 MB") << locale;
    EXPECT_EQ(grouped(1560), "1,560") << locale;
  }
  std::setlocale(LC_ALL, "C");
}

TEST(HumanTest, LongLinesAreBrokenAtSpacesAndIndented) {
  EXPECT_EQ(wrapped("one two three", 80, 2), "one two three");
  EXPECT_EQ(wrapped("one two three", 8, 2), "one two\n  three");
  EXPECT_EQ(wrapped("  a bb ccc dddd", 8, 4), "  a bb\n    ccc\n    dddd");
  EXPECT_EQ(wrapped("unbreakable", 5, 2), "unbreakable");
  EXPECT_EQ(wrapped("entry one  entry two  entry three", 26, 2),
            "entry one  entry two\n  entry three");
}

}  // namespace
}  // namespace skiff
