#include "sim/core/reader.h"

#include <gtest/gtest.h>

#include <string>

namespace skiff {
namespace {

TEST(ReaderTest, ScopesMakeThePath) {
  Reader reader;
  {
    const Reader::Scope server(reader, "server");
    {
      const Reader::Scope tiers(reader, "tiers");
      const Reader::Scope third(reader, "[2]");
      EXPECT_EQ(reader.path(), "server.tiers[2]");
    }
    EXPECT_EQ(reader.path(), "server");
  }
  EXPECT_EQ(reader.path(), "");
}

TEST(ReaderTest, ProblemsCarryTheirSourceLine) {
  Reader reader([](const Location& where) { return "line " + std::to_string(where.line); });
  const Reader::Scope scope(reader, "seed");
  reader.problem({"a.yaml", 3, 2}, "required");
  ASSERT_EQ(reader.problems().size(), 1u);
  EXPECT_EQ(reader.problems()[0].source, "line 3");
  EXPECT_EQ(reader.problems()[0].path, "seed");
  EXPECT_FALSE(reader.ok());
}

TEST(ReaderTest, ThrowsAtMostTwentyInFileOrder) {
  Reader reader;
  EXPECT_NO_THROW(reader.throw_if_any());
  for (int i = 30; i > 0; --i) reader.problem({"a.yaml", i, 1}, "wrong " + std::to_string(i));
  try {
    reader.throw_if_any();
    FAIL();
  } catch (const ScenarioError& error) {
    ASSERT_EQ(error.problems().size(), 20u);
    EXPECT_EQ(error.problems().front().message, "wrong 1");
    EXPECT_EQ(error.problems().back().message, "wrong 20");
  }
}

}  // namespace
}  // namespace skiff
