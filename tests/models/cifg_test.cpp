// The keyboard's LSTM: sizes, gradients, costs, grouping.
#include "algorithms/kernels/cifg.h"

#include <cmath>

#include "tests/models/text_test.h"

namespace skiff {
namespace {

using testing::build;
using testing::differing;
using testing::expect_gradient;
using testing::hash_of;
using testing::model;
using testing::problems;
using testing::random_vector;
using testing::text_task;
using testing::Texts;

Node shape() {
  return model("cifg-lstm", {{"hidden", Node::scalar("13")}, {"width", Node::scalar("10")}});
}
TaskShape next_token(int length = 9) { return text_task(TaskKind::kNextToken, 31, length); }

TEST(CifgTest, TheBasePresetHasThePapersParameters) {
  const auto a = build(model("cifg-lstm", {{"preset", Node::scalar("base")}}),
                       text_task(TaskKind::kNextToken, 10000, 10));
  EXPECT_EQ(a->layout()->size, 1412250u);
  EXPECT_EQ(a->summary(), "cifg-lstm, 1,412,250 parameters");
  Vector w(a->layout());
  a->initialise(w, Stream(1, "start"));
  const Slice* bias = a->layout()->find("lstm.bias_ih_l0");
  EXPECT_EQ(w.values[bias->offset], 1);
  EXPECT_EQ(w.values[bias->offset + 670], 0);
}

TEST(CifgTest, GatesAreTheirDefinition) {
  testing::Numbers numbers(1);
  constexpr std::size_t n = 21;
  std::vector<float> gates(3 * n), before(n), c(n), t(n), h(n);
  numbers.fill(gates, 4);
  numbers.fill(before);
  const std::vector<float> a = gates;
  kernels::cifg(gates, before, {c, t, h});
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  for (std::size_t i = 0; i < n; ++i) {
    const double f = sigmoid(a[i]), g = std::tanh(a[n + i]), o = sigmoid(a[2 * n + i]);
    const double cell = f * before[i] + (1 - f) * g;
    EXPECT_NEAR(c[i], cell, 5e-7);
    EXPECT_NEAR(h[i], o * std::tanh(cell), 5e-7);
  }
}

TEST(CifgTest, GradientsAreSlopes) {
  const auto a = build(shape(), next_token());
  Texts texts(next_token(), 3, 5);
  for (int t = 6; t < 10; ++t) texts.text(1)[t] = kNoToken;
  expect_gradient(*a, random_vector(a->layout(), 1, 0.5F), texts.all(), 17);
}

TEST(CifgTest, DeclaredIsTaken) {
  for (const int batch : {1, 32, 40}) {
    const auto a = build(shape(), next_token());
    const Texts texts(next_token(), batch, 5);
    const Vector at = random_vector(a->layout(), 1, 0.5F);
    FullWeights weights(at);
    Workspace training, inference;
    const double loss = a->loss_and_gradient(weights, texts.all(), training);
    EXPECT_EQ(a->training_cost(batch).activations.value(),
              static_cast<std::int64_t>(training.peak_bytes()));
    const Evaluation e = a->evaluate(weights, texts.all(), inference);
    EXPECT_EQ(a->inference_cost(batch).activations.value(),
              static_cast<std::int64_t>(inference.peak_bytes()));
    EXPECT_EQ(e.rows, batch * 9);
    EXPECT_NEAR(e.loss / static_cast<double>(e.rows), loss, 1e-6);
  }
}

TEST(CifgTest, FlopsAreThoseOfEveryProduct) {
  const auto a = build(shape(), next_token());
  const double tokens = 4 * 9, gates = 39 * 10, projection = 130, head = 310;
  EXPECT_EQ(a->inference_cost(4).flops.value(), 2 * tokens * (2 * gates + projection + head));
  EXPECT_EQ(a->training_cost(4).flops.value(),
            2 * tokens * 3 * (2 * gates + projection + head) - 2 * 4 * gates);
}

TEST(CifgTest, ABatchIsItsSamplesWhateverTheGroups) {
  const auto a = build(shape(), next_token());
  const Texts texts(next_token(), 40, 4);
  const Vector at = random_vector(a->layout(), 1, 0.5F);
  FullWeights weights(at);
  Workspace workspace;
  std::vector<float> all(40 * 9 * 31), one(9 * 31);
  a->predict(weights, texts.all(), all, workspace);
  for (const int i : {0, 31, 32, 39}) {
    workspace.reset();
    a->predict(weights, texts.batch(i, 1), one, workspace);
    EXPECT_TRUE(std::equal(one.begin(), one.end(), all.begin() + i * 9 * 31)) << i;
  }
  a->loss_and_gradient(weights, texts.all(), workspace);
  EXPECT_EQ(hash_of(weights.gradient().values), 13730557322467727576u);
}

TEST(CifgTest, MistakesAreNamed) {
  EXPECT_NE(problems<ModelFamily>(model("cifg-lstm")).find("required by cifg-lstm"),
            std::string::npos);
  EXPECT_THROW(build(shape(), testing::classes_task(4, 3)), std::invalid_argument);
}

}  // namespace
}  // namespace skiff
