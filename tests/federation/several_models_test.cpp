// Architectures by tier under FedDF and FedMD: who trains what, what it weighs, what travels, what
// is recorded, and who cannot do with several.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "sim/record/summary.h"
#include "tests/federation/run_scenario.h"

namespace skiff {
namespace {

constexpr std::int64_t mlp_bytes(std::int64_t hidden) { return 4 * (795 * hidden + 10); }

std::string scenario(const std::string& compression) {
  return R"(
seed: 3
data:       {source: glyphs, clients: 16, samples_per_client: 150, partition: {scheme: dirichlet, alpha: 1}, server_samples: 400}
model:      {architecture: mlp, hidden: [32]}
devices:    {population: {pixel-8-pro: 50%, budget-android: 50%}, tiers: {high-end: 8 GB, low-end: 4 GB}}
server:     {protocol: synchronous, participants: 8, rounds: 12}
training:   {epochs: 2, batch: 10, optimizer: {name: sgd, learning_rate: 0.1}}
evaluation: {every: 3, metrics: [test_accuracy]}
compression: )" +
         compression;
}

std::string tiers(const std::string& low_end, const std::string& distillation) {
  return scenario("{planner: {name: tiers, plans: {low-end: {model: " + low_end + "}}}, " +
                  distillation + "}");
}

const char kSmall[] = "{architecture: mlp, hidden: [8]}";
const char kFedDf[] = "distillation: {name: feddf, steps: 60, batch: 32}";
const char kFedMd[] = "distillation: {name: fedmd, steps: 20, samples: 100}";

// What was uploaded, and the most RAM, by the tier that the profile's RAM makes.
struct Told {
  std::set<std::int64_t> uploads, peaks;
};
std::map<std::int64_t, Told> by_limit(const test::Ran& ran) {
  std::map<std::int64_t, Told> told;  // devices of more RAM have the greater limit
  for (const AttemptRow& a : ran.attempts()) {
    if (a.outcome != Outcome::kAccepted) continue;
    told[a.memory_limit.value()].uploads.insert(a.encoded_bytes.value());
    told[a.memory_limit.value()].peaks.insert(a.peak_memory.value());
  }
  return told;
}

// Of the second tier's model.
double tier_accuracy(const test::Ran& ran, std::uint32_t round) {
  for (const EvaluationRow& row : ran.record->evaluations()) {
    const bool tier = row.scope == EvaluationRow::Scope::kTier && row.entity == 1;
    if (tier && row.round == round && row.metric == "test_accuracy") return row.value;
  }
  return kNotMeasured;
}

TEST(SeveralModels, FedDfAveragesEachArchitectureAndTeachesAll) {
  const test::Ran ran = test::run(tiers(kSmall, kFedDf));
  const auto told = by_limit(ran);
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told.begin()->second.uploads, std::set<std::int64_t>{mlp_bytes(8)});
  EXPECT_EQ(told.rbegin()->second.uploads, std::set<std::int64_t>{mlp_bytes(32)});
  EXPECT_LT(*told.begin()->second.peaks.rbegin(), *told.rbegin()->second.peaks.begin());
  EXPECT_GT(ran.last("test_accuracy"), 0.3);
  EXPECT_GT(tier_accuracy(ran, 12), 0.3);
  EXPECT_NE(tier_accuracy(ran, 12), ran.last("test_accuracy"));
}

TEST(SeveralModels, FedMdSendsScoresWhateverTheArchitectureIs) {
  const test::Ran ran = test::run(tiers(kSmall, kFedMd));
  const auto told = by_limit(ran);
  ASSERT_EQ(told.size(), 2U);
  for (const auto& [limit, of] : told) {
    EXPECT_EQ(of.uploads, std::set<std::int64_t>{4 * 100 * 10});
  }
  EXPECT_LT(*told.begin()->second.peaks.rbegin(), *told.rbegin()->second.peaks.begin());
  EXPECT_GT(ran.last("test_accuracy"), 0.4);
  EXPECT_GT(tier_accuracy(ran, 12), 0.4);
}

// Tiers that name the scenario's own architecture go another way than tiers that name none only in
// that the server holds two models; tiers that name the same one share it.
TEST(SeveralModels, EqualNamesAreOneModel) {
  const Scenario one = parse_scenario(
      scenario("{planner: {name: tiers, plans: {high-end: {model: " + std::string(kSmall) +
               "}, low-end: {model: " + kSmall + "}}}, " + kFedDf + "}"),
      "test.yaml", {}, {.profiles = test::profiles()});
  const FederationSetup setup = assemble(one);
  EXPECT_EQ(setup.composition.models.size(), 2U);
  EXPECT_EQ(setup.composition.plans[0].model, 1U);
  EXPECT_EQ(setup.composition.plans[1].model, 1U);
}

