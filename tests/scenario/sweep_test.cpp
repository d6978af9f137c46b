// Which runs a sweep stands for, what they are called, and what is said of mistakes in it.
#include "sim/scenario/sweep.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "tests/scenario/scenario_test.h"

namespace skiff {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kBase = R"(
seed: 9
data: {source: glyphs, clients: 10, partition: {scheme: iid}}
model: {architecture: logistic-regression}
devices: {population: {pixel-8-pro: 1}}
server: {protocol: synchronous, participants: 2, rounds: 1}
training: {epochs: 1, batch: 10, optimizer: {name: sgd, learning_rate: 0.1}}
)";

class SweepTest : public ::testing::Test {
 protected:
  std::string file(const std::string& text) {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    const auto folder = std::filesystem::path(::testing::TempDir()) / "sweep";
    std::filesystem::create_directories(folder);
    const auto path = folder / (std::string(info->name()) + ".yaml");
    std::ofstream(path) << text;
    return path.string();
  }
  static std::vector<std::string> labels(const std::string& name) {
    std::vector<std::string> all;
    for (const SweepRun& run : load_sweep_runs(name, {}, test_options())) {
      all.push_back(run.label + "#" + std::to_string(run.scenario.seed));
    }
    return all;
  }
  static Scenario load(const std::string& name, const SweepPoint& point) {
    LoadOptions options = test_options();
    options.point = point.changes;
    return load_scenario(name, {}, options);
  }
  static std::string refusal(const std::string& name) {
    try {
      load_sweep_runs(name, {}, test_options());
    } catch (const ScenarioError& error) {
      return error.what();
    }
    return "nothing was refused";
  }
};

TEST_F(SweepTest, CasesTimesGridTimesZipTimesSeeds) {
  const std::string name = file(std::string(kBase) + R"(
sweep:
  cases: {fedavg: {training.method: {name: fedavg}}, scaffold: {training.method: {name: scaffold}}}
  grid: {training.batch: [5, 10]}
  zip: {training.epochs: [1, 2], training.optimizer.learning_rate: [0.1, 0.05]}
  seeds: [1, 2]
)");
  const auto points = load_sweep(name);
  ASSERT_EQ(points.size(), 16u);
  EXPECT_EQ(points[0].label, "fedavg,batch=5,epochs=1,learning_rate=0.1");
  EXPECT_EQ(points[15].label, "scaffold,batch=10,epochs=2,learning_rate=0.05");
  std::set<std::string> folders;
  for (const SweepPoint& point : points) {
    const Scenario s = load(name, point);
    EXPECT_TRUE(s.sweep.empty());
    folders.insert(case_digest(s) + std::to_string(s.seed));
  }
  EXPECT_EQ(folders.size(), 16u);
  const Scenario last = load(name, points[15]);
  EXPECT_EQ(last.training.batch, 10);
  EXPECT_EQ(last.training.method.name, "scaffold");
}

TEST_F(SweepTest, SeedsAloneShareTheirDigest) {
  const std::string name = file(std::string(kBase) + "sweep: {seeds: [3, 4]}\n");
  const auto points = load_sweep(name);
  EXPECT_THAT(labels(name), ElementsAre("#3", "#4"));
  EXPECT_EQ(case_digest(load(name, points[0])), case_digest(load(name, points[1])));
  EXPECT_NE(load(name, points[0]).config_sha256, load(name, points[1]).config_sha256);
}

TEST_F(SweepTest, WithoutASweepThereIsOneRun) {
  EXPECT_THAT(labels(file(kBase)), ElementsAre("#9"));
}

TEST_F(SweepTest, LabelsAreFitForFoldersAndTellPointsApart) {
  const std::string name = file(std::string(kBase) + R"(
sweep:
  grid:
    compression.communication: [{name: top-k, density: 0.1, error_feedback: true}, {name: dense}]
    data.partition: [{scheme: iid}, {scheme: dirichlet, alpha: 0.3}]
)");
  EXPECT_THAT(labels(name), ElementsAre("communication=top-k-0.1-true,partition=iid#9",
                                        "communication=top-k-0.1-true,partition=dirichlet-0.3#9",
                                        "communication=dense,partition=iid#9",
                                        "communication=dense,partition=dirichlet-0.3#9"));
}

TEST_F(SweepTest, KeysOfTheSameLastNameAreWrittenLonger) {
  const std::string name = file(std::string(kBase) + R"(
sweep: {grid: {training.method.name: [fedavg], training.optimizer.name: [sgd]}}
)");
  EXPECT_THAT(labels(name), ElementsAre("method.name=fedavg,optimizer.name=sgd#9"));
}

TEST_F(SweepTest, NullTakesAKeyAway) {
  const std::string name = file(std::string(kBase) + R"(
evaluation: {every: 5}
sweep: {cases: {often: {evaluation.every: 1}, as-usual: {evaluation: null}}}
)");
  EXPECT_EQ(load(name, load_sweep(name)[1]).evaluation.every, 1);
}

TEST_F(SweepTest, AKeyMayBeWrittenInTheSweepAlone) {
  std::string text = kBase;
  text.replace(text.find("batch: 10, "), 11, "");
  const std::string name = file(text + "sweep: {grid: {training.batch: [5, 20]}}\n");
  EXPECT_EQ(load(name, load_sweep(name)[1]).training.batch, 20);
}

TEST_F(SweepTest, MistakesPointIntoTheSweep) {
  const std::string name = file(std::string(kBase) + R"(sweep:
  cases:
    good: {training.batch: 5}
    bad: {training.batch: many}
)");
  const std::string text = refusal(name);
  EXPECT_THAT(text, HasSubstr(":11:27: training.batch: "));
  EXPECT_THAT(text, HasSubstr("    bad: {training.batch: many}"));
  EXPECT_THAT(refusal(file(std::string(kBase) + "sweep: {grid: {training.btach: [1]}}\n")),
              HasSubstr("did you mean \"batch\"?"));
}

}  // namespace
}  // namespace skiff
