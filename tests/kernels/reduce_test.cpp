#include "algorithms/kernels/reduce.h"

#include <limits>

#include "tests/kernels/kernel_test.h"

namespace skiff::kernels {
namespace {

using testing::differing;
using testing::Numbers;

// The definition: strided lanes over zero padding, then the tree.
template <class T, class Step>
T lanes(std::size_t n, Step step) {
  T lane[16] = {};
  for (std::size_t i = 0; i < (n + 15) / 16 * 16; ++i) lane[i % 16] = step(lane[i % 16], i);
  for (int width = 8; width > 0; width /= 2) {
    for (int l = 0; l < width; ++l) lane[l] += lane[l + width];
  }
  return lane[0];
}

TEST(ReduceTest, SumsFollowTheFixedTreeAtEveryAddress) {
  Numbers numbers(1);
  for (std::size_t n = 0; n <= 100; ++n) {
    for (std::size_t offset = 0; offset < 4; ++offset) {
      const std::vector<float> a = numbers.floats(n + offset), b = numbers.floats(n + offset);
      const std::span<const float> x(a.data() + offset, n), y(b.data() + offset, n);
      const auto at = [n](std::span<const float> v, std::size_t i) { return i < n ? v[i] : 0.0F; };
      const auto wide = [&at](std::span<const float> v, std::size_t i) {
        return static_cast<double>(at(v, i));
      };
      ASSERT_EQ(dot16(x, y), lanes<float>(n, [&](float s, std::size_t i) {
                  return std::fma(at(x, i), at(y, i), s);
                }));
      ASSERT_EQ(sum16(x), lanes<float>(n, [&](float s, std::size_t i) { return s + at(x, i); }));
      ASSERT_EQ(squared_norm16(x), dot16(x, x));
      ASSERT_EQ(dot_double(x, y), lanes<double>(n, [&](double s, std::size_t i) {
                  return std::fma(wide(x, i), wide(y, i), s);
                }));
      ASSERT_EQ(sum_double(x),
                lanes<double>(n, [&](double s, std::size_t i) { return s + wide(x, i); }));
      ASSERT_EQ(squared_distance_double(x, y), lanes<double>(n, [&](double s, std::size_t i) {
                  const double difference = wide(x, i) - wide(y, i);
                  return std::fma(difference, difference, s);
                }));
      const std::vector<double> doubles(x.begin(), x.end());
      ASSERT_EQ(sum_double(doubles), sum_double(x));
      ASSERT_EQ(squared_norm_double(x), dot_double(x, x));
    }
  }
}

TEST(ReduceTest, ElementwiseUpdates) {
  Numbers numbers(2);
  for (std::size_t n = 0; n <= 40; ++n) {
    const std::vector<float> x = numbers.floats(n), y = numbers.floats(n);
    std::vector<float> updated = y, sum(n), scaled(n), added(n), difference(n);
    std::vector<double> mean(n, 0.25);
    axpy(updated, 0.3F, x);
    axpy(mean, 0.1, x);
    add_scaled(sum, y, 0.3F, x);
    scale(scaled, 0.3F, x);
    add(added, x, y);
    subtract(difference, x, y);
    for (std::size_t i = 0; i < n; ++i) {
      ASSERT_EQ(updated[i], std::fma(0.3F, x[i], y[i]));
      ASSERT_EQ(sum[i], updated[i]);
      ASSERT_EQ(mean[i], std::fma(0.1, static_cast<double>(x[i]), 0.25));
      ASSERT_EQ(scaled[i], 0.3F * x[i]);
      ASSERT_EQ(added[i], x[i] + y[i]);
      ASSERT_EQ(difference[i], x[i] - y[i]);
    }
  }
}

TEST(ReduceTest, GreatestMagnitudeAndFiniteness) {
  std::vector<float> x = {1, -3, 2, 0};
  EXPECT_EQ(max_abs(x), 3.0F);
  EXPECT_EQ(max_abs({}), 0.0F);
  EXPECT_TRUE(all_finite(x));
  EXPECT_TRUE(all_finite({}));
  for (const float bad : {NAN, std::numeric_limits<float>::infinity()}) {
    x[2] = bad;
    EXPECT_FALSE(all_finite(x));
  }
  EXPECT_EQ(max_abs(std::vector<float>{1, NAN, -2}), 2.0F);
}

}  // namespace
}  // namespace skiff::kernels
