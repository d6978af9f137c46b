// Against goldens.txt, which make_goldens.py computed in double precision with numpy.
#include "tests/models/golden.h"

#include "tests/models/model_test.h"

namespace skiff {
namespace {

using testing::binary_task;
using testing::build;
using testing::classes_task;
using testing::list_of;
using testing::model;
using testing::random_vector;
using testing::Shard;

void expect_golden(const std::string& name, const Node& node, const TaskShape& task,
                   std::uint64_t seed, int rows, float scale) {
  const testing::Golden golden = testing::read_golden("goldens.txt", name);
  const auto network = build(node, task);
  ASSERT_EQ(network->layout()->size, golden.size);
  const Vector at = random_vector(network->layout(), seed, scale);
  FullWeights weights(at);
  const Shard shard(task, rows, seed + 100);
  Workspace workspace;
  std::vector<float> logits(golden.logits.size());
  network->predict(weights, shard.all(), logits, workspace);
  for (std::size_t i = 0; i < logits.size(); ++i) EXPECT_NEAR(logits[i], golden.logits[i], 2e-6);
  workspace.reset();
  EXPECT_NEAR(network->loss_and_gradient(weights, shard.all(), workspace), golden.loss, 1e-6);
  const std::vector<float>& gradient = weights.gradient().values;
  double squares = 0;
  for (const float g : gradient) squares += double{g} * g;
  EXPECT_NEAR(std::sqrt(squares), golden.norm, 1e-6 * golden.norm);
  ASSERT_EQ(golden.gradient.size(), (golden.size + golden.stride - 1) / golden.stride);
  for (std::size_t i = 0; i < golden.gradient.size(); ++i) {
    EXPECT_NEAR(gradient[i * golden.stride], golden.gradient[i], 1e-6) << i * golden.stride;
  }
}

Node cnn(const char* preset) { return model("cnn", {{"preset", Node::scalar(preset)}}); }
TaskShape image(int channels, int height, int width) {
  return {TaskKind::kClassification, channels * height * width, 10, channels, height, width};
}

TEST(GoldenTest, LogisticRegression) {
  expect_golden("logistic", model("logistic-regression"), classes_task(9, 5), 1, 6, 0.5F);
  expect_golden("wide-logistic", model("logistic-regression"), classes_task(4, 18), 2, 6, 0.5F);
  expect_golden("binary", model("logistic-regression", {{"l2", Node::scalar("0.25")}}),
                binary_task(8), 3, 6, 0.5F);
}

TEST(GoldenTest, Mlp) {
  const Node node = model("mlp", {{"hidden", list_of({"9", "6"})}, {"l2", Node::scalar("0.125")}});
  expect_golden("mlp", node, classes_task(7, 4), 4, 6, 0.5F);
}

TEST(GoldenTest, Cnn) {
  expect_golden("cnn-tiny", cnn("tiny"), image(3, 16, 19), 5, 3, 0.125F);
  expect_golden("cnn-small", cnn("small"), image(1, 20, 20), 6, 3, 0.125F);
  expect_golden("cnn-base", cnn("base"), image(1, 8, 10), 7, 3, 0.125F);
}

TEST(GoldenTest, Resnet) {
  const auto resnet = [](const std::vector<std::string>& widths, const char* blocks) {
    return model("resnet", {{"widths", list_of(widths)},
                            {"blocks", Node::scalar(blocks)},
                            {"groups", Node::scalar("2")}});
  };
  expect_golden("resnet-one", resnet({"4", "6"}, "1"), image(3, 7, 10), 8, 3, 0.5F);
  expect_golden("resnet-two", resnet({"8", "16", "32"}, "2"), image(1, 12, 12), 9, 3, 0.5F);
}

}  // namespace
}  // namespace skiff
