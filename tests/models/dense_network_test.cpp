#include "tests/models/model_test.h"
#include "tests/models/reference_network.h"

namespace skiff {
namespace {

using testing::binary_task;
using testing::build;
using testing::classes_task;
using testing::differing;
using testing::expect_gradient;
using testing::list_of;
using testing::model;
using testing::random_vector;
using testing::ReferenceNetwork;
using testing::Shard;

constexpr float kRate = 0.05F;

// `steps` of training from `start`; the weights afterwards.
std::vector<float> train(const Architecture& network, const Vector& start, const Shard& shard,
                         int batch, int steps, bool fused) {
  FullWeights weights(start);
  Workspace workspace;
  if (fused) weights.fuse_sgd(kRate);
  for (int s = 0; s < steps; ++s) {
    weights.clear_gradient();
    workspace.reset();
    network.loss_and_gradient(weights, shard.batch(s * batch, batch), workspace);
    if (fused) continue;
    const std::vector<float>& g = weights.gradient().values;
    std::vector<float>& w = weights.parameters().values;
    for (std::size_t i = 0; i < w.size(); ++i) w[i] = std::fma(-kRate, g[i], w[i]);
  }
  return weights.parameters().values;
}

struct Case {
  std::vector<std::string> hidden;
  TaskShape task;
  int batch, steps;
};

std::shared_ptr<const Architecture> network_of(const Case& c) {
  return c.hidden.empty() ? build(model("logistic-regression"), c.task)
                          : build(model("mlp", {{"hidden", list_of(c.hidden)}}), c.task);
}

TEST(DenseNetworkTest, TrainingEqualsTheScalarLoopBitByBit) {
  const Case cases[] = {{{"200", "200"}, classes_task(784, 10), 20, 150},
                        {{"7", "5", "3"}, classes_task(11, 4), 3, 20},
                        {{"33"}, classes_task(5, 23), 1, 20},
                        {{}, classes_task(100, 10), 20, 40}};
  for (const Case& c : cases) {
    const auto network = network_of(c);
    const Shard shard(c.task, c.batch * c.steps, 5);
    const Vector start = random_vector(network->layout(), 9, 0.0625F);
    ReferenceNetwork reference(start);
    for (int s = 0; s < c.steps; ++s) reference.step(shard.batch(s * c.batch, c.batch), kRate);
    const std::vector<float> got = train(*network, start, shard, c.batch, c.steps, true);
    EXPECT_EQ(differing(got, reference.w.values), 0u) << network->summary();
    EXPECT_NE(differing(got, start.values), 0u);
  }
}

TEST(DenseNetworkTest, FusedAndUnfusedStepsAgreeBitByBit) {
  const Case cases[] = {{{"64", "200"}, classes_task(50, 10), 20, 30},
                        {{"16"}, classes_task(9, 40), 7, 30},
                        {{}, binary_task(30), 8, 30}};
  for (const Case& c : cases) {
    const auto network = network_of(c);
    const Shard shard(c.task, c.batch * c.steps, 5);
    const Vector start = random_vector(network->layout(), 3, 0.25F);
    EXPECT_EQ(differing(train(*network, start, shard, c.batch, c.steps, true),
                        train(*network, start, shard, c.batch, c.steps, false)),
              0u)
        << network->summary();
  }
}

TEST(DenseNetworkTest, GradientsAgreeWithCentralDifferences) {
  const TaskShape ten = classes_task(12, 10), many = classes_task(6, 20), two = binary_task(8);
  const std::pair<Node, TaskShape> cases[] = {
      {model("logistic-regression"), ten},
      {model("logistic-regression", {{"bias", Node::scalar("false")}}), many},
      {model("logistic-regression", {{"l2", Node::scalar("0.1")}}), two},
      {model("mlp", {{"hidden", list_of({"9"})}}), two},
      {model("mlp", {{"hidden", list_of({"9", "7"})}, {"l2", Node::scalar("0.3")}}), ten},
      {model("mlp", {{"hidden", list_of({"5", "17", "6"})}}), many}};
  for (const auto& [node, task] : cases) {
    const auto network = build(node, task);
    SCOPED_TRACE(network->summary());
    expect_gradient(*network, random_vector(network->layout(), 11, 0.5F), Shard(task, 13, 2).all());
  }
}

TEST(DenseNetworkTest, TheBinaryLossAndItsPenaltyAreTheFormula) {
  const TaskShape task = binary_task(5);
  const auto network = build(model("logistic-regression", {{"bias", Node::scalar("false")},
                                                           {"l2", Node::scalar("0.125")}}),
                             task);
  ASSERT_EQ(network->layout()->size, 5u);
  const Shard shard(task, 40, 7);
  const Vector at = random_vector(network->layout(), 4, 2);
  double loss = 0, norm = 0;
  const Batch batch = shard.all();
  std::vector<double> gradient(5);
  for (int b = 0; b < 40; ++b) {
    double z = 0;
    for (int i = 0; i < 5; ++i) z += double{batch.inputs[b][i]} * at.values[i];
    const double y = batch.labels[b];
    loss += std::log1p(std::exp(-y * z)) / 40;
    for (int i = 0; i < 5; ++i) gradient[i] -= y * batch.inputs[b][i] / (1 + std::exp(y * z)) / 40;
  }
  for (int i = 0; i < 5; ++i) {
    norm += double{at.values[i]} * at.values[i];
    gradient[i] += 0.125 * at.values[i];
  }
  FullWeights weights(at);
  Workspace workspace;
  EXPECT_NEAR(network->loss_and_gradient(weights, batch, workspace), loss + 0.125 / 2 * norm, 1e-6);
  for (int i = 0; i < 5; ++i) EXPECT_NEAR(weights.gradient().values[i], gradient[i], 1e-6);
  workspace.reset();
  EXPECT_NEAR(network->evaluate(weights, batch, workspace).loss / 40, loss, 1e-6);
}

TEST(DenseNetworkTest, EvaluationCountsHitsAndSumsLosses) {
  for (const TaskShape& task : {classes_task(10, 4), binary_task(10)}) {
    const auto network = build(model("mlp", {{"hidden", list_of({"8", "6"})}}), task);
    const Shard shard(task, 50, 3);
    const Vector at = random_vector(network->layout(), 1, 1);
    FullWeights weights(at);
    Workspace workspace;
    const int outputs = task.kind == TaskKind::kBinaryLogistic ? 1 : 4;
    std::vector<float> logits(static_cast<std::size_t>(50 * outputs));
    network->predict(weights, shard.all(), logits, workspace);
    int correct = 0;
    for (int b = 0; b < 50; ++b) {
      const float* z = logits.data() + b * outputs;
      const int label = shard.all().labels[b];
      correct += outputs == 1 ? z[0] * static_cast<float>(label) > 0
                              : std::max_element(z, z + outputs) - z == label;
    }
    workspace.reset();
    const Evaluation got = network->evaluate(weights, shard.all(), workspace);
    EXPECT_EQ(got.rows, 50);
    EXPECT_EQ(got.correct, correct);
    EXPECT_NEAR(got.loss / 50, network->loss_and_gradient(weights, shard.all(), workspace), 1e-12);
  }
}

TEST(DenseNetworkTest, NotANumberInAWeightIsALossThatIsNotANumber) {
  const TaskShape task = classes_task(6, 3);
  const auto network = build(model("mlp", {{"hidden", list_of({"4"})}}), task);
  Vector start = random_vector(network->layout(), 1, 1);
  start.values[0] = std::nanf("");
  FullWeights weights(start);
  Workspace workspace;
  EXPECT_TRUE(std::isnan(network->loss_and_gradient(weights, Shard(task, 5, 1).all(), workspace)));
}

}  // namespace
}  // namespace skiff
