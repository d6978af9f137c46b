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
  std::shared_ptr<const Optimizer> mezo;
  Vector start{network->layout()};
  std::unique_ptr<Weights> weights;
  Workspace workspace;

  explicit Trained(const char* epsilon = "0.001")
      : mezo(optimizer("mezo", {{"learning_rate", "0.01"}, {"epsilon", epsilon}})) {
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
  // So near that few ReLU bend in between: with 0.001 they cost up to 2 % of the gradient.
  Trained t("0.0001");
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
    EXPECT_NEAR(found, slope, 0.001 * std::sqrt(size));  // they are within 0.0003
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

// A step takes rate * slope^2 off the loss, to first order; the slope along z ~ N(0, I) is normal
// with variance |g|^2, so these add up to rate * |g|^2 within standard deviations of
// rate * sqrt(2 sum |g|^4). Curvature takes 1 % of it back here.
TEST(MezoTest, TheLossComesDownByTheSquaresOfTheSlopes) {
  Trained t;
  const double before = t.loss(), rate = 0.005;
  double first_order = 0, expected = 0, variance = 0;
  State moments;
  for (std::uint64_t step = 0; step < 600; ++step) {
    FullWeights full(t.weights->parameters());
    Workspace workspace;
    t.network->loss_and_gradient(full, t.shard.all(), workspace);
    double square = 0;
    for (const float g : full.gradient().values) square += double(g) * double(g);
    t.probe(step);
    first_order += rate * std::pow(double(t.weights->gradient().values[0]), 2);
    expected += rate * square;
    variance += 2 * std::pow(rate * square, 2);
    t.weights->step(*t.mezo, rate, moments);
  }
  EXPECT_GT(expected, 0.05);
  EXPECT_NEAR(first_order, expected, 3 * std::sqrt(variance));
  EXPECT_NEAR(before - t.loss(), first_order, 0.03 * first_order);
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
