// Every parametrization, with every good value of each of its parameters.

#include <cmath>

#include "tests/contract/federation_contract_test.h"

namespace skiff::testing {
namespace {

struct Bound {
  GlobalModel global;
  LayoutPtr layout;  // of the update
  Vector received;
  std::unique_ptr<Weights> weights;
};

std::shared_ptr<const Architecture> architecture() {
  return named<ModelFamily>("mlp", {{"preset", "tiny"}})->build(small_task());
}

class ParametrizationContract : public ::testing::Test {
 protected:
  template <class Test>
  void for_parametrizations(Test test) {
    for (const Variant<Parametrization>& v : all_variants<Parametrization>()) {
      SCOPED_TRACE(v.text);
      const Parametrization& p = *v.object;
      Bound bound;
      bound.global.weights = Vector(architecture_->layout());
      architecture_->initialise(bound.global.weights, Stream(1, "initialise"));
      bound.layout = p.update_layout(dense_shape(architecture_->layout()));
      bound.received = p.for_client(p.target(bound.global), nullptr);
      bound.weights = p.bind(nullptr, bound.received, Stream(1, "bind"), nullptr);
      test(p, bound);
    }
  }
  std::shared_ptr<const Architecture> architecture_ = architecture();
};

Update update(ClientId client, double weight) { return {client, weight, 0, nullptr, nullptr, {}}; }
Vector example(const LayoutPtr& layout, std::uint64_t draw) {
  Vector v(layout);
  Stream s(8, "parametrization contract", 0, draw);
  for (float& x : v.values) x = s.uniform_float() - 0.5f;
  return v;
}

TEST_F(ParametrizationContract, ZeroStepsGiveAZeroUpdate) {
  for_parametrizations([](const Parametrization&, Bound& bound) {
    Vector change(bound.layout);
    change.values.assign(change.values.size(), 7.0f);
    bound.weights->update(change);
    for (const float x : change.values) EXPECT_EQ(x, 0);
  });
}

TEST_F(ParametrizationContract, TheAverageOfOneClientReturnsIt) {
  for_parametrizations([](const Parametrization& p, Bound& bound) {
    const Update updates[] = {update(3, 17)};
    const Vector vectors[] = {example(bound.layout, 0)};
    Vector direction(bound.layout);
    p.average(updates, vectors, direction);
    EXPECT_EQ(direction.values, vectors[0].values);
  });
}

TEST_F(ParametrizationContract, TheAverageIsWeighted) {
  for_parametrizations([](const Parametrization& p, Bound& bound) {
    const Update updates[] = {update(0, 1), update(1, 3)};
    const Vector vectors[] = {example(bound.layout, 0), example(bound.layout, 0)};
    Vector direction(bound.layout);
    p.average(updates, vectors, direction);
    for (std::size_t j = 0; j < direction.values.size(); ++j) {
      EXPECT_NEAR(direction.values[j], vectors[0].values[j], 1e-6);
    }
  });
}

// The gradient's direction, so that the slope is steep, and a random one, so that no coordinate is
// spared; both of length 1.
Vector mixed(const Vector& gradient, Vector direction) {
  double g = 0, d = 0;
  for (std::size_t j = 0; j < direction.values.size(); ++j) {
    g += std::pow(double(gradient.values[j]), 2);
    d += std::pow(double(direction.values[j]), 2);
  }
  for (std::size_t j = 0; j < direction.values.size(); ++j) {
    direction.values[j] =
        static_cast<float>(gradient.values[j] / std::sqrt(g) + direction.values[j] / std::sqrt(d));
  }
  return direction;
}

// The pull-back through the seam: along a direction, the loss changes by gradient times direction.
TEST_F(ParametrizationContract, GradientsAgreeWithCentralDifferences) {
  const Samples samples = small_samples(40);
  std::vector<const float*> rows;
  for (int i = 0; i < samples.rows(); ++i) rows.push_back(samples.row(i));
  const Batch batch{{rows.data(), samples.rows(), samples.width}, samples.labels};
  for_parametrizations([&](const Parametrization&, Bound& bound) {
    Weights& w = *bound.weights;
    Workspace workspace;
    const auto loss = [&] {
      w.clear_gradient();
      workspace.reset();
      return architecture_->loss_and_gradient(w, batch, workspace);
    };
    loss();
    const std::vector<float> gradient = w.gradient().values, start = w.parameters().values;
    const Vector direction = mixed(w.gradient(), example(w.parameters().layout, 4));
    double slope = 0;
    for (std::size_t j = 0; j < start.size(); ++j) {
      slope += double(gradient[j]) * double(direction.values[j]);
    }
    double change[2];
    constexpr float kStep = 1e-3f;
    for (const int side : {0, 1}) {
      for (std::size_t j = 0; j < start.size(); ++j) {
        w.parameters().values[j] = start[j] + (side == 0 ? -kStep : kStep) * direction.values[j];
      }
      change[side] = loss();
    }
    EXPECT_GT(slope, 0.05);
    EXPECT_NEAR((change[1] - change[0]) / (2 * double(kStep)), slope, 1e-2 * slope);
  });
}

TEST_F(ParametrizationContract, ItsCostHoldsWhatItTrains) {
  for_parametrizations([&](const Parametrization& p, Bound& bound) {
    Cost cost;
    const auto optimizer = named<Optimizer>("sgd", {{"learning_rate", "0.1"}, {"momentum", "0.9"}});
    p.cost(dense_shape(architecture_->layout()), *optimizer, cost);
    const auto trained = static_cast<std::int64_t>(bound.weights->parameters().values.size());
    EXPECT_GE((cost.memory.weights + cost.memory.adapters).value(), 4 * trained);
    EXPECT_GE(cost.memory.gradients.value(), 4 * trained);
    EXPECT_EQ(cost.memory.optimizer_state,
              optimizer->state_bytes(*bound.weights->parameters().layout));
  });
}

}  // namespace
}  // namespace skiff::testing
