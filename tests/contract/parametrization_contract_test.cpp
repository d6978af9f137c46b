// Every parametrization, with every good value of each of its parameters.

#include <cmath>

#include "algorithms/kernels/reduce.h"
#include "algorithms/models/full_weights.h"
#include "tests/contract/federation_contract_test.h"

namespace skiff::testing {
namespace {

struct Bound {
  GlobalModel global;
  std::shared_ptr<const Parametrization> object;
  std::shared_ptr<const Model> base;  // of those that train beside one
  LayoutPtr layout;                   // of the update
  Vector received;
  State own;  // what never leaves the device
  std::unique_ptr<Weights> weights;
};

const Stream kSpace(1, "space");

std::shared_ptr<const Architecture> architecture() {
  return named<ModelFamily>("mlp", {{"preset", "tiny"}})->build(small_task());
}

class ParametrizationContract : public ::testing::Test {
 protected:
  template <class Test>
  void for_parametrizations(Test test) {
    for (const Variant<Parametrization>& v : all_variants<Parametrization>()) {
      SCOPED_TRACE(v.text);
      // Of those that a coin decides, the kind of the first round.
      const Parametrization& p = v.object->in_space(4, 0, {});
      Bound bound;
      bound.object = v.object;
      bound.global.weights = Vector(architecture_->layout());
      architecture_->initialise(bound.global.weights, Stream(1, "initialise"));
      bound.layout = p.update_layout(dense_shape(architecture_->layout()));
      p.start(bound.global, kSpace);
      bound.received =
          p.for_client(p.draws() ? bound.global.adapters : p.target(bound.global), nullptr);
      const Shape shape = dense_shape(architecture_->layout());
      bound.received = p.with_personal(bound.received, shape, bound.own);
      EXPECT_EQ(bound.own.bytes(), p.personal_bytes(shape));
      if (!p.trains_base()) {
        bound.base = std::make_shared<const Model>(dense_model(bound.global.weights));
      }
      bound.weights = p.bind(bound.base, bound.received, kSpace, nullptr);
      test(p, bound);
    }
  }
  std::shared_ptr<const Architecture> architecture_ = architecture();
};

// What a report must say of its plan and of the server that it started from.
struct Reports {
  Plan plan;
  std::shared_ptr<Server> server = std::make_shared<Server>();
  Update update(ClientId client, double weight) const {
    return {client, weight, 0, &plan, server, {}};
  }
};

// A factor that starts at zero gives the other one no gradient: both are moved away from there.
void leave_start(Weights& w) {
  Stream s(9, "away from the start");
  for (float& x : w.parameters().values) x += 0.3f * (s.uniform_float() - 0.5f);
}
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

Reports reports_of(std::shared_ptr<const Parametrization> p, const Bound& bound) {
  Reports r;
  r.plan.parametrization = std::move(p);
  r.server->models = {bound.global};
  return r;
}

TEST_F(ParametrizationContract, TheAverageOfOneClientReturnsIt) {
  for_parametrizations([](const Parametrization& p, Bound& bound) {
    const Reports reports = reports_of(bound.object, bound);
    const Update updates[] = {reports.update(3, 17)};
    const Vector vectors[] = {example(bound.layout, 0)};
    Vector direction(bound.layout);
    p.average(updates, vectors, direction);
    const bool as_it_is = !p.replaces() && &p.target(bound.global) != &bound.global.weights;
    if (as_it_is || p.trains_base()) {
      EXPECT_EQ(direction.values, vectors[0].values);
      return;
    }
    // Other factors, or none: the same product.
    GlobalModel moved = bound.global, trained = bound.global;
    kernels::add(p.target(moved).values, p.target(moved).values, direction.values);
    kernels::add(trained.adapters.values, trained.adapters.values, vectors[0].values);
    const Vector a = p.merged(moved, kSpace), b = p.merged(trained, kSpace);
    for (std::size_t j = 0; j < a.values.size(); ++j) EXPECT_NEAR(a.values[j], b.values[j], 1e-5);
  });
}

TEST_F(ParametrizationContract, TheAverageOfEqualClientsIsTheirs) {
  for_parametrizations([](const Parametrization& p, Bound& bound) {
    const Reports reports = reports_of(bound.object, bound);
    const Update one[] = {reports.update(0, 4)};
    const Update both[] = {reports.update(0, 1), reports.update(1, 3)};
    const Vector vectors[] = {example(bound.layout, 0), example(bound.layout, 0)};
    Vector single(bound.layout), direction(bound.layout);
    p.average(one, std::span(vectors).first(1), single);
    p.average(both, vectors, direction);
    GlobalModel a = bound.global, b = bound.global;
    kernels::add(p.target(a).values, p.target(a).values, single.values);
    kernels::add(p.target(b).values, p.target(b).values, direction.values);
    const Vector first = p.merged(a, kSpace), second = p.merged(b, kSpace);
    for (std::size_t j = 0; j < first.values.size(); ++j) {
      EXPECT_NEAR(first.values[j], second.values[j], 1e-5);
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
    leave_start(w);
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
    EXPECT_GT(slope, 0);
    const double noise = 1e-7 / double(kStep);  // of two losses in single precision
    EXPECT_NEAR((change[1] - change[0]) / (2 * double(kStep)), slope, 1e-2 * slope + noise);
  });
}

// What the server evaluates is what the client trained.
TEST_F(ParametrizationContract, TheMergedModelAnswersAsTheClientsDoes) {
  const Samples samples = small_samples(40);
  std::vector<const float*> rows;
  for (int i = 0; i < samples.rows(); ++i) rows.push_back(samples.row(i));
  const Batch batch{{rows.data(), samples.rows(), samples.width}, samples.labels};
  for_parametrizations([&](const Parametrization& p, Bound& bound) {
    if (p.trains_base()) return;
    leave_start(*bound.weights);
    GlobalModel trained = bound.global;
    trained.adapters = bound.weights->parameters();
    p.keep_personal(*bound.weights, bound.own);
    Workspace workspace;
    const Evaluation own = architecture_->evaluate(*bound.weights, batch, workspace);
    const Vector merged = p.personal_model(trained, kSpace, bound.own);
    FullWeights full(merged);
    workspace.reset();
    EXPECT_NEAR(architecture_->evaluate(full, batch, workspace).loss, own.loss, 1e-4 * own.loss);
    EXPECT_NE(merged.values, bound.global.weights.values);
  });
}

TEST_F(ParametrizationContract, AUsedObjectStartsAfresh) {
  for_parametrizations([&](const Parametrization& p, Bound& bound) {
    const std::vector<float> start = bound.weights->parameters().values;
    leave_start(*bound.weights);
    bound.weights = p.bind(bound.base, bound.received, kSpace, std::move(bound.weights));
    EXPECT_EQ(bound.weights->parameters().values, start);
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