std::string refusal(const std::string& text, const std::vector<std::string>& overrides = {}) {
  try {
    assemble(parse_scenario(text, "test.yaml", overrides, {.profiles = test::profiles()}));
  } catch (const ScenarioError& e) {
    return e.what();
  }
  return "";
}

TEST(SeveralModels, WhatDoesNotGoTogetherIsSaid) {
  using ::testing::HasSubstr;
  const std::string nobody = "communication: {name: fp16}";
  EXPECT_THAT(refusal(tiers(kSmall, nobody)), HasSubstr("different architectures have no mean"));
  EXPECT_THAT(refusal(scenario("{distillation: {name: progressive, members: 2, teacher: "
                               "{architecture: mlp, hidden: [8]}}}"),
                      {"training.heuristic=[participation]"}),
              HasSubstr("has no form for participants"));
  EXPECT_THAT(refusal(tiers("{architecture: mpl}", kFedDf)), HasSubstr("did you mean"));
  EXPECT_THAT(
      refusal(tiers(kSmall, std::string(kFedDf) + ", communication: {name: ef21, density: 0.1}")),
      HasSubstr("server half"));
}

// What is asked of the server's model is asked of tiers and prefixes as well.
TEST(SeveralModels, TrainingLossIsRecordedOfThemToo) {
  const auto rows = [](const std::string& text) {
    const test::Ran ran = test::run(text, {"evaluation.metrics=[train_loss, test_accuracy]",
                                           "server.participants=all", "server.rounds=9"});
    std::set<std::pair<EvaluationRow::Scope, std::string>> seen;
    for (const EvaluationRow& row : ran.record->evaluations()) seen.insert({row.scope, row.metric});
    return seen;
  };
  using Scope = EvaluationRow::Scope;
  EXPECT_TRUE(rows(tiers(kSmall, kFedDf)).count({Scope::kTier, "train_loss"}));
  const std::string ensemble =
      "{distillation: {name: progressive, members: 2, rounds_per_member: 2, attempts: 1, teacher: "
      "{architecture: mlp, hidden: [32]}}}";
  EXPECT_TRUE(rows(scenario(ensemble)).count({Scope::kPrefix, "train_loss"}));
}

// How the game went is a column of the run, and stands in its closing summary.
TEST(SeveralModels, TheGamesFiguresReachTheRecord) {
  const test::Ran ran = test::run(
      scenario("{distillation: {name: progressive, members: 2, rounds_per_member: 2, attempts: 1, "
               "teacher: {architecture: mlp, hidden: [32]}}}"),
      {"server.participants=all", "server.rounds=9"});
  EXPECT_EQ(ran.last("members"), 2);
  EXPECT_GE(ran.last("weak_members"), 0);
  EXPECT_GT(ran.last("certificate_share"), 0);
  EXPECT_LE(ran.last("certificate_share"), 1);
  EXPECT_THAT(summary_body(*ran.record), ::testing::HasSubstr("members 2, weak_members "));
}

// The best of what was seen is kept, so lessons never cost accuracy on the labels held out; and
// patience ends them: without it they find something better later, and one sample is held out of
// any share.
TEST(SeveralModels, EarlyStoppingKeepsTheBestAndStops) {
  const auto after = [](const std::string& keys) {
    const test::Ran ran =
        test::run(scenario("{distillation: {name: feddf, batch: 32, " + keys + "}}"));
    return ran.record->results_sha256();
  };
  const std::string stopping = "validation: 0.5, patience: 10, learning_rate: 0.1, ";
  const std::string rate = "learning_rate: 0.1, steps: 100";
  const std::string slow = "validation: 0.5, steps: 100, learning_rate: 0.01, ";
  EXPECT_NE(after(slow + "patience: 2"), after(slow + "patience: 50"));
  EXPECT_EQ(after("patience: 10, " + rate), after(rate)) << "nothing to be patient about";
  EXPECT_NE(after("validation: 0.0005, " + rate), after(rate));
  EXPECT_GT(
      test::run(scenario("{distillation: {name: feddf, batch: 32, " + stopping + "steps: 100}}"))
          .last("test_accuracy"),
      test::run(scenario("{distillation: {name: feddf, batch: 32, learning_rate: 0.1, "
                         "steps: 100}}"))
          .last("test_accuracy"));
}

}  // namespace
}  // namespace skiff
