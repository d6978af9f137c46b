// AdamW against its paper: a naive reference in double precision, the scalar float twin bit by bit,
// closed forms, and what the device keeps.
#include "algorithms/optimizer.h"
#include "tests/models/model_test.h"

namespace skiff {
namespace {

using testing::differing;
using testing::Entries;
using testing::map_of;
using testing::Numbers;
using testing::problems;

Node adamw(Entries more = {}) {
  more.insert(more.begin(),
              {{"name", Node::scalar("adamw")}, {"learning_rate", Node::scalar("0.01")}});
  return map_of(more);
}
std::shared_ptr<const Optimizer> make(const Node& node) {
  return Registry<Optimizer>::instance().make(node);
}

Layout two_slices() {
  Layout layout;
  layout.add("a.weight", 5, 7);
  layout.add("a.bias", 3, 1);
  return layout;
}

// Algorithm 2 of the paper, one weight, in double.
struct Reference {
  double w = 0, m = 0, v = 0;
  int t = 0;
  void step(double g, double rate, double decay, double b1 = 0.9, double b2 = 0.999,
            double epsilon = 1e-8) {
    ++t;
    w -= rate * decay * w;
    m = b1 * m + (1 - b1) * g;
    v = b2 * v + (1 - b2) * g * g;
    const double mean = m / (1 - std::pow(b1, t)), square = v / (1 - std::pow(b2, t));
    w -= rate * mean / (std::sqrt(square) + epsilon);
  }
};

TEST(AdamWTest, FollowsTheReferenceForTwoHundredSteps) {
  for (const char* decay : {"0", "0.3"}) {
    const auto optimizer = make(adamw({{"weight_decay", Node::scalar(decay)}}));
    const Slice slice = two_slices().slices[0];
    std::vector<float> w(35), g(35);
    Numbers numbers(3);
    numbers.fill(w);
    std::vector<Reference> reference(35);
    for (int i = 0; i < 35; ++i) reference[i].w = w[i];
    State state;
    for (int t = 0; t < 200; ++t) {
      numbers.fill(g);
      const double rate = t < 100 ? 0.01 : 0.003;  // a schedule
      optimizer->step(slice, w, g, rate, state);
      for (int i = 0; i < 35; ++i) {
        reference[i].step(g[i], rate, std::stod(decay));
        ASSERT_NEAR(w[i], reference[i].w, 2e-6) << "weight " << i << " after step " << t + 1;
      }
    }
  }
}

TEST(AdamWTest, VectorsTailsAndScalarsGiveTheSameBits) {
  const auto optimizer = make(adamw());
  for (int n = 1; n <= 35; ++n) {
    Layout layout;
    layout.add("x", n, 1);
    std::vector<float> w(n), g(n);
    Numbers numbers(n);
    numbers.fill(w);
    std::vector<float> twin = w, m(n), v(n);
    State state;
    for (int t = 1; t <= 3; ++t) {
      numbers.fill(g);
      optimizer->step(layout.slices[0], w, g, 0.01, state);
      double b1 = 1, b2 = 1;
      for (int k = 0; k < t; ++k) b1 *= 0.9, b2 *= 0.999;
      const auto rate = static_cast<float>(0.01 / (1 - b1));
      const auto root = static_cast<float>(1 / std::sqrt(1 - b2));
      for (int i = 0; i < n; ++i) {
        m[i] = std::fma(0.9F, m[i], static_cast<float>(1 - 0.9) * g[i]);
        const float share = static_cast<float>(1 - 0.999) * g[i];
        v[i] = std::fma(0.999F, v[i], share * g[i]);
        const float below = std::fma(std::sqrt(v[i]), root, 1e-8F);
        twin[i] = std::fma(-rate, m[i] / below, twin[i]);
      }
    }
    EXPECT_EQ(differing(w, twin), 0u) << n;
  }
}

TEST(AdamWTest, TheFirstStepIsTheLearningRateWhateverTheGradientsSize) {
  const auto optimizer = make(adamw());
  const Slice slice = two_slices().slices[1];
  std::vector<float> w(3);
  const std::vector<float> g = {1e-3F, -5, 1e4F};
  State state;
  optimizer->step(slice, w, g, 0.01, state);
  EXPECT_NEAR(w[0], -0.01, 1e-6);
  EXPECT_NEAR(w[1], 0.01, 1e-8);
  EXPECT_NEAR(w[2], -0.01, 1e-8);
}

TEST(AdamWTest, AConstantGradientMovesByTheLearningRateEveryStep) {
  const auto optimizer = make(adamw());
  const Slice slice = two_slices().slices[1];
  std::vector<float> w(3);
  const std::vector<float> g = {2, 2, 2};
  State state;
  for (int t = 1; t <= 500; ++t) {
    optimizer->step(slice, w, g, 0.01, state);
    ASSERT_NEAR(w[0], -0.01 * t, 1e-4 * t * 0.01 + 1e-6);
  }
}

TEST(AdamWTest, DecayDoesNotEnterTheMoments) {
  const auto optimizer = make(adamw({{"weight_decay", Node::scalar("0.5")}}));
  const Slice slice = two_slices().slices[1];
  std::vector<float> w = {4, -4, 0};
  const std::vector<float> g(3);
  State state;
  optimizer->step(slice, w, g, 0.5, state);
  EXPECT_EQ(w[0], 3);  // 1 - 0.5 * 0.5
  EXPECT_EQ(w[1], -3);
  EXPECT_EQ(w[2], 0);
}

TEST(AdamWTest, EachSliceCountsItsOwnSteps) {
  const auto optimizer = make(adamw());
  const Layout layout = two_slices();
  std::vector<float> a(35), b(3), g(35, 1.0F);
  State state;
  for (int t = 0; t < 9; ++t) optimizer->step(layout.slices[0], a, g, 0.01, state);
  optimizer->step(layout.slices[1], b, std::span(g).first(3), 0.01, state);
  EXPECT_NEAR(b[0], -0.01, 1e-7);
}

TEST(AdamWTest, StateIsTwoMomentsAndACount) {
  const auto optimizer = make(adamw());
  const Layout layout = two_slices();
  State state;
  for (const Slice& s : layout.slices) {
    std::vector<float> w(s.size()), g(s.size());
    optimizer->step(s, w, g, 0.1, state);
  }
  EXPECT_EQ(state.bytes().value(), 38 * 8 + 2 * 8);
  EXPECT_EQ(optimizer->state_bytes(layout), state.bytes());
  EXPECT_FALSE(optimizer->plain_sgd());
  EXPECT_LT(optimizer->gradient_weight(10), 0);
}

TEST(AdamWTest, AbsurdNumbersAreRefused) {
  const auto refused = [](const std::string& key, const std::string& value) {
    Node node = adamw();
    node.set(key, Node::scalar(value));
    return problems<Optimizer>(node);
  };
  EXPECT_EQ(refused("beta1", "1"), "beta1: 1 never sees a gradient; write less than 1\n");
  EXPECT_EQ(refused("beta2", "1"), "beta2: 1 never sees a gradient; write less than 1\n");
  EXPECT_EQ(refused("beta1", "0"), "");
  EXPECT_NE(refused("beta2", "-0.1"), "");
  EXPECT_NE(refused("epsilon", "0"), "");
  EXPECT_NE(refused("epsilon", "1e-60"), "");
  EXPECT_NE(refused("momentum", "0.9"), "");
}

}  // namespace
}  // namespace skiff
