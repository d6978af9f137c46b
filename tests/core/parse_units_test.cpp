#include "sim/core/parse_units.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace skiff {
namespace {

double value(std::string_view text, Dimension dimension) {
  const Measure measure = parse_measure(text, dimension);
  EXPECT_EQ(measure.problem, "") << text;
  return measure.value;
}
std::string problem(std::string_view text, Dimension dimension, std::string_view example = "") {
  return parse_measure(text, dimension, example).problem;
}

TEST(ParseMeasureTest, UnitsMeanWhatTheySay) {
  EXPECT_EQ(value("8 GiB", Dimension::kBytes), 8589934592.0);
  EXPECT_EQ(value("8 GB", Dimension::kBytes), 8e9);
  EXPECT_EQ(value("0 B", Dimension::kBytes), 0);
  EXPECT_EQ(value("20 Mbps", Dimension::kRate), 2.5e6);
  EXPECT_EQ(value("20 MB/s", Dimension::kRate), 2e7);
  EXPECT_EQ(value("10 min", Dimension::kTime), 600);
  EXPECT_EQ(value("7 d", Dimension::kTime), 604800);
  EXPECT_EQ(value("2 kJ", Dimension::kEnergy), 2000);
  EXPECT_EQ(value("1 Wh", Dimension::kEnergy), 3600);
  EXPECT_EQ(value("250 mW", Dimension::kPower), 0.25);
  EXPECT_EQ(value("36 /h", Dimension::kHazard), 0.01);
  EXPECT_EQ(value("1.5 TFLOP/s", Dimension::kFlopRate), 1.5e12);
}

TEST(ParseMeasureTest, SpacesAndFormsOfNumbersDoNotMatter) {
  for (const char* text : {"8MB", " 8 MB ", "8  MB", "+8 MB", "8.0 MB", "0.8e1 MB", "8e0MB"}) {
    EXPECT_EQ(value(text, Dimension::kBytes), 8e6) << text;
  }
}

TEST(ParseMeasureTest, ABareNumberNeedsAUnit) {
  EXPECT_EQ(problem("20", Dimension::kBytes),
            "\"20\" needs a unit of bytes: B, kB, MB, GB, KiB, MiB, GiB; did you mean \"20 MB\"?");
  EXPECT_EQ(problem("10", Dimension::kTime, "min"),
            "\"10\" needs a unit of time: s, min, h, d; did you mean \"10 min\"?");
}

TEST(ParseMeasureTest, AnotherDimensionIsNamed) {
  EXPECT_EQ(problem("20 MB", Dimension::kTime),
            "\"20 MB\" is a number of bytes; expected a time such as \"10 min\"");
  EXPECT_EQ(problem("20 Mbps", Dimension::kBytes),
            "\"20 Mbps\" is a rate; expected bytes such as \"20 MB\"");
}

TEST(ParseMeasureTest, UnknownUnitsGetTheNearestOne) {
  EXPECT_EQ(problem("8 gb", Dimension::kBytes),
            "\"8 gb\": unknown unit; GB is 10^9 bytes, GiB 2^30");
  EXPECT_EQ(problem("8 mbps", Dimension::kRate),
            "\"8 mbps\": unknown unit \"mbps\"; did you mean \"Mbps\"?");
  EXPECT_EQ(problem("8 parsec", Dimension::kTime),
            "\"8 parsec\": unknown unit \"parsec\"; expected s, min, h, d");
}

TEST(ParseMeasureTest, WhatIsNoNumberIsRefused) {
  for (const char* text : {"", " ", "MB", "inf MB", "nan MB", "1e999 MB", "-", "+", "\xff\xfe"}) {
    EXPECT_NE(problem(text, Dimension::kBytes), "") << text;
  }
  for (const char* text : {"0x10 MB", "1_000 MB", "1,5 MB", "8 M B", "8 \xc3\xa9"}) {
    EXPECT_NE(problem(text, Dimension::kBytes), "") << text;
  }
}

TEST(ParseNumberTest, FollowsYaml12) {
  EXPECT_EQ(parse_number("1"), 1);
  EXPECT_EQ(parse_number("-2.5"), -2.5);
  EXPECT_EQ(parse_number("1e-3"), 1e-3);
  EXPECT_EQ(parse_number("+4"), 4);
  EXPECT_EQ(parse_number(".5"), 0.5);
  for (const char* text : {"", "-", "inf", "-inf", ".inf", "nan", "0x10", "1_000", "1 ", " 1",
                           "1e999", "10%", "ten", "+-1", "\xc3\xa9"}) {
    EXPECT_EQ(parse_number(text), std::nullopt) << text;
  }
}

TEST(PrintMeasureTest, TakesTheLargestUnitThatIsWhole) {
  EXPECT_EQ(print_measure(600, Dimension::kTime), "10 min");
  EXPECT_EQ(print_measure(90, Dimension::kTime), "90 s");
  EXPECT_EQ(print_measure(86400, Dimension::kTime), "1 d");
  EXPECT_EQ(print_measure(2.5e6, Dimension::kRate), "20 Mbps");
  EXPECT_EQ(print_measure(8e9, Dimension::kBytes), "8 GB");
  EXPECT_EQ(print_measure(0, Dimension::kBytes), "0 B");
  EXPECT_EQ(print_measure(2000, Dimension::kEnergy), "2 kJ");
}

// A stored configuration must give the same run again, to the last bit.
TEST(PrintMeasureTest, ReadsBackExactly) {
  const std::vector<std::pair<Dimension, std::vector<double>>> cases = {
      {Dimension::kBytes, {1, 1023, 1024, 1e3, 8589934592.0, 123456789, 1e15}},
      {Dimension::kTime, {1e-9, 0.3, 0.1, 0.7, 1.1, 1.0 / 3, 59.9, 3600, 12345.678, 5e-324}},
      {Dimension::kRate, {0.125, 1, 3e5, 1e6, 1234567.8, 1.0 / 3, 0.1}},
      {Dimension::kEnergy, {0.001, 0.3, 4.35, 41400, 1.0 / 7}},
      {Dimension::kPower, {1e-6, 0.0003, 0.7, 3.3, 1.0 / 3}},
      {Dimension::kHazard, {0.01, 1.0 / 3600, 0.02 / 3600, 1.0 / 86400, 3.0 / 60}},
      {Dimension::kFlopRate, {1, 1e9, 1.7e12, 1.0 / 3}}};
  for (const auto& [dimension, values] : cases) {
    for (const double v : values) {
      const std::string text = print_measure(v, dimension);
      EXPECT_EQ(value(text, dimension), v) << text;
    }
  }
  for (int i = 1; i < 10'000; ++i) {
    for (const double v : {i * 0.001, i * 0.1, i / 3600.0}) {
      for (const Dimension d : {Dimension::kTime, Dimension::kPower, Dimension::kHazard,
                                Dimension::kEnergy, Dimension::kRate}) {
        const std::string text = print_measure(v, d);
        ASSERT_EQ(value(text, d), v) << text;
      }
    }
  }
}

}  // namespace
}  // namespace skiff
