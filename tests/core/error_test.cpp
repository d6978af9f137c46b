#include "sim/core/error.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace skiff {
namespace {

Problem problem(Location where, std::string path, std::string message, std::string source = "") {
  return {std::move(where), std::move(path), std::move(message), std::move(source)};
}

TEST(ErrorTest, AProblemSaysWherePathAndWhat) {
  EXPECT_EQ(to_string(problem({"a.yaml", 4, 15}, "server.rounds", "required")),
            "a.yaml:4:15: server.rounds: required");
  EXPECT_EQ(to_string(problem({"a.yaml", 0, 0}, "", "not found")), "a.yaml: not found");
  EXPECT_EQ(to_string(problem({}, "server.rounds", "required")), "server.rounds: required");
}

TEST(ErrorTest, TheCaretStandsUnderTheColumn) {
  EXPECT_EQ(to_string(problem({"a.yaml", 2, 9}, "seed", "no number", "seed:   x")),
            "a.yaml:2:9: seed: no number\n"
            "    seed:   x\n"
            "            ^");
}

TEST(ErrorTest, AScenarioErrorHoldsAllProblems) {
  const ScenarioError error(
      {problem({"a.yaml", 1, 1}, "a", "one"), problem({"a.yaml", 2, 1}, "b", "two")});
  EXPECT_EQ(error.problems().size(), 2u);
  EXPECT_STREQ(error.what(), "a.yaml:1:1: a: one\na.yaml:2:1: b: two");
}

TEST(ErrorTest, ADataErrorNamesFileAndOffset) {
  EXPECT_STREQ(DataError("t10k", 16, "expected 784 bytes, found 3").what(),
               "t10k: byte 16: expected 784 bytes, found 3");
  EXPECT_STREQ(DataError("t10k", "empty").what(), "t10k: empty");
}

TEST(ErrorTest, AFailedCheckIsALogicErrorThatNamesThePlace) {
  const int two = 2;
  EXPECT_NO_THROW(SKIFF_CHECK(two == 2, "fine"));
  try {
    SKIFF_CHECK(two == 3, "two is not three");
    FAIL();
  } catch (const std::logic_error& error) {
    const std::string what = error.what();
    EXPECT_NE(what.find("error_test.cpp"), std::string::npos) << what;
    EXPECT_NE(what.find("two is not three"), std::string::npos) << what;
    EXPECT_NE(what.find("two == 3"), std::string::npos) << what;
  }
}

TEST(NearestWordTest, FindsSlipsOfTheKeyboard) {
  const std::vector<std::string> words{"participants", "rounds", "deadline", "top-k", "random-k"};
  EXPECT_EQ(nearest_word("participant", words), "participants");
  EXPECT_EQ(nearest_word("particpants", words), "participants");
  EXPECT_EQ(nearest_word("ruonds", words), "rounds");  // two letters swapped: one edit
  EXPECT_EQ(nearest_word("dead_line", words), "deadline");
  EXPECT_EQ(nearest_word("topk", words), "top-k");
  EXPECT_EQ(nearest_word("TopK", words), "top-k");
  EXPECT_EQ(nearest_word("ROUNDS", words), "rounds");
}

TEST(NearestWordTest, IsSilentWhenNothingIsNear) {
  EXPECT_EQ(nearest_word("temperature", {"rounds", "deadline"}), "");
  EXPECT_EQ(nearest_word("", {"rounds"}), "");
  EXPECT_EQ(nearest_word("x", {}), "");
  EXPECT_EQ(nearest_word("ab", {"xy"}), "");
}

TEST(NearestWordTest, TakesTheNearestAndTheFirstAmongEquals) {
  EXPECT_EQ(nearest_word("layers", {"layer", "layers"}), "layers");
  EXPECT_EQ(nearest_word("bat", {"cat", "hat"}), "cat");
}

TEST(NearestWordTest, AcceptsAnyBytes) {
  EXPECT_EQ(nearest_word("r\xc3\xb6unds", {"rounds"}), "rounds");
  EXPECT_EQ(nearest_word("\xff\x80", {"rounds"}), "");
}

}  // namespace
}  // namespace skiff
