#include "algorithms/kernels/topk.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "tests/kernels/kernel_test.h"

namespace skiff::kernels {
namespace {

using testing::Numbers;

std::vector<std::uint32_t> reference(const std::vector<float>& x, std::size_t k) {
  std::vector<std::uint32_t> order(x.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(), [&x](std::uint32_t a, std::uint32_t b) {
    return std::fabs(x[a]) > std::fabs(x[b]);
  });
  order.resize(k);
  std::sort(order.begin(), order.end());
  return order;
}

void check(const std::vector<float>& x, std::size_t k) {
  std::vector<std::uint32_t> indices(k), scratch(top_k_scratch(x.size(), k));
  const float least = top_k(indices, x, scratch);
  const std::vector<std::uint32_t> expected = reference(x, k);
  ASSERT_EQ(indices, expected) << x.size() << ' ' << k;
  float smallest = k == 0 ? 0 : std::numeric_limits<float>::infinity();
  for (const std::uint32_t i : expected) smallest = std::min(smallest, std::fabs(x[i]));
  ASSERT_EQ(least, smallest);
}

TEST(TopkTest, SmallArraysWithTies) {
  Numbers numbers(1);
  for (std::size_t n = 1; n <= 40; ++n) {
    std::vector<float> x(n);
    for (float& v : x) v = static_cast<float>(numbers.below(9) - 4);
    for (std::size_t k = 0; k <= n; ++k) check(x, k);
  }
}

TEST(TopkTest, LargeArraysOfEveryKind) {
  Numbers numbers(2);
  constexpr std::size_t kSize = 200003;
  std::vector<float> smooth = numbers.floats(kSize), steep = smooth, coarse = smooth,
                     zeros = smooth;
  for (float& v : steep) v = v * v * v * v * v;
  for (float& v : coarse) v = std::round(v * 20);
  for (float& v : zeros) v = v > 0.999F ? v : 0;
  std::vector<float> sorted = smooth, equal(kSize, -2.5F), hidden(kSize, 1e-3F);
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 1; i < kSize; i += 3) hidden[i] = smooth[i];  // strides may miss these
  for (const auto& x : {smooth, steep, coarse, zeros, sorted, equal, hidden}) {
    for (const std::size_t k : {std::size_t{1}, std::size_t{200}, std::size_t{2000},
                                std::size_t{20000}, std::size_t{150000}, kSize}) {
      check(x, k);
    }
  }
}

TEST(TopkTest, BlocksOfEveryKind) {
  Numbers numbers(4);
  for (const std::size_t n : {100U, 1003U, 16384U, 65536U}) {
    std::vector<float> smooth = numbers.floats(n), coarse = smooth, rare = smooth, sorted = smooth;
    for (float& v : coarse) v = std::round(v * 20);
    for (float& v : rare) v = v > 0.99F ? v : 0;
    std::sort(sorted.begin(), sorted.end());
    std::vector<float> lanes(n);  // all large ones in one lane, and in one group
    for (std::size_t i = 0; i < n; ++i) lanes[i] = i % 8 == 3 ? smooth[i] : 1e-3F * smooth[i];
    for (const auto& x : {smooth, coarse, rare, sorted, lanes, std::vector<float>(n, -1.5F)}) {
      for (const std::size_t share : {1000U, 100U, 50U, 10U, 4U, 3U, 2U}) check(x, n / share);
    }
  }
}

TEST(TopkTest, SamplesThatMissEveryLargeElement) {
  // The samples lie at floor(i * n / 65536): with n = 4 * 65536 at multiples of 4.
  std::vector<float> x(4 * 65536, 1e-3F);
  Numbers numbers(3);
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (i % 4 == 1) x[i] = numbers.uniform(1, 2);
    if (i % 4 == 0) x[i] = numbers.uniform(0, 1e-6F);
  }
  check(x, 1000);
  for (float& v : x) v = 1 / v;  // and samples that are all among the largest
  check(x, 1000);
  check(x, 100000);
}

TEST(TopkTest, InfinitiesAndSignedZeros) {
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> x = {0.0F, -inf, -0.0F, 1, inf, 0.0F};
  for (std::size_t k = 0; k <= x.size(); ++k) check(x, k);
  EXPECT_FALSE(contains_nan(x));
  EXPECT_TRUE(contains_nan(std::vector<float>{1, 2, NAN}));
  EXPECT_FALSE(contains_nan({}));
}

TEST(TopkTest, GatherAndScatter) {
  const std::vector<float> x = {5, 6, 7, 8};
  const std::vector<std::uint32_t> indices = {1, 3};
  std::vector<float> values(2), back(4, 0);
  gather(values, x, indices);
  scatter(back, values, indices);
  EXPECT_EQ(values, (std::vector<float>{6, 8}));
  EXPECT_EQ(back, (std::vector<float>{0, 6, 0, 8}));
}

}  // namespace
}  // namespace skiff::kernels
