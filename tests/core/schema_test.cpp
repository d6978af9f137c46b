#include "sim/core/schema.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/core/node_text.h"

namespace skiff {

struct Inner {
  int depth = 2;
};
struct Outer {
  double rate = 0;
  int rounds = 10;
  std::optional<int> samples;
  Seconds deadline{60};
  double share = 0.5;
  std::string weighting = "uniform";
  Inner inner;
};
template <>
Schema<Inner> schema() {
  Schema<Inner> s;
  s.field("depth", &Inner::depth, "how deep").in(1, 4);
  return s;
}
template <>
Schema<Outer> schema() {
  Schema<Outer> s;
  s.field("rate", &Outer::rate, "step size").required("by sgd").above(0);
  s.field("rounds", &Outer::rounds, "how many").at_least(0);
  s.field("samples", &Outer::samples, "of the test set").at_least(1).or_word("all");
  s.field("deadline", &Outer::deadline, "when to stop waiting").unit("min");
  s.field("share", &Outer::share, "of clients").fraction();
  s.field("weighting", &Outer::weighting, "of updates").one_of({"uniform", "by-samples"});
  s.section("inner", &Outer::inner, schema<Inner>(), "a map of its own");
  s.check([](const Outer& o, const Node& map, Reader& reader) {
    if (o.rounds == 13) reader.problem(map.where, "13 rounds bring bad luck");
  });
  return s;
}

namespace {

std::vector<std::string> problems(std::string_view text, Outer* out = nullptr,
                                  const std::vector<std::string>& taken = {}) {
  Outer values;
  Reader reader;
  schema<Outer>().read(parse_node(text), values, reader, taken);
  if (out != nullptr) *out = values;
  std::vector<std::string> lines;
  for (const Problem& p : reader.problems()) lines.push_back(to_string(p));
  return lines;
}
using Lines = std::vector<std::string>;

TEST(SchemaTest, ReadsWhatIsWrittenAndKeepsOtherDefaults) {
  Outer o;
  EXPECT_EQ(problems("{rate: 0.1, samples: 5, deadline: 2 min, share: 15%, inner: {depth: 3}}", &o),
            Lines());
  EXPECT_EQ(o.rate, 0.1);
  EXPECT_EQ(o.rounds, 10);
  EXPECT_EQ(o.samples, 5);
  EXPECT_EQ(o.deadline, Seconds(120));
  EXPECT_EQ(o.share, 0.15);
  EXPECT_EQ(o.inner.depth, 3);
}

TEST(SchemaTest, AllMistakesAtOnceEachWithItsPath) {
  EXPECT_EQ(
      problems("{rounds: -1, deadline: 10, share: 15, weighting: uniforn, inner: {depth: 9}}"),
      (Lines{"test.yaml:1:1: rate: required by sgd", "test.yaml:1:10: rounds: -1 is not 0 or more",
             ("test.yaml:1:24: deadline: \"10\" needs a unit of time: s, min, h, d; "
              "did you mean \"10 min\"?"),
             "test.yaml:1:35: share: 15 is outside 0..1; did you mean 15%?",
             ("test.yaml:1:50: weighting: \"uniforn\" unknown; did you mean \"uniform\"? "
              "allowed: uniform, by-samples"),
             "test.yaml:1:74: inner.depth: 9 is outside 1..4"}));
}

TEST(SchemaTest, UnknownKeysNameTheNearest) {
  EXPECT_EQ(problems("{rate: 1, ruonds: 3}"),
            Lines{"test.yaml:1:11: ruonds: unknown key; did you mean \"rounds\"? "
                  "allowed: rate, rounds, samples, deadline, share, weighting, inner"});
  EXPECT_EQ(problems("{rate: 1, inner: {width: 3}}"),
            Lines{"test.yaml:1:19: inner.width: unknown key; allowed: depth"});
  EXPECT_EQ(problems("{rate: 1, name: sgd}", nullptr, {"name"}), Lines());
}

TEST(SchemaTest, WhatIsNoMapIsRefused) {
  EXPECT_EQ(problems("[1]"), Lines{"test.yaml:1:1: expected a map, found a list"});
  EXPECT_EQ(problems("{rate: 1, inner: 3}"),
            Lines{"test.yaml:1:18: inner: expected a map, found \"3\""});
}

TEST(SchemaTest, ChecksRunOnlyOnWhatWasReadWithoutError) {
  EXPECT_EQ(problems("{rate: 1, rounds: 13}"), Lines{"test.yaml:1:1: 13 rounds bring bad luck"});
  EXPECT_EQ(problems("{rate: x, rounds: 13}").size(), 1u);
}

TEST(SchemaTest, NoneIsAWordOrNull) {
  Outer o;
  EXPECT_EQ(problems("{rate: 1, samples: all}", &o), Lines());
  EXPECT_EQ(o.samples, std::nullopt);
  EXPECT_EQ(problems("{rate: null}"), Lines{"test.yaml:1:1: rate: required by sgd"});
}

TEST(SchemaTest, PrintedValuesReadBack) {
  Outer o;
  ASSERT_EQ(problems("{rate: 0.1, deadline: 2 min, share: 15%}", &o), Lines());
  const std::string text = schema<Outer>().print(o);
  EXPECT_EQ(text,
            "{rate: 0.1, rounds: 10, samples: all, deadline: 2 min, share: 0.15, "
            "weighting: uniform, inner: {depth: 2}}");
  Outer again;
  EXPECT_EQ(problems(text, &again), Lines());
  EXPECT_EQ(schema<Outer>().print(again), text);
}

TEST(SchemaTest, DescribesItsFields) {
  const std::vector<FieldInfo> fields = schema<Outer>().describe();
  ASSERT_EQ(fields.size(), 7u);
  EXPECT_EQ(fields[0].name, "rate");
  EXPECT_TRUE(fields[0].required);
  EXPECT_EQ(fields[0].default_text, "");
  EXPECT_EQ(fields[1].type, "int");
  EXPECT_EQ(fields[1].default_text, "10");
  EXPECT_EQ(fields[2].default_text, "all");
  EXPECT_EQ(fields[3].type, "time");
  EXPECT_EQ(fields[4].type, "fraction");
  ASSERT_EQ(fields[6].children.size(), 1u);
  EXPECT_EQ(fields[6].children[0].name, "depth");
}

}  // namespace
}  // namespace skiff
