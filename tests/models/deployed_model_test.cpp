// What a real-size model costs, against counts by hand.
#include "algorithms/models/deployed_model.h"

#include <gmock/gmock.h>

#include <stdexcept>

#include "tests/models/checkpoint_fixture.h"

namespace skiff::testing {
namespace {

using ::testing::HasSubstr;

TaskShape text_task(int length, TaskKind kind = TaskKind::kNextToken) {
  TaskShape task;
  task.kind = kind;
  task.vocabulary = 512;
  task.sequence_length = length;
  if (kind == TaskKind::kClassification) task.classes = 8;
  return task;
}

TaskShape image_task() { return {TaskKind::kClassification, 3072, 10, 3, 32, 32}; }

TEST(DeployedModelTest, Llama3ForwardIsTwoOperationsAParameterAndAttention) {
  const auto model = deployed_model("llama-3-8b", text_task(128), false);
  EXPECT_EQ(model->layout()->size, 8'030'261'248u);
  const double products = 2.0 * (1'342'177'280 + 5'637'144'576 + 525'336'576) * 128;
  const double attention = 32 * 4.0 * (128 * 129 / 2.0) * 4096;
  EXPECT_DOUBLE_EQ(model->inference_cost(1).flops.value(), products + attention);
  EXPECT_DOUBLE_EQ(model->training_cost(2).flops.value(), 2 * (3 * products + 3.5 * attention));
}

TEST(DeployedModelTest, ATiedHeadCostsAsMuchAsItsOwn) {
  const auto model = deployed_model("mobilellm-125m", text_task(64), false);
  const double attention = 30 * 4.0 * (64 * 65 / 2.0) * 576;
  EXPECT_DOUBLE_EQ(model->inference_cost(1).flops.value(),
                   2.0 * (26'542'080 + 79'626'240 + 18'432'000) * 64 + attention);
}

TEST(DeployedModelTest, CheckpointingTradesActivationsForAForwardPass) {
  const TaskShape task = text_task(512);
  const StepCost plain = deployed_model("tinyllama-1.1b", task, false)->training_cost(4);
  const StepCost again = deployed_model("tinyllama-1.1b", task, true)->training_cost(4);
  EXPECT_LT(as_double(again.activations), 0.2 * as_double(plain.activations));
  EXPECT_NEAR(again.flops / plain.flops, 4.0 / 3, 0.03);
}

TEST(DeployedModelTest, AVisionTransformerReadsItsOwnPatches) {
  const auto model = deployed_model("vit-b-16", image_task(), false);
  EXPECT_NEAR(model->inference_cost(1).flops.value() / 35.2e9, 1, 0.01);  // 17.6 G multiply-adds
}

TEST(DeployedModelTest, BertBasePassesOverAFullTextAreKnown) {
  const auto model = deployed_model("bert-base", text_task(512, TaskKind::kClassification), false);
  const double products = 2.0 * 12 * (4 * 768 * 768 + 2 * 768 * 3072) * 512 + 2.0 * 768 * 768;
  EXPECT_DOUBLE_EQ(model->inference_cost(1).flops.value(), products + 12 * 4.0 * 512 * 512 * 768);
}

TEST(DeployedModelTest, EveryKnownModelHasFiniteGrowingCosts) {
  for (const KnownModel& known : known_models()) {
    const bool vision = known.name.starts_with("vit");
    const auto model = deployed_model(known.name, vision ? image_task() : text_task(64), false);
    EXPECT_THAT(model->summary(), HasSubstr(known.name));
    const StepCost one = model->training_cost(1), four = model->training_cost(4);
    EXPECT_GT(one.activations.value(), 0) << known.name;
    EXPECT_NEAR(four.flops / one.flops, 4, 1e-9) << known.name;
    EXPECT_LT(as_double(four.dram), 4 * as_double(one.dram)) << known.name;
    EXPECT_LT(as_double(model->inference_cost(1).activations), as_double(one.activations));
  }
}

std::string told(const std::string& name, const TaskShape& task) {
  try {
    deployed_model(name, task, false);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "fine";
}

TEST(DeployedModelTest, OtherTasksAreRefused) {
  EXPECT_THAT(told("llama-3-8b", image_task()),
              HasSubstr("reads text; the samples here are images"));
  EXPECT_THAT(told("vit-b-16", text_task(8)), HasSubstr("reads images; the samples here are text"));
  EXPECT_THAT(told("bert-base", text_task(513)),
              HasSubstr("has 512 positions; the samples have 513"));
}

TEST(DeployedModelTest, AnyConfigOfAFamilyIsAccepted) {
  const Folder folder;
  const std::string path = folder.write("config.json", find_known_model("phi-2")->config);
  EXPECT_EQ(deployed_model(path, text_task(16), false)->layout()->size, 2'779'683'840u);
}

}  // namespace
}  // namespace skiff::testing
