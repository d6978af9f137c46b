// What a step is said to take, against what it takes.
#include "tests/models/model_test.h"

namespace skiff {
namespace {

using testing::binary_task;
using testing::build;
using testing::classes_task;
using testing::differing;
using testing::image_task;
using testing::list_of;
using testing::model;
using testing::random_vector;
using testing::Shard;

struct Case {
  Node node;
  TaskShape task;
};

std::vector<Case> cases() {
  const Node two_nn = model("mlp", {{"hidden", list_of({"200", "200"})}});
  return {{two_nn, image_task(1, 28)},
          {two_nn, binary_task(50)},
          {model("mlp", {{"hidden", list_of({"64"})}}), classes_task(30, 100)},
          {model("mlp", {{"hidden", list_of({"12", "40", "8", "24"})}}), classes_task(9, 4)},
          {model("logistic-regression"), image_task(1, 28)},
          {model("logistic-regression"), binary_task(123)},
          {model("cnn", {{"preset", Node::scalar("small")}}), image_task(1, 28)},
          {model("cnn", {{"preset", Node::scalar("small")}}), image_task(3, 32)},
          {model("cnn", {{"preset", Node::scalar("base")}}), image_task(1, 28)},
          {model("resnet", {{"preset", Node::scalar("tiny")}}), image_task(3, 9, 30)}};
}

TEST(CostTest, ActivationBytesAreWhatTheWorkspaceTook) {
  for (const Case& c : cases()) {
    const auto network = build(c.node, c.task);
    SCOPED_TRACE(network->summary());
    for (const int batch : {1, 20, 100}) {
      const Shard shard(c.task, batch, 1);
      const Vector at(network->layout());
      FullWeights weights(at);
      Workspace training, inference;
      network->loss_and_gradient(weights, shard.all(), training);
      EXPECT_EQ(network->training_cost(batch).activations.value(),
                static_cast<std::int64_t>(training.peak_bytes()));
      network->evaluate(weights, shard.all(), inference);
      EXPECT_EQ(network->inference_cost(batch).activations.value(),
                static_cast<std::int64_t>(inference.peak_bytes()));
      training.reset();
      network->loss_and_gradient(weights, shard.all(), training);
      EXPECT_EQ(network->training_cost(batch).activations.value(),
                static_cast<std::int64_t>(training.peak_bytes()));
    }
  }
}

TEST(CostTest, FlopsAreTwoAMultiplyAddOfEveryProductTaken) {
  const auto network = build(cases()[0].node, cases()[0].task);
  const double first = 784 * 200, second = 200 * 200, head = 200 * 10;
  EXPECT_EQ(network->inference_cost(20).flops.value(), 2 * 20 * (first + second + head));
  // The first layer has no input gradient.
  EXPECT_EQ(network->training_cost(20).flops.value(), 2 * 20 * (2 * first + 3 * second + 3 * head));
  const auto linear = build(model("logistic-regression"), image_task(1, 28));
  EXPECT_EQ(linear->training_cost(7).flops.value(), 2 * 2 * 7 * 7840.0);
}

TEST(CostTest, ConvolutionsCountEveryTapOfEveryOutputPixel) {
  const auto network = build(model("cnn", {{"preset", Node::scalar("small")}}), image_task(1, 28));
  const double first = 24 * 24 * 25 * 8, second = 8 * 8 * 200 * 16, head = 256 * 10;
  EXPECT_EQ(network->inference_cost(20).flops.value(), 2 * 20 * (first + second + head));
  EXPECT_EQ(network->training_cost(20).flops.value(), 2 * 20 * (2 * first + 3 * second + 3 * head));
}

TEST(CostTest, AResidualNetworkTakesTheSameMemoryForAnyBatch) {
  const auto network =
      build(model("resnet", {{"preset", Node::scalar("small")}}), image_task(3, 32));
  EXPECT_EQ(network->training_cost(1).activations, network->training_cost(50).activations);
  // Six 3x3 convolutions a stage, the first of which may be strided; 1x1 shortcuts; the stem.
  const double one = 1024 * 9 * 16 * 16, stem = 1024 * 27 * 16, head = 640;
  const double half = 256 * 9 * 16 * 32, shortcut = 256 * 16 * 32;
  const double rest = 6 * one + 2 * (half + 5 * 2 * half + shortcut);
  EXPECT_EQ(network->inference_cost(2).flops.value(), 2 * 2 * (stem + rest + head));
  EXPECT_EQ(network->training_cost(2).flops.value(), 2 * 2 * (2 * stem + 3 * (rest + head)));
}

TEST(CostTest, TheTransposedMatrixIsThatOfTheLargestLayerAboveTheFirst) {
  const auto network = build(cases()[0].node, cases()[0].task);
  EXPECT_EQ(network->training_cost(20).scratch.value(), 4 * 200 * 200);
  const auto linear = build(model("logistic-regression"), image_task(1, 28));
  EXPECT_EQ(linear->training_cost(20).scratch.value(), 0);
}

TEST(CostTest, EachOperandOfEachProductIsMovedOnce) {
  const auto linear = build(model("logistic-regression"), classes_task(100, 10));
  EXPECT_EQ(linear->inference_cost(20).dram.value(), 4 * (20 * 100 + 100 * 10 + 20 * 10));
  EXPECT_EQ(linear->training_cost(20).dram.value(), 2 * linear->inference_cost(20).dram.value());
}

TEST(CostTest, NarrowedShapesCostLess) {
  const auto network = build(cases()[0].node, cases()[0].task);
  const auto narrow = build(model("mlp", {{"hidden", list_of({"120", "90"})}}), image_task(1, 28));
  EXPECT_EQ(network->training_cost(*narrow->layout(), 20).flops, narrow->training_cost(20).flops);
  EXPECT_EQ(network->training_cost(*narrow->layout(), 20).activations,
            narrow->training_cost(20).activations);
  // And they run: widths are read from the weights.
  const Shard shard(image_task(1, 28), 20, 1);
  const Vector at = random_vector(narrow->layout(), 1, 0.125F);
  FullWeights one(at), other(at);
  Workspace workspace;
  const double loss = network->loss_and_gradient(one, shard.all(), workspace);
  workspace.reset();
  EXPECT_EQ(loss, narrow->loss_and_gradient(other, shard.all(), workspace));
  EXPECT_EQ(differing(one.gradient().values, other.gradient().values), 0u);
}

}  // namespace
}  // namespace skiff
