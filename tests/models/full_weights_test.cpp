#include "algorithms/models/full_weights.h"

#include "tests/models/model_test.h"

namespace skiff {
namespace {

using testing::differing;
using testing::Numbers;
using testing::random_vector;

LayoutPtr two_layers() {
  Layout layout;
  layout.add("hidden.0.weight", 6, 5, Order::kInOut);
  layout.add("hidden.0.bias", 6, 1);
  layout.add("output.weight", 3, 6);
  return std::make_shared<const Layout>(layout);
}

struct Factors {
  Factors() : x(5 * 4), dy(6 * 4) {
    Numbers numbers(8);
    numbers.fill(x);
    numbers.fill(dy);
    for (int b = 0; b < 4; ++b) rows.push_back(x.data() + 5 * b);
  }
  kernels::Rows inputs() const { return {rows.data(), 4, 5}; }
  kernels::ConstMatrixView deltas() const { return {dy.data(), 4, 6, 6}; }
  std::vector<float> x, dy;
  std::vector<const float*> rows;
};

TEST(FullWeightsTest, GradientsAddUpUntilTheyAreCleared) {
  const Factors f;
  const Vector start(two_layers());
  FullWeights weights(start);
  weights.backward_weight(0, 1, f.inputs(), f.deltas());
  const std::vector<float> once = weights.gradient().values;
  double first = 0;
  for (int b = 0; b < 4; ++b) first += double{f.x[5 * b]} * f.dy[6 * b];
  EXPECT_NEAR(once[0], first, 1e-6);
  weights.backward_weight(0, 1, f.inputs(), f.deltas());
  for (std::size_t i = 0; i < once.size(); ++i) {
    EXPECT_NEAR(weights.gradient().values[i], 2 * once[i], 1e-6);
  }
  weights.clear_gradient();
  weights.backward_weight(0, 1, f.inputs(), f.deltas());
  EXPECT_EQ(differing(weights.gradient().values, once), 0u);
  weights.clear_gradient();
  for (const float g : weights.gradient().values) EXPECT_EQ(g, 0);
}

TEST(FullWeightsTest, AGradientMayComeDense) {
  const Vector start(two_layers());
  FullWeights weights(start);
  const std::vector<float> g(18, 0.5F);
  weights.add_gradient(2, g);
  weights.add_gradient(2, g);
  EXPECT_EQ(weights.gradient().values[36], 1);
  EXPECT_EQ(weights.gradient().values[35], 0);
  weights.fuse_sgd(0.25F);
  weights.add_gradient(2, g);
  EXPECT_EQ(weights.values(2)[17], -0.125F);
}

TEST(FullWeightsTest, InputGradientsGoThroughTheMask) {
  const Factors f;
  const Vector start = random_vector(two_layers(), 5, 1);
  FullWeights weights(start);
  std::vector<float> dx(20), masked(20);
  weights.backward_input(0, f.deltas(), {nullptr, 0, 0, 0}, kernels::dense(dx.data(), 4, 5));
  weights.backward_input(0, f.deltas(), {f.x.data(), 4, 5, 5}, kernels::dense(masked.data(), 4, 5));
  for (int b = 0; b < 4; ++b) {
    for (int i = 0; i < 5; ++i) {
      float sum = 0;
      for (int o = 0; o < 6; ++o) sum = std::fma(f.dy[6 * b + o], start.values[6 * i + o], sum);
      EXPECT_EQ(dx[5 * b + i], sum);
      EXPECT_EQ(masked[5 * b + i], f.x[5 * b + i] > 0 ? sum : 0);
    }
  }
}

TEST(FullWeightsTest, TheUpdateIsTheChangeSinceBinding) {
  const Vector start = random_vector(two_layers(), 5, 1);
  FullWeights weights(start);
  Vector change;
  weights.update(change);
  EXPECT_EQ(change.layout, start.layout);
  for (const float d : change.values) EXPECT_EQ(d, 0);
  weights.parameters().values[7] += 2;
  weights.update(change);
  EXPECT_EQ(change.values[7], weights.parameters().values[7] - start.values[7]);
}

TEST(FullWeightsTest, AnotherJobTakesOverTheMemoryAndNothingElse) {
  const Factors f;
  const Vector first = random_vector(two_layers(), 5, 1),
               second = random_vector(two_layers(), 6, 1);
  FullWeights weights(first);
  weights.backward_weight(0, 1, f.inputs(), f.deltas());
  const float* memory = weights.gradient().values.data();
  const float* values = weights.parameters().values.data();
  weights.fuse_sgd(0.5F);
  weights.rebind(second);
  EXPECT_EQ(weights.parameters().values, second.values);
  for (const float g : weights.gradient().values) EXPECT_EQ(g, 0);
  weights.backward_weight(0, 1, f.inputs(), f.deltas());
  EXPECT_EQ(weights.parameters().values, second.values) << "still fused";
  EXPECT_EQ(weights.gradient().values.data(), memory);
  EXPECT_EQ(weights.parameters().values.data(), values);
}

}  // namespace
}  // namespace skiff
