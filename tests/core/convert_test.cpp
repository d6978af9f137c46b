#include "sim/core/convert.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "tests/core/node_text.h"

namespace skiff {
namespace {

// The value that `text` gives, or the problems that it makes.
template <class T>
struct Read {
  T value{};
  bool fine = false;
  std::string problems;
};
template <class T>
Read<T> read(std::string_view text, const Rules& rules = {}) {
  Read<T> result;
  Reader reader;
  result.fine = convert(parse_node(text), result.value, rules, reader);
  for (const Problem& p : reader.problems()) {
    result.problems += (result.problems.empty() ? "" : "\n") + to_string(p);
  }
  EXPECT_EQ(result.fine, reader.ok());
  return result;
}
template <class T>
std::string problem(std::string_view text, const Rules& rules = {}) {
  return read<T>(text, rules).problems;
}
template <class T>
T value(std::string_view text, const Rules& rules = {}) {
  const Read<T> result = read<T>(text, rules);
  EXPECT_EQ(result.problems, "") << text;
  return result.value;
}

TEST(ConvertTest, Booleans) {
  EXPECT_TRUE(value<bool>("true"));
  EXPECT_FALSE(value<bool>("false"));
  for (const char* text : {"yes", "on", "1", "True", "\"true\"", "[true]"}) {
    EXPECT_NE(problem<bool>(text), "") << text;
  }
}

TEST(ConvertTest, WholeNumbers) {
  EXPECT_EQ(value<int>("-7"), -7);
  EXPECT_EQ(value<int>("1e3"), 1000);
  EXPECT_EQ(value<std::int64_t>("9223372036854775807"), 9223372036854775807);
  EXPECT_EQ(value<std::int64_t>("9007199254740993"), 9007199254740993);
  EXPECT_EQ(problem<int>("1.5"), "test.yaml:1:1: expected a whole number, found \"1.5\"");
  EXPECT_EQ(problem<int>("\"10\""), "test.yaml:1:1: expected a whole number, found \"10\"");
  EXPECT_EQ(problem<int>("{a: 1}"), "test.yaml:1:1: expected a whole number, found a map");
  EXPECT_EQ(problem<int>("3000000000"),
            "test.yaml:1:1: 3000000000 is outside -2147483648..2147483647");
  EXPECT_NE(problem<std::int64_t>("9223372036854775808"), "");
  EXPECT_NE(problem<std::int64_t>("1e30"), "");
}

TEST(ConvertTest, Ranges) {
  EXPECT_EQ(value<int>("5", {.least = 1, .most = 5}), 5);
  EXPECT_EQ(problem<int>("6", {.least = 1, .most = 5}), "test.yaml:1:1: 6 is outside 1..5");
  EXPECT_EQ(problem<int>("0", {.least = 1}), "test.yaml:1:1: 0 is not 1 or more");
  EXPECT_EQ(problem<double>("0", {.least = 0, .above = true}), "test.yaml:1:1: 0 is not above 0");
  EXPECT_EQ(problem<Seconds>("-1 s", {.least = 0}), "test.yaml:1:1: \"-1 s\" is not 0 or more");
}

TEST(ConvertTest, Fractions) {
  const Rules fraction{.least = 0, .most = 1, .fraction = true};
  EXPECT_EQ(value<double>("0.15", fraction), 0.15);
  EXPECT_EQ(value<double>("15%", fraction), 0.15);
  EXPECT_EQ(value<double>("100%", fraction), 1);
  EXPECT_EQ(problem<double>("15", fraction),
            "test.yaml:1:1: 15 is outside 0..1; did you mean 15%?");
  EXPECT_EQ(problem<double>("150%", fraction).substr(0, 32), "test.yaml:1:1: 150% is outside 0");
  EXPECT_NE(problem<double>("15%"), "");
  EXPECT_NE(problem<double>("%", fraction), "");
}

TEST(ConvertTest, Words) {
  const Rules rules{.words = {"by-samples", "uniform"}};
  EXPECT_EQ(value<std::string>("uniform", rules), "uniform");
  EXPECT_EQ(problem<std::string>("unifrom", rules),
            "test.yaml:1:1: \"unifrom\" unknown; did you mean \"uniform\"? "
            "allowed: by-samples, uniform");
}

TEST(ConvertTest, MeasuresHaveTheirDimension) {
  EXPECT_EQ(value<Bytes>("8 GiB"), Bytes(8589934592));
  EXPECT_EQ(value<Bytes>("0.5 B"), Bytes(1));
  EXPECT_EQ(value<Seconds>("10 min"), Seconds(600));
  EXPECT_EQ(problem<Seconds>("20 MB"),
            "test.yaml:1:1: \"20 MB\" is a number of bytes; expected a time such as \"10 min\"");
  EXPECT_EQ(problem<Seconds>("[1 s]"), "test.yaml:1:1: expected a value with a unit, found a list");
}

TEST(ConvertTest, BytesThatNoInteger64HoldsAreRefused) {
  EXPECT_EQ(problem<Bytes>("1e9 TB"), "test.yaml:1:1: \"1e9 TB\" is too large");
  EXPECT_EQ(problem<Bytes>("-1e300 GB"), "test.yaml:1:1: \"-1e300 GB\" is too large");
  EXPECT_EQ(value<Bytes>("-5 B"), Bytes(-5));
}

TEST(ConvertTest, OptionalsHaveAWordForNone) {
  const Rules rules{.none_word = "all"};
  EXPECT_EQ(value<std::optional<int>>("all", rules), std::nullopt);
  EXPECT_EQ(value<std::optional<int>>("null", rules), std::nullopt);
  EXPECT_EQ(value<std::optional<int>>("4", rules), 4);
  EXPECT_EQ(problem<std::optional<int>>("every", rules),
            "test.yaml:1:1: expected a whole number or all, found \"every\"");
}

TEST(ConvertTest, ListsAndMapsReportEveryItem) {
  EXPECT_EQ(value<std::vector<int>>("[1, 2]"), (std::vector<int>{1, 2}));
  EXPECT_EQ(problem<std::vector<int>>("[1, x, y]"),
            "test.yaml:1:5: [1]: expected a whole number, found \"x\"\n"
            "test.yaml:1:8: [2]: expected a whole number, found \"y\"");
  EXPECT_EQ(problem<std::vector<int>>("1"),
            "test.yaml:1:1: expected a list such as [a, b], found \"1\"");
  using Shares = std::vector<std::pair<std::string, double>>;
  EXPECT_EQ(value<Shares>("{b: 1, a: 2}"), (Shares{{"b", 1}, {"a", 2}}));
  EXPECT_EQ(problem<Shares>("{b: x}"), "test.yaml:1:5: b: expected a number, found \"x\"");
}

TEST(ConvertTest, AFailedConversionLeavesTheValueAlone) {
  std::vector<int> numbers{7};
  Reader reader;
  EXPECT_FALSE(convert(parse_node("[1, x]"), numbers, {}, reader));
  EXPECT_EQ(numbers, std::vector<int>{7});
}

TEST(ConvertTest, Distributions) {
  using D = DistributionOf<Seconds>;
  const auto kind = [](std::string_view text) { return value<D>(text).distribution.kind; };
  EXPECT_EQ(kind("3 s"), Distribution::Kind::kConstant);
  EXPECT_EQ(kind("{lognormal: {median: 3 s, sigma: 0.6}}"), Distribution::Kind::kLognormal);
  EXPECT_EQ(kind("{exponential: {mean: 2 min}}"), Distribution::Kind::kExponential);
  EXPECT_EQ(kind("{uniform: [1 s, 2 s]}"), Distribution::Kind::kUniform);
  EXPECT_EQ(kind("{list: [1 s, 2 s, 3 s]}"), Distribution::Kind::kList);
  EXPECT_EQ(value<D>("{exponential: {mean: 2 min}}").distribution.a, 120);
}

TEST(ConvertTest, DistributionsSayWhatIsWrong) {
  using D = DistributionOf<Seconds>;
  for (const char* text :
       {"{lognormal: {median: 3 s}}", "{lognormal: {median: 3, sigma: 0.6}}", "{normal: 3 s}",
        "{lognormal: {median: 3 s, sigma: -1}}", "{uniform: [2 s, 1 s]}", "{uniform: [1 s]}",
        "{list: []}", "{exponential: 3 s}", "{exponential: {mean: 3 s, mode: 1 s}}", "[1 s]",
        "{uniform: [1 s, 2 s], list: [1 s]}", "3"}) {
    EXPECT_NE(problem<D>(text), "") << text;
  }
  EXPECT_EQ(problem<D>("{lognormal: {median: 3 s, sigma: 0.6, mu: 1}}"),
            "test.yaml:1:39: lognormal.mu: unknown key; allowed: median, sigma");
}

TEST(ConvertTest, PrintedValuesReadBack) {
  using D = DistributionOf<Seconds>;
  for (const char* text :
       {"3 s", "{lognormal: {median: 3 s, sigma: 0.6}}", "{uniform: [1 s, 2 min]}",
        "{exponential: {mean: 5 min}}", "{list: [1 s, 2 s]}"}) {
    EXPECT_EQ(print_value(value<D>(text)), text);
  }
  EXPECT_EQ(print_value(value<Bytes>("20 MB")), "20 MB");
  EXPECT_EQ(print_value(0.1), "0.1");
  EXPECT_EQ(print_value(std::vector<int>{1, 2}), "[1, 2]");
  EXPECT_EQ(print_value(true), "true");
}

TEST(ConvertTest, FilesAreSoughtInTheFolders) {
  const std::string folder = ::testing::TempDir();
  std::ofstream(folder + "/skiff_convert_test_train.bin") << "x";
  Reader reader({}, {"/nonexistent", folder});
  FilePath path;
  EXPECT_TRUE(convert(parse_node("skiff_convert_test_train.bin"), path, {}, reader));
  EXPECT_EQ(path.written, "skiff_convert_test_train.bin");
  EXPECT_TRUE(convert(parse_node("skiff_convert_test"), path, {}, reader));  // a stem
  EXPECT_FALSE(convert(parse_node("skiff_convert_tes"), path, {}, reader));
  ASSERT_EQ(reader.problems().size(), 1u);
  EXPECT_EQ(reader.problems()[0].message,
            "\"skiff_convert_tes\" not found; looked in /nonexistent and " + folder);
}

}  // namespace
}  // namespace skiff
