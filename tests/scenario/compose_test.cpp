// extends and --set: how one scenario is made from files and overrides.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/scenario/merge.h"
#include "sim/scenario/overrides.h"
#include "tests/scenario/scenario_test.h"

namespace skiff {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

Node read(const std::string& text) {
  std::vector<Problem> problems;
  Node node = parse_yaml(text, "a.yaml", problems);
  EXPECT_TRUE(problems.empty());
  return node;
}

std::string merged(const std::string& base, const std::string& over) {
  Node node = read(base);
  merge_top(node, read(over));
  strip_nulls(node);
  return to_flow_text(node);
}

std::string overridden(const std::string& base, const std::vector<std::string>& overrides) {
  Node node = read(base);
  std::vector<Problem> problems;
  apply_overrides(node, overrides, problems);
  for (const Problem& p : problems) ADD_FAILURE() << to_string(p);
  strip_nulls(node);
  return to_flow_text(node);
}

TEST(Merge, MapsKeyByKeyListsAsAWhole) {
  EXPECT_EQ(merged("{a: {b: 1, c: [1, 2]}, d: 4}", "{a: {c: [3], e: 5}}"),
            "{a: {b: 1, c: [3], e: 5}, d: 4}");
}
TEST(Merge, NullRemoves) {
  EXPECT_EQ(merged("{a: {b: 1, c: 2}, d: 4}", "{a: {b: null}, d:, x: null}"), "{a: {c: 2}}");
}
TEST(Merge, AChoiceOfAnotherKindReplacesTheOld) {
  EXPECT_EQ(merged("{t: {o: {name: sgd, momentum: 0.9}}}", "{t: {o: {name: adamw}}}"),
            "{t: {o: {name: adamw}}}");
  EXPECT_EQ(merged("{d: {source: mnist, path: x}}", "{d: {source: glyphs, clients: 3}}"),
            "{d: {source: glyphs, clients: 3}}");
  EXPECT_EQ(merged("{m: {architecture: mlp, hidden: [3]}}", "{m: {checkpoint: a.bin}}"),
            "{m: {checkpoint: a.bin}}");
}
TEST(Merge, AChoiceOfTheSameKindIsMerged) {
  EXPECT_EQ(merged("{o: {name: sgd, momentum: 0.9}}", "{o: {name: sgd, learning_rate: 1}}"),
            "{o: {name: sgd, momentum: 0.9, learning_rate: 1}}");
  EXPECT_EQ(merged("{o: {name: sgd, momentum: 0.9}}", "{o: {momentum: 0.5}}"),
            "{o: {name: sgd, momentum: 0.5}}");
}
TEST(Merge, TheNameOfAScenarioOpensNoChoice) {
  EXPECT_EQ(merged("{name: a, seed: 1}", "{name: b}"), "{name: b, seed: 1}");
}
TEST(Merge, SweepsKeepTheirNulls) {
  EXPECT_EQ(merged("{}", "{sweep: {cases: {none: {compression: null}}}}"),
            "{sweep: {cases: {none: {compression: null}}}}");
}

TEST(Overrides, SetAppendRemove) {
  EXPECT_EQ(overridden("{a: {b: 1}, l: [1]}", {"a.b=2", "+l=3", "+m=x", "c.d.e=[1, {f: g}]"}),
            "{a: {b: 2}, l: [1, 3], m: [x], c: {d: {e: [1, {f: g}]}}}");
  EXPECT_EQ(overridden("{a: {b: 1, c: 2}, d: 3}", {"~a.b", "d=null"}), "{a: {c: 2}}");
}
TEST(Overrides, AMapReplacesAMap) {
  EXPECT_EQ(overridden("{p: {scheme: dirichlet, alpha: 1, min_samples: 2}}",
                       {"p={scheme: dirichlet, alpha: 3}"}),
            "{p: {scheme: dirichlet, alpha: 3}}");
}
TEST(Overrides, AnotherKindEmptiesTheChoice) {
  EXPECT_EQ(overridden("{t: {o: {name: sgd, momentum: 0.9}}}", {"t.o.name=adamw"}),
            "{t: {o: {name: adamw}}}");
  EXPECT_EQ(overridden("{t: {o: {name: sgd, momentum: 0.9}}}", {"t.o.name=sgd"}),
            "{t: {o: {name: sgd, momentum: 0.9}}}");
}
TEST(Overrides, AreAppliedInTheirOrder) {
  EXPECT_EQ(overridden("{}", {"a=1", "a=2", "+b=1", "+b=2"}), "{a: 2, b: [1, 2]}");
}
TEST(Overrides, ReachTheScenario) {
  const Scenario s = parse(kGood, {"seed=11", "training.optimizer.learning_rate=0.5",
                                   "data.partition={scheme: shards, shards_per_client: 2}"});
  EXPECT_EQ(s.seed, 11);
  EXPECT_EQ(s.data.partition.name, "shards");
  EXPECT_EQ(s.overrides.size(), 3u);
}
TEST(Overrides, PointIntoTheirOwnText) {
  try {
    parse(kGood, {"server.rounds=4", "training.batch=many"});
    FAIL();
  } catch (const ScenarioError& error) {
    EXPECT_THAT(std::string(error.what()),
                StartsWith("--set: training.batch: expected a whole number or full, found "
                           "\"many\"\n    training.batch=many\n                   ^"));
  }
}

class ExtendsTest : public testing::Test {
 protected:
  ExtendsTest() : folder_(fs::temp_directory_path() / "skiff-extends-test") {
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "below");
    write("good.yaml", kGood);
  }
  ~ExtendsTest() override { fs::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  }

