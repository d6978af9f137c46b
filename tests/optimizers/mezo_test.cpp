// MeZO: the slope along a direction, without a backward pass.
#include <cmath>

#include "algorithms/optimizers/mezo_weights.h"
#include "algorithms/plan.h"
#include "sim/core/distributions.h"
#include "tests/optimizers/projected.h"

namespace skiff::testing {
namespace {

struct Trained {
  std::shared_ptr<const Architecture> network =
      build(model("mlp", {{"hidden", list_of({"16"})}}), classes_task(10, 3));
  Shard shard{network->task(), 40, 5};
  std::shared_ptr<const Optimizer> mezo = optimizer("mezo", {{"learning_rate", "0.01"}});
  Vector start{network->layout()};
  std::unique_ptr<Weights> weights;
  Workspace workspace;

  Trained() {
    network->initialise(start, Stream(1, "initialise"));
    weights = mezo->training()->bind(nullptr, start, Stream(1, "space"), nullptr);
  }
  double loss() {
    workspace.reset();
    const Evaluation e = network->evaluate(*weights, shard.all(), workspace);
    return e.loss / static_cast<double>(e.rows);
  }
  double probe(std::uint64_t step) {
    weights->begin_step(Stream(1, "step", 0, step));
    return weights->probe([this] { return loss(); });
  }
};

TEST(MezoTest, TheSlopeIsTheGradientAlongTheDirection) {
  Trained t;
  FullWeights full(t.start);
  Workspace workspace;
  t.network->loss_and_gradient(full, t.shard.all(), workspace);
  for (std::uint64_t step = 0; step < 5; ++step) {
    t.probe(step);
    Stream direction = Stream(1, "step", 0, step).child("mezo");
    std::vector<float> z(t.start.values.size());
    double slope = 0, size = 0;
    for (std::size_t i = 0; i < z.size(); ++i) {
      z[i] = static_cast<float>(normal(direction));
      slope += double(z[i]) * double(full.gradient().values[i]);
      size += std::pow(double(full.gradient().values[i]), 2);
    }
    const double found = double(t.weights->gradient().values[0]);
    EXPECT_NEAR(found, slope, 0.05 * std::sqrt(size));
    // And back where it was, up to rounding; a step then goes along the direction.
    std::vector<float> w = t.weights->parameters().values;
    State moments;
    t.weights->step(*t.mezo, 0.01, moments);
    for (std::size_t i = 0; i < w.size(); ++i) {
      EXPECT_NEAR(t.weights->parameters().values[i] - w[i], -0.01 * found * double(z[i]), 1e-6);
    }
    EXPECT_TRUE(moments.empty());
    t.weights->parameters().values = t.start.values;
  }
}

TEST(MezoTest, TheWeightsComeBack) {
  Trained t;
  t.probe(3);
  for (std::size_t i = 0; i < t.start.values.size(); ++i) {
    EXPECT_NEAR(t.weights->parameters().values[i], t.start.values[i], 1e-6);
  }
}

TEST(MezoTest, TheLossComesDown) {
  Trained t;
  const double before = t.loss();
  State moments;
  for (std::uint64_t step = 0; step < 600; ++step) {
    t.probe(step);
    t.weights->step(*t.mezo, 0.005, moments);
  }
  EXPECT_LT(t.loss(), before - 0.05);
}

// The RAM of predicting a batch: weights and what a forward pass needs.
TEST(MezoTest, ItTrainsInTheMemoryOfInference) {
  Trained t;
  Composition c;
  c.models = {t.network};
  c.plans.emplace_back();
  Plan& plan = c.plans.front();
  plan.optimizer = t.mezo;
  plan.parametrization = t.mezo->training();
  plan.work.batch = 20;
  c.prepare_dense();
  const Cost cost = client_cost(c, plan, plan.prepared, 40, 4);
  const StepCost once = t.network->inference_cost(20);
  EXPECT_EQ(cost.memory.activations, once.activations);
  EXPECT_EQ(cost.memory.scratch, once.scratch);
  EXPECT_EQ(cost.memory.optimizer_state, Bytes(0));
  EXPECT_EQ(cost.memory.gradients, Bytes(4));
  EXPECT_EQ(cost.memory.weights.value(), 4 * std::int64_t(t.start.values.size()));
  EXPECT_GE(cost.fp32, Flops(4 * 2 * once.flops.value()));
  EXPECT_LT(t.network->inference_cost(20).activations, t.network->training_cost(20).activations);
}

}  // namespace
}  // namespace skiff::testing
