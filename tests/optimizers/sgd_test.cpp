// SGD against closed forms, and the schema of all optimizers.
#include "algorithms/optimizer.h"
#include "tests/models/model_test.h"

namespace skiff {
namespace {

using testing::differing;
using testing::Entries;
using testing::map_of;
using testing::Numbers;
using testing::problems;

Node sgd(Entries more = {}) {
  more.insert(more.begin(),
              {{"name", Node::scalar("sgd")}, {"learning_rate", Node::scalar("0.1")}});
  return map_of(more);
}
std::shared_ptr<const Optimizer> make(const Node& node) {
  return Registry<Optimizer>::instance().make(node);
}
Node schedule(const std::string& name, Entries more = {}) {
  more.insert(more.begin(), {"name", Node::scalar(name)});
  return map_of(more);
}

Layout two_slices() {
  Layout layout;
  layout.add("a.weight", 3, 4);
  layout.add("a.bias", 3, 1);
  return layout;
}

TEST(SgdTest, APlainStepIsOneFma) {
  const auto optimizer = make(sgd());
  EXPECT_TRUE(optimizer->plain_sgd());
  const Layout layout = two_slices();
  std::vector<float> w(12), g(12);
  Numbers numbers(3);
  numbers.fill(w);
  numbers.fill(g);
  const std::vector<float> before = w;
  State state;
  optimizer->step(layout.slices[0], w, g, 0.1, state);
  for (int i = 0; i < 12; ++i) EXPECT_EQ(w[i], std::fma(-0.1F, g[i], before[i]));
  EXPECT_EQ(state.bytes().value(), 0);
  EXPECT_EQ(optimizer->state_bytes(layout).value(), 0);
}

TEST(SgdTest, MomentumIsTheGeometricSumOfGradients) {
  const auto optimizer = make(sgd({{"momentum", Node::scalar("0.5")}}));
  EXPECT_FALSE(optimizer->plain_sgd());
  const Layout layout = two_slices();
  const std::vector<float> g(12, 1);
  std::vector<float> w(12);
  State state;
  // v = 1, 3/2, 7/4, ...: after n steps w = -lr (2n - 2 + 2^(1-n)).
  for (int n = 1; n <= 10; ++n) {
    optimizer->step(layout.slices[0], w, g, 0.25, state);
    for (const float x : w)
      EXPECT_FLOAT_EQ(x, -0.25F * static_cast<float>(2 * n - 2 + std::pow(2, 1 - n)));
  }
}

TEST(SgdTest, MomentumReachesTheMinimumOfAQuadratic) {
  const auto optimizer = make(sgd({{"momentum", Node::scalar("0.9")}}));
  const Layout layout = two_slices();
  std::vector<float> w = {1, -2, 3}, g(3);
  State state;
  for (int n = 0; n < 400; ++n) {
    for (int i = 0; i < 3; ++i) g[i] = static_cast<float>(i + 1) * (w[i] - 0.5F);
    optimizer->step(layout.slices[1], w, g, 0.1, state);
  }
  for (const float x : w) EXPECT_NEAR(x, 0.5, 1e-5);
}

TEST(SgdTest, WeightDecayShrinksBeforeTheStepAndStaysOutOfTheMomentum) {
  const auto optimizer =
      make(sgd({{"momentum", Node::scalar("0.5")}, {"weight_decay", Node::scalar("0.5")}}));
  EXPECT_FALSE(optimizer->plain_sgd());
  const Layout layout = two_slices();
  std::vector<float> w = {4, 4, 4};
  const std::vector<float> g(3);
  State state;
  optimizer->step(layout.slices[1], w, g, 0.5, state);
  EXPECT_EQ(w[0], 3);
  optimizer->step(layout.slices[1], w, g, 0.5, state);
  EXPECT_EQ(w[0], 2.25F);
}

TEST(SgdTest, StateBytesAreExact) {
  const Layout layout = two_slices();
  for (const char* momentum : {"0", "0.9"}) {
    const auto optimizer = make(sgd({{"momentum", Node::scalar(momentum)}}));
    State state;
    for (const Slice& s : layout.slices) {
      std::vector<float> w(s.size()), g(s.size());
      optimizer->step(s, w, g, 0.1, state);
    }
    EXPECT_EQ(optimizer->state_bytes(layout), state.bytes());
  }
}

TEST(SgdTest, ASavedStateContinuesTheSame) {
  const auto optimizer = make(sgd({{"momentum", Node::scalar("0.9")}}));
  const Slice slice = two_slices().slices[0];
  std::vector<float> g(12), w(12), again;
  Numbers(1).fill(g);
  State state;
  optimizer->step(slice, w, g, 0.1, state);
  again = w;
  State loaded = State::load(state.save());
  optimizer->step(slice, w, g, 0.1, state);
  optimizer->step(slice, again, g, 0.1, loaded);
  EXPECT_EQ(differing(w, again), 0u);
}

TEST(ScheduleTest, FactorsAreTheFormulas) {
  const auto rate = [](const Node& node, std::int64_t round, std::int64_t horizon) {
    return make(sgd({{"schedule", node}}))->learning_rate(round, horizon) / 0.1;
  };
  EXPECT_EQ(make(sgd())->learning_rate(50, 100), 0.1);
  EXPECT_EQ(rate(schedule("constant"), 99, 100), 1);
  const Node step =
      schedule("step", {{"every", Node::scalar("10")}, {"factor", Node::scalar("0.5")}});
  EXPECT_DOUBLE_EQ(rate(step, 9, 100), 1);
  EXPECT_DOUBLE_EQ(rate(step, 10, 100), 0.5);
  EXPECT_DOUBLE_EQ(rate(step, 39, 100), 0.125);
  EXPECT_DOUBLE_EQ(rate(schedule("exponential", {{"factor", Node::scalar("0.9")}}), 7, 100),
                   std::pow(0.9, 7));
  const Node cosine = schedule("cosine", {{"floor", Node::scalar("0.2")}});
  EXPECT_DOUBLE_EQ(rate(cosine, 0, 100), 1);
  EXPECT_DOUBLE_EQ(rate(cosine, 50, 100), 0.6);
  EXPECT_DOUBLE_EQ(rate(cosine, 100, 100), 0.2);
  EXPECT_DOUBLE_EQ(rate(cosine, 150, 100), 0.2);
}

TEST(OptimizerSchemaTest, TheLearningRateIsTheUsersChoice) {
  EXPECT_EQ(problems<Optimizer>(map_of({{"name", Node::scalar("sgd")}})),
            "learning_rate: required by sgd; skiff has no default that changes results\n");
  EXPECT_EQ(problems<Optimizer>(Node::scalar("adam")),
            ": expected a map, found \"adam\"; write {name: adamw, learning_rate: ...}\n");
}

TEST(OptimizerSchemaTest, AbsurdNumbersAreRefused) {
  const auto refused = [](const std::string& key, const std::string& value) {
    Node node = sgd();
    node.set(key, Node::scalar(value));
    return problems<Optimizer>(node);
  };
  EXPECT_NE(refused("learning_rate", "0"), "");
  EXPECT_NE(refused("learning_rate", "-1"), "");
  EXPECT_NE(refused("learning_rate", "nan"), "");
  EXPECT_NE(refused("learning_rate", "1e999"), "");
  EXPECT_EQ(refused("momentum", "1"), "momentum: 1 never forgets a step; write less than 1\n");
  EXPECT_NE(refused("momentum", "-0.1"), "");
  EXPECT_EQ(refused("weight_decay", "10"),
            "weight_decay: learning_rate * weight_decay is 1 or more: a step would wipe the "
            "weights out\n");
  EXPECT_NE(refused("client_state", "sometimes"), "");
  EXPECT_NE(refused("state_limit", "2"), "");
  EXPECT_EQ(refused("state_limit", "2 GB"), "");
  EXPECT_EQ(refused("state_limit", "none"), "");
  EXPECT_NE(refused("schedule", "cosine").find("write {name: cosine"), std::string::npos);
  EXPECT_NE(refused("beta1", "0.9").find("unknown to sgd; it belongs to adam-8bit"),
            std::string::npos);
}

TEST(OptimizerSchemaTest, WhatBecomesOfTheStateIsAWord) {
  const auto policy = [](const char* word) {
    return make(sgd({{"client_state", Node::scalar(word)}}))->client_state();
  };
  EXPECT_EQ(make(sgd())->client_state(), ClientStatePolicy::kReset);
  EXPECT_EQ(policy("reset"), ClientStatePolicy::kReset);
  EXPECT_EQ(policy("persistent"), ClientStatePolicy::kPersistent);
}

TEST(OptimizerSchemaTest, MomentumIsFoundByItsOtherName) {
  Node node = sgd({{"momentum", Node::scalar("0.9")}});
  const auto one = make(node);
  node.set("name", Node::scalar("sgd-momentum"));
  const auto other = make(node);
  Layout layout;
  layout.add("x", 3, 1);
  std::vector<float> a{1, 2, 3}, b = a;
  const std::vector<float> g{0.5F, -1, 0.25F};
  State of_one, of_other;
  for (int t = 0; t < 5; ++t) {
    one->step(layout.slices[0], a, g, 0.1, of_one);
    other->step(layout.slices[0], b, g, 0.1, of_other);
  }
  EXPECT_EQ(a, b);
  Node without = sgd();
  without.set("name", Node::scalar("sgd-momentum"));
  EXPECT_EQ(problems<Optimizer>(without), "momentum: required by sgd-momentum\n");
}

TEST(OptimizerSchemaTest, DefaultsArePrintedInTheLanguage) {
  std::string text;
  for (const FieldInfo& f : Registry<Optimizer>::instance().find("sgd")->fields) {
    text += f.name + "=" + f.default_text + " ";
  }
  EXPECT_EQ(text,
            "learning_rate= weight_decay=0 schedule={name: constant} client_state=reset "
            "state_limit=none momentum=0 ");
}

}  // namespace
}  // namespace skiff
