// Adam in 8 bits: Adam where a slice is small, near it where not, and what the device keeps.
#include "algorithms/optimizer.h"
#include "tests/models/model_test.h"
#include "tests/optimizers/mushrooms.h"
#include "tests/real_data.h"

namespace skiff {
namespace {

using testing::differing;
using testing::map_of;
using testing::Numbers;

std::shared_ptr<const Optimizer> make(const char* name, const char* block = nullptr) {
  testing::Entries keys{{"name", Node::scalar(name)}, {"learning_rate", Node::scalar("0.01")}};
  if (block != nullptr) keys.emplace_back("block", Node::scalar(block));
  return Registry<Optimizer>::instance().make(map_of(keys));
}

Layout two_slices(int large) {
  Layout layout;
  layout.add("large", large, 1);
  layout.add("small", 63, 65);  // 4,095 values
  return layout;
}

TEST(Adam8BitTest, ASmallSliceIsAdamsToTheBit) {
  const Slice slice = two_slices(5000).slices[1];
  std::vector<float> a(slice.size()), g(slice.size());
  Numbers numbers(3);
  numbers.fill(a);
  std::vector<float> b = a;
  State of_a, of_b;
  for (int t = 0; t < 5; ++t) {
    numbers.fill(g);
    make("adam-8bit")->step(slice, a, g, 0.01, of_a);
    make("adamw")->step(slice, b, g, 0.01, of_b);
  }
  EXPECT_EQ(differing(a, b), 0U);
}

// The first step knows no rounding; later ones differ by at most what 8 bits do to the moments.
TEST(Adam8BitTest, ALargeSliceStaysNearAdam) {
  const Slice slice = two_slices(5000).slices[0];
  std::vector<float> a(slice.size()), g(slice.size());
  Numbers numbers(3);
  numbers.fill(a);
  std::vector<float> b = a;
  State of_a, of_b;
  for (int t = 1; t <= 100; ++t) {
    numbers.fill(g);
    make("adam-8bit")->step(slice, a, g, 0.01, of_a);
    make("adamw")->step(slice, b, g, 0.01, of_b);
    if (t == 1) {
      ASSERT_EQ(differing(a, b), 0U);
    }
  }
  double apart = 0, moved = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    apart += (a[i] - b[i]) * (a[i] - b[i]);
    moved += b[i] * b[i];
  }
  EXPECT_LT(std::sqrt(apart / moved), 0.05);
  EXPECT_GT(apart, 0);
}

// With one value a block every moment is its own scale: code 1, and nothing is lost.
TEST(Adam8BitTest, BlocksOfOneLoseNothing) {
  const Slice slice = two_slices(4096).slices[0];
  std::vector<float> a(slice.size()), g(slice.size());
  Numbers numbers(3);
  numbers.fill(a);
  std::vector<float> b = a;
  State of_a, of_b;
  for (int t = 0; t < 5; ++t) {
    numbers.fill(g);
    for (float& x : g) x = std::abs(x);  // 8 bits know -0.993, not -1
    make("adam-8bit", "1")->step(slice, a, g, 0.01, of_a);
    make("adamw")->step(slice, b, g, 0.01, of_b);
  }
  EXPECT_EQ(differing(a, b), 0U);
}

TEST(Adam8BitTest, StateIsTwoBytesAValueAndScales) {
  const auto optimizer = make("adam-8bit");
  const Layout layout = two_slices(5000);
  State state;
  for (const Slice& s : layout.slices) {
    std::vector<float> w(s.size()), g(s.size(), 1.0F);
    optimizer->step(s, w, g, 0.1, state);
  }
  EXPECT_EQ(state.bytes().value(), 2 * 5000 + 8 * 3 + 8 * 4095 + 2 * 8);
  EXPECT_EQ(optimizer->state_bytes(layout), state.bytes());
}

// 37 copies of the 112 weights are one slice that is large enough; they share the gradient.
TEST(Adam8BitTest, MushroomsWithinThreePercentOfAdam) {
  const std::string path = test::real_data("libsvm/mushrooms.txt");
  if (path.empty()) GTEST_SKIP() << "libsvm/mushrooms.txt is not in $SKIFF_DATA";
  const testing::Mushrooms data(path);
  const auto loss = [&](const char* name) {
    const auto optimizer = make(name);
    const Slice slice = two_slices(37 * 112).slices[0];
    std::vector<float> w(slice.size()), one(112), g(slice.size());
    State state;
    for (int t = 1; t <= 600; ++t) {
      std::copy_n(w.begin(), 112, one.begin());
      const std::vector<float> of_one = data.gradient(t, one);
      for (std::size_t i = 0; i < g.size(); ++i) g[i] = of_one[i % 112];
      optimizer->step(slice, w, g, 0.01, state);
    }
    std::copy_n(w.begin(), 112, one.begin());
    return data.loss(one);
  };
  const double adam = loss("adamw");
  EXPECT_NEAR(adam, 0.021923, 2e-4);
  EXPECT_NEAR(loss("adam-8bit"), adam, 0.03 * adam);
}

}  // namespace
}  // namespace skiff
