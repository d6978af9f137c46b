// Every optimizer, with every good value of each of its parameters.

#include <bit>
#include <cmath>
#include <cstdint>

#include "algorithms/models/layout.h"
#include "algorithms/optimizer.h"
#include "tests/contract/contract_test.h"

namespace skiff::testing {
namespace {

LayoutPtr layout() {
  auto made = std::make_shared<Layout>();
  made->add("hidden.0.weight", 13, 7, Order::kInOut);
  made->add("hidden.0.bias", 13, 1);
  made->add("output.weight", 3, 13);
  return made;
}

Vector example(std::uint64_t draw) {
  Vector v(layout());
  Stream s(5, "optimizer contract", 0, draw);
  for (float& x : v.values) x = s.uniform_float() - 0.5f;
  return v;
}

void step(const Optimizer& optimizer, Vector& w, const Vector& g, double rate, State& state) {
  for (const Slice& s : w.layout->slices) {
    optimizer.step(s, std::span(w.values).subspan(s.offset, s.size()),
                   std::span(g.values).subspan(s.offset, s.size()), rate, state);
  }
}

class OptimizerContract : public ::testing::Test {
 protected:
  template <class Test>
  static void for_optimizers(Test test) {
    for (const Variant<Optimizer>& v : all_variants<Optimizer>()) {
      SCOPED_TRACE(v.text);
      test(*v.object);
    }
  }
};

TEST_F(OptimizerContract, StateBytesAreWhatAStepKeeps) {
  for_optimizers([](const Optimizer& optimizer) {
    State state;
    Vector w = example(0);
    for (int t = 0; t < 3; ++t) {
      step(optimizer, w, example(1), 0.01, state);
      EXPECT_EQ(state.bytes(), optimizer.state_bytes(*w.layout)) << t;
    }
  });
}

TEST_F(OptimizerContract, TheFirstStepGoesDownhill) {
  for_optimizers([](const Optimizer& optimizer) {
    State state;
    Vector w(layout());  // zeros: nothing for weight decay to pull at
    const Vector g = example(1);
    step(optimizer, w, g, 0.01, state);
    double along = 0;
    for (std::size_t j = 0; j < w.values.size(); ++j) along += w.values[j] * g.values[j];
    EXPECT_LT(along, 0);
  });
}

TEST_F(OptimizerContract, PlainSgdIsWhatItSays) {
  for_optimizers([](const Optimizer& optimizer) {
    if (!optimizer.plain_sgd()) return;
    State state;
    const Vector start = example(0), g = example(1);
    Vector w = start;
    step(optimizer, w, g, 0.01, state);
    for (std::size_t j = 0; j < w.values.size(); ++j) {
      EXPECT_EQ(w.values[j], std::fma(-0.01f, g.values[j], start.values[j]));
    }
    EXPECT_TRUE(state.empty());
  });
}

TEST_F(OptimizerContract, SavedStatesContinueIdentically) {
  for_optimizers([](const Optimizer& optimizer) {
    State state;
    Vector a = example(0);
    step(optimizer, a, example(1), 0.01, state);
    State restored = State::load(state.save());
    Vector b = a;
    step(optimizer, a, example(2), 0.01, state);
    step(optimizer, b, example(2), 0.01, restored);
    EXPECT_EQ(a.values, b.values);
    EXPECT_EQ(state.save(), restored.save());
  });
}

TEST_F(OptimizerContract, LearningRatesArePositiveOverTheHorizon) {
  for_optimizers([](const Optimizer& optimizer) {
    for (std::int64_t round = 0; round < 100; ++round) {
      const double rate = optimizer.learning_rate(round, 100);
      EXPECT_TRUE(std::isfinite(rate) && rate > 0) << round;
    }
  });
}

}  // namespace
}  // namespace skiff::testing
