// GaLore and Flora: dense directions, on gradients whose singular vectors are known.
#include <cmath>
#include <numbers>

#include "tests/optimizers/projected.h"

namespace skiff::testing {
namespace {

constexpr int kRows = 8, kCols = 20;

// Of a set of orthonormal vectors (the cosine transform's), the k-th one's i-th value.
double wave(int k, int i, int n) {
  const double angle = std::numbers::pi * (i + 0.5) * k / n;
  return std::sqrt((k == 0 ? 1.0 : 2.0) / n) * std::cos(angle);
}
// sum over k = 0, 1, 2 of (9 - 3k) u_k v_k^T
std::vector<float> gradient() {
  std::vector<float> g(kRows * kCols);
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < kCols; ++j) {
      double sum = 0;
      for (int k = 0; k < 3; ++k)
        sum += (9 - 3 * k) * wave(k + 1, i, kRows) * wave(k + 1, j, kCols);
      g[static_cast<std::size_t>(i * kCols + j)] = static_cast<float>(sum);
    }
  }
  return g;
}
std::vector<float> turned(const std::vector<float>& g) {
  std::vector<float> t(g.size());
  for (std::size_t i = 0; i < kRows; ++i) {
    for (std::size_t j = 0; j < kCols; ++j) t[j * kRows + i] = g[i * kCols + j];
  }
  return t;
}

TEST(GaloreTest, WhatIsHeldHasTheSingularValues) {
  const auto galore = optimizer("galore", {{"learning_rate", "0.1"}, {"rank", "2"}});
  OneLayer layer(galore, kRows, kCols);
  layer.hand_over(gradient());
  const std::vector<float>& held = layer.weights().gradient().values;  // inputs x 2
  ASSERT_EQ(held.size(), 2U * kCols);
  for (std::size_t k = 0; k < 2; ++k) {
    double square = 0;
    for (std::size_t j = 0; j < kCols; ++j) square += std::pow(double(held[2 * j + k]), 2);
    EXPECT_NEAR(std::sqrt(square), 9.0 - 3.0 * double(k), 1e-4);
  }
}

// Adam's first step is the sign: u_k sign(v_k)^T each, whatever the signs of the vectors found.
TEST(GaloreTest, TheFirstStepIsAdamsInTheSingularVectors) {
  for (const Order order : {Order::kInOut, Order::kOutIn}) {
    for (const bool tall : {false, true}) {
      const auto galore = optimizer("galore", {{"learning_rate", "0.1"}, {"rank", "3"}});
      OneLayer layer(galore, tall ? kCols : kRows, tall ? kRows : kCols, order);
      layer.step(tall ? turned(gradient()) : gradient(), 0.1);
      std::vector<float> w = layer.values();
      for (int i = 0; i < kRows; ++i) {
        for (int j = 0; j < kCols; ++j) {
          double expected = 0;
          for (int k = 0; k < 3; ++k) {
            const double sign = wave(k + 1, j, kCols) > 0 ? 1 : -1;
            expected -= 0.1 * 0.25 * wave(k + 1, i, kRows) * sign;
          }
          EXPECT_NEAR(w[static_cast<std::size_t>(tall ? j * kRows + i : i * kCols + j)], expected,
                      1e-4);
        }
      }
    }
  }
}

// With a great epsilon Adam's first step is the gradient itself, divided by it.
OneLayer linear(const char* refresh = "1000") {
  return {
      optimizer(
          "flora",
          {{"learning_rate", "1"}, {"rank", "4"}, {"refresh", refresh}, {"epsilon", "1000000"}}),
      kRows, kCols};
}
double along(const std::vector<float>& w, const std::vector<float>& g) {
  double product = 0, square = 0;
  for (std::size_t i = 0; i < g.size(); ++i) {
    product += double(w[i]) * double(g[i]);
    square += double(g[i]) * double(g[i]);
  }
  return product / square;
}

TEST(FloraTest, ProjectionsThereAndBackAreUnbiased) {
  const std::vector<float> g = gradient();
  double mean = 0;
  constexpr int kDraws = 400;
  for (int n = 0; n < kDraws; ++n) {
    OneLayer layer = linear();
    layer.step(g, 1e6, std::uint64_t(n));
    mean -= along(layer.values(), g) / kDraws;
  }
  EXPECT_NEAR(mean, 1, 0.1);
}

// Read in the new directions, the mean still points where it did; left as it is, nowhere.
TEST(FloraTest, TheMeanSurvivesAChangeOfDirections) {
  const std::vector<float> g = gradient(), none(g.size());
  double mean = 0;
  constexpr int kDraws = 600;
  for (int n = 0; n < kDraws; ++n) {
    OneLayer layer = linear("1");
    layer.step(g, 1e6, std::uint64_t(n));
    const double before = along(layer.values(), g);
    layer.step(none, 1e6, std::uint64_t(n));
    mean -= (along(layer.values(), g) - before) / kDraws;
  }
  EXPECT_NEAR(mean, 0.1 * 0.9 / (1 - 0.81), 0.15 * 0.47);
}

TEST(FloraTest, BothKindsOfLayersComeDown) {
  for (const char* name : {"galore", "flora"}) {
    for (const Order order : {Order::kInOut, Order::kOutIn}) {
      const auto made = optimizer(
          name, {{"learning_rate", "0.02"}, {"rank", "4"}, {"refresh", "20"}, {"scale", "1"}});
      const auto losses = TwelveByThirty::losses({made, 12, 30, order});
      EXPECT_LT(losses.second, 1) << name;  // from 272
    }
  }
}

TEST(DenseSpaceTest, DeclaredBytesAreHeldBytes) {
  const auto network =
      build(model("mlp", {{"hidden", list_of({"40", "24"})}}), classes_task(30, 5));
  const Shard shard(network->task(), 8, 5);
  for (const char* name : {"galore", "flora"}) {
    SCOPED_TRACE(name);
    const auto made = optimizer(name, {{"learning_rate", "0.01"}, {"rank", "8"}, {"refresh", "2"}});
    const auto p = made->training();
    Vector start(network->layout());
    network->initialise(start, Stream(1, "initialise"));
    const std::unique_ptr<Weights> w = p->bind(nullptr, start, Stream(1, "space"), nullptr);
    State moments;
    Workspace workspace;
    for (std::uint64_t t = 0; t < 3; ++t) {
      workspace.reset();
      w->begin_step(Stream(1, "step", 0, t));
      w->clear_gradient();
      network->loss_and_gradient(*w, shard.all(), workspace);
      w->step(*made, 0.01, moments);
    }
    Cost cost;
    cost.rows = 8;
    p->cost(dense_shape(network->layout()), *made, cost);
    const auto& held = static_cast<const ProjectedWeights&>(*w);
    EXPECT_EQ(cost.memory.optimizer_state, moments.bytes() + held.kept());
    EXPECT_EQ(p->kept_moments(dense_shape(network->layout()), *made), moments.bytes());
    EXPECT_EQ(cost.memory.gradients.value(), 4 * std::int64_t(w->gradient().values.size()));
    EXPECT_LE(held.scratch(), cost.memory.scratch);
  }
}

}  // namespace
}  // namespace skiff::testing
