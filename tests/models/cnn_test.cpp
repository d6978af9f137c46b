#include <stdexcept>

#include "tests/models/sample_checks.h"

namespace skiff {
namespace {

using testing::build;
using testing::classes_task;
using testing::differing;
using testing::Entries;
using testing::expect_gradient;
using testing::image_task;
using testing::model;
using testing::problems;
using testing::random_vector;
using testing::Shard;

Node cnn(const std::string& preset, Entries more = {}) {
  more.insert(more.begin(), {"preset", Node::scalar(preset)});
  return model("cnn", std::move(more));
}

std::string refusal(const TaskShape& task, const std::string& preset) {
  try {
    build(cnn(preset), task);
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "";
}

TEST(CnnTest, ParameterCountsAreThePapers) {
  EXPECT_EQ(build(cnn("base"), image_task(1, 28))->summary(), "cnn, 1,663,370 parameters");
  EXPECT_EQ(build(cnn("small"), image_task(1, 28))->layout()->size, 5994u);
  EXPECT_EQ(build(cnn("small"), image_task(3, 32))->layout()->size, 7834u);
  EXPECT_EQ(build(cnn("tiny"), image_task(1, 28))->layout()->size, 2202u);
}

TEST(CnnTest, SlicesHaveTheirNamesAndShapes) {
  const auto network = build(cnn("base"), image_task(3, 32));
  const char* names[] = {"conv.0.weight", "conv.0.bias", "conv.1.weight", "conv.1.bias",
                         "fc.weight",     "fc.bias",     "output.weight", "output.bias"};
  const std::vector<Slice>& slices = network->layout()->slices;
  ASSERT_EQ(slices.size(), 8u);
  for (int i = 0; i < 8; ++i) EXPECT_EQ(slices[i].name, names[i]);
  EXPECT_EQ(slices[2].rows, 64);
  EXPECT_EQ(slices[2].cols, 5 * 5 * 32);
  EXPECT_EQ(slices[4].cols, 8 * 8 * 64);
}

TEST(CnnTest, GradientsAgreeWithCentralDifferences) {
  const struct {
    Node node;
    TaskShape task;
    std::size_t stride;
  } cases[] = {{cnn("tiny"), image_task(1, 16), 3},
               {cnn("tiny", {{"l2", Node::scalar("0.2")}}), image_task(2, 17, 4), 5},
               {cnn("small"), image_task(3, 16), 17},
               {cnn("base"), image_task(1, 5, 3), 499}};
  for (const auto& c : cases) {
    const auto network = build(c.node, c.task);
    SCOPED_TRACE(network->summary());
    expect_gradient(*network, random_vector(network->layout(), 22, 0.1875F),
                    Shard(c.task, 4, 2).all(), c.stride);
  }
}

TEST(CnnTest, FusedAndUnfusedStepsAgreeBitByBit) {
  const TaskShape task = image_task(3, 18);
  for (const char* preset : {"tiny", "small", "base"}) {
    const auto network = build(cnn(preset), task);
    const Shard shard(task, 24, 5);
    const Vector start = random_vector(network->layout(), 3, 0.125F);
    FullWeights fused(start), apart(start);
    Workspace workspace;
    fused.fuse_sgd(0.125F);
    for (int s = 0; s < 4; ++s) {
      workspace.reset();
      network->loss_and_gradient(fused, shard.batch(6 * s, 6), workspace);
      apart.clear_gradient();
      workspace.reset();
      network->loss_and_gradient(apart, shard.batch(6 * s, 6), workspace);
      const std::vector<float>& g = apart.gradient().values;
      std::vector<float>& w = apart.parameters().values;
      for (std::size_t i = 0; i < w.size(); ++i) w[i] = std::fma(-0.125F, g[i], w[i]);
    }
    EXPECT_EQ(differing(fused.parameters().values, apart.parameters().values), 0u) << preset;
    EXPECT_NE(differing(fused.parameters().values, start.values), 0u);
  }
}

TEST(CnnTest, EverySampleCountsAlone) {
  const TaskShape task = image_task(2, 16);
  const auto network = build(cnn("small"), task);
  expect_samples_count_alone(*network, random_vector(network->layout(), 3, 0.25F),
                             Shard(task, 5, 5), 1e-6);
}

TEST(CnnTest, EvaluationAgreesWithTraining) {
  const TaskShape task = image_task(1, 28);
  for (const char* preset : {"tiny", "small", "base"}) {
    const auto network = build(cnn(preset), task);
    expect_evaluation_agrees_with_training(*network, random_vector(network->layout(), 3, 0.125F),
                                           Shard(task, 12, 5));
  }
}

TEST(CnnTest, WrongTasksAreRefusedPlainly) {
  EXPECT_EQ(refusal(classes_task(784, 10), "small"),
            "cnn needs images; the samples of this task have no image shape");
  EXPECT_EQ(refusal(image_task(1, 15), "small"),
            "images of 15x15 pixels are too small for this cnn");
  EXPECT_EQ(refusal(image_task(1, 3), "base"), "images of 3x3 pixels are too small for this cnn");
  EXPECT_EQ(refusal(image_task(1, 28, 1), "base"),
            "a classifier needs at least 2 classes; this task has 1");
  EXPECT_EQ(refusal(image_task(1, 16), "tiny"), "");
  EXPECT_EQ(refusal(image_task(1, 4), "base"), "");
}

TEST(CnnTest, ThePresetIsTheUsersChoice) {
  EXPECT_EQ(problems<ModelFamily>(model("cnn")),
            "preset: required; write one of tiny, small, base\n");
  EXPECT_NE(problems<ModelFamily>(cnn("huge")), "");
}

}  // namespace
}  // namespace skiff