  fs::path folder_;
};

TEST_F(ExtendsTest, TakesWhatItDoesNotWrite) {
  const std::string file = write("b.yaml", "extends: good.yaml\nserver: {rounds: 9}\n");
  const Scenario s = load_scenario(file, {}, test_options());
  EXPECT_EQ(s.server.rounds, 9);
  EXPECT_EQ(s.server.participants, 20);
  EXPECT_EQ(s.name, "b");
}
TEST_F(ExtendsTest, TheBasesNameIsItsOwn) {
  write("named.yaml", std::string("name: base\n") + kGood);
  EXPECT_EQ(load_scenario(write("c.yaml", "extends: named.yaml\n"), {}, test_options()).name, "c");
}
TEST_F(ExtendsTest, GoesThroughSeveralFilesAndFolders) {
  write("below/b.yaml", "extends: ../good.yaml\nserver: {rounds: 9}\n");
  const std::string file = write("c.yaml", "extends: below/b.yaml\nseed: 3\n");
  const Scenario s = load_scenario(file, {}, test_options());
  EXPECT_EQ(s.server.rounds, 9);
  EXPECT_EQ(s.seed, 3);
}
TEST_F(ExtendsTest, FilesAreSoughtInTheDataFolderToo) {
  LoadOptions options = test_options();
  options.data_folder = folder_.string();
  const auto problems = problems_of("extends: good.yaml\nserver: {rounds: 9}\n", {},
                                    (folder_ / "below" / "c.yaml").string(), options);
  EXPECT_THAT(problems, ElementsAre());
}
TEST_F(ExtendsTest, MistakesPointIntoTheFileWhereTheyStand) {
  write("bad.yaml", "extends: good.yaml\nserver:\n  rounds: many\n");
  const std::string file = write("c.yaml", "extends: bad.yaml\nserver: {deadline: 5}\n");
  const auto problems = problems_of(read_text(file), {}, file);
  ASSERT_EQ(problems.size(), 2u);
  // The file that was asked for comes first, then what it stands on.
  EXPECT_THAT(problems[0], HasSubstr("c.yaml:2:20: server.deadline: \"5\" needs a unit of time"));
  EXPECT_THAT(problems[1], HasSubstr("bad.yaml:3:11: server.rounds: expected a whole number"));
}
TEST_F(ExtendsTest, MistakesOfAllFilesAndOverridesComeAtOnce) {
  write("bad.yaml", "extends: good.yaml\nserver:\n  rounds: many\ntraining: {bacth: 3}\n");
  const std::string file =
      write("c.yaml", "extends: bad.yaml\nserver: {deadline: 5, over_selection: 0.5}\n");
  const auto problems = problems_of(read_text(file), {"seed=-1", "data.test_fraction=2"}, file);
  ASSERT_EQ(problems.size(), 6u);
  EXPECT_THAT(problems[0], StartsWith("--set: seed: -1 is outside"));
  EXPECT_THAT(problems[1], StartsWith("--set: data.test_fraction: 2 is outside"));
  EXPECT_THAT(problems[2], HasSubstr("c.yaml:2:20: server.deadline: "));
  EXPECT_THAT(problems[3], HasSubstr("c.yaml:2:39: server.over_selection: 0.5 is outside 1..10"));
  EXPECT_THAT(problems[4], HasSubstr("bad.yaml:3:11: server.rounds: "));
  EXPECT_THAT(problems[5], HasSubstr("bad.yaml:4:12: training.bacth: unknown key; did you mean "
                                     "\"batch\"?"));
}
TEST_F(ExtendsTest, AtMostTwentyOfThemWhicheverFileTheyAreIn) {
  std::string base = "extends: good.yaml\n", own = "extends: bad.yaml\n";
  for (int i = 0; i < 15; ++i) base += "base" + std::to_string(i) + "x: 1\n";
  for (int i = 0; i < 15; ++i) own += "own" + std::to_string(i) + "x: 1\n";
  write("bad.yaml", base);
  const std::string file = write("c.yaml", own);
  const auto problems = problems_of(read_text(file), {"zzz=1"}, file);
  ASSERT_EQ(problems.size(), 20u);
  EXPECT_THAT(problems[0], StartsWith("--set: zzz: unknown key"));
  EXPECT_THAT(problems[1], HasSubstr("c.yaml:2:1: own0x: unknown key"));
  EXPECT_THAT(problems[19], HasSubstr("bad.yaml:5:1: base3x: unknown key"));
}
TEST_F(ExtendsTest, CirclesAreNamed) {
  write("a.yaml", "extends: b.yaml\n");
  const std::string file = write("b.yaml", "extends: below/../a.yaml\n");
  const auto problems = problems_of(read_text(file), {}, file);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_THAT(problems[0], HasSubstr("extends: comes back to itself: b.yaml -> a.yaml -> b.yaml"));
}

}  // namespace
}  // namespace skiff
