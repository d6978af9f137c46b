// The parametrization in which every weight is trained.
#include "algorithms/parametrization.h"
#include "tests/models/model_test.h"

namespace skiff {
namespace {

using testing::build;
using testing::classes_task;
using testing::differing;
using testing::list_of;
using testing::map_of;
using testing::model;
using testing::random_vector;
using testing::Shard;

std::shared_ptr<const Parametrization> full() {
  return Registry<Parametrization>::instance().make(map_of({{"name", Node::scalar("full")}}));
}

class FullTest : public ::testing::Test {
 protected:
  const TaskShape task = classes_task(12, 5);
  const std::shared_ptr<const Architecture> network =
      build(model("mlp", {{"hidden", list_of({"9"})}}), task);
  const LayoutPtr layout = network->layout();
  const Vector received = random_vector(layout, 1, 0.5F);
  const Stream stream{1, "job"};
};

TEST_F(FullTest, ZeroStepsGiveAZeroUpdate) {
  const auto weights = full()->bind(nullptr, received, stream, nullptr);
  Vector change;
  weights->update(change);
  EXPECT_EQ(change.layout, full()->update_layout(dense_shape(layout)));
  for (const float d : change.values) EXPECT_EQ(d, 0);
}

TEST_F(FullTest, AUsedObjectStartsAfresh) {
  const Shard shard(task, 20, 1);
  Workspace workspace;
  auto weights = full()->bind(nullptr, received, stream, nullptr);
  const Weights* object = weights.get();
  const auto train = [&] {
    weights->fuse_sgd(0.1F);
    workspace.reset();
    network->loss_and_gradient(*weights, shard.all(), workspace);
    return weights->parameters().values;
  };
  const std::vector<float> first = train();
  weights = full()->bind(nullptr, received, stream, std::move(weights));
  EXPECT_EQ(weights.get(), object);
  EXPECT_EQ(differing(weights->parameters().values, received.values), 0u);
  EXPECT_EQ(differing(train(), first), 0u);
}

TEST_F(FullTest, TheMeanIsByWeightInClientOrder) {
  const auto parametrization = full();
  std::vector<Update> updates(3);
  std::vector<Vector> vectors;
  for (std::uint64_t i = 0; i < 3; ++i) {
    updates[i].weight = static_cast<double>(i + 1);
    vectors.push_back(random_vector(layout, i + 5, 1));
  }
  Vector mean(layout);
  parametrization->average(updates, vectors, mean);
  for (std::size_t j = 0; j < mean.values.size(); ++j) {
    double sum = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      sum = std::fma(updates[i].weight / 6, static_cast<double>(vectors[i].values[j]), sum);
    }
    EXPECT_EQ(mean.values[j], static_cast<float>(sum));
  }
  parametrization->average(std::span(updates).first(1), std::span(vectors).first(1), mean);
  EXPECT_EQ(differing(mean.values, vectors[0].values), 0u);
}

TEST_F(FullTest, ACompressedModelIsTrainedFromWhatItDecodesTo) {
  EXPECT_EQ(differing(full()->for_client(received, nullptr).values, received.values), 0u);
  const Vector other = random_vector(layout, 2, 1);
  const Model stored = dense_model(other);
  const Vector got = full()->for_client(received, &stored);
  EXPECT_EQ(got.layout, layout);
  EXPECT_EQ(differing(got.values, other.values), 0u);
}

TEST_F(FullTest, ItHoldsWeightsGradientsAndMoments) {
  const Node momentum = map_of({{"name", Node::scalar("sgd")},
                                {"learning_rate", Node::scalar("0.1")},
                                {"momentum", Node::scalar("0.9")}});
  Cost cost;
  full()->cost(dense_shape(layout), *Registry<Optimizer>::instance().make(momentum), cost);
  const Bytes dense(static_cast<std::int64_t>(4 * layout->size));
  EXPECT_EQ(cost.memory.weights, dense);
  EXPECT_EQ(cost.memory.gradients, dense);
  EXPECT_EQ(cost.memory.optimizer_state, dense);
  EXPECT_EQ(cost.memory.total(), 3 * dense);
}

TEST_F(FullTest, AggregationMovesTheWeights) {
  GlobalModel model;
  EXPECT_EQ(&full()->target(model), &model.weights);
  EXPECT_EQ(&full()->target(std::as_const(model)), &model.weights);
  EXPECT_TRUE(full()->sends_what_it_trains());
}

}  // namespace
}  // namespace skiff
