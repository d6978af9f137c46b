#include "algorithms/kernels/four_bits.h"

#include <algorithm>
#include <limits>

#include "tests/kernels/kernel_test.h"

namespace skiff::kernels {
namespace {

using testing::Numbers;

// One value after the other, as the definition says.
struct Naive {
  std::vector<std::uint8_t> codes;  // one each
  std::vector<float> left;
};
Naive naive(const std::vector<float>& x, float least, float unit) {
  Naive out;
  for (const float v : x) {
    const float place = std::floor((v - least) / unit + 0.5F);
    const float code = unit > 0 && place > 0 ? std::min(place, 15.0F) : 0.0F;
    out.codes.push_back(static_cast<std::uint8_t>(code));
    out.left.push_back(v + std::fma(code, -unit, -least));
  }
  return out;
}

std::uint8_t code_at(const std::vector<std::uint8_t>& codes, std::size_t i) {
  return static_cast<std::uint8_t>(i % 2 == 0 ? codes[i / 2] >> 4 : codes[i / 2] & 15);
}

// Of every length and place, ranges that cover the values and ranges that do not.
TEST(FourBitsTest, TheBitsOfTheDefinition) {
  Numbers numbers(1);
  for (std::size_t n = 1; n <= 70; ++n) {
    for (const std::size_t first : {0U, 1U, 6U, 7U}) {
      for (const auto& [least, unit] :
           {std::pair(-1.0F, 2.0F / 15), std::pair(-0.3F, 0.01F), std::pair(0.5F, 0.0F)}) {
        const std::vector<float> x = numbers.floats(n);
        const Naive expected = naive(x, least, unit);
        std::vector<std::uint8_t> codes((first + n) / 2 + 1, 0xa5);
        const std::vector<std::uint8_t> before = codes;
        std::vector<float> left = x;
        take_four_bits(codes.data(), left, first, least, unit);
        for (std::size_t i = 0; i < 2 * codes.size(); ++i) {
          const bool own = i >= first && i < first + n;
          ASSERT_EQ(code_at(codes, i), own ? expected.codes[i - first] : code_at(before, i)) << n;
        }
        ASSERT_EQ(left, expected.left) << n;
        std::vector<float> sum = x;
        add_four_bits(sum, sum.data(), codes.data(), first, least, unit);
        for (std::size_t i = 0; i < n; ++i) {
          const auto code = static_cast<float>(expected.codes[i]);
          ASSERT_EQ(sum[i], x[i] + std::fma(code, unit, least)) << n;
        }
      }
    }
  }
}

TEST(FourBitsTest, RangesOfEveryLength) {
  Numbers numbers(2);
  for (std::size_t n = 1; n <= 70; ++n) {
    const std::vector<float> x = numbers.floats(n);
    const Range range = range_of(x);
    EXPECT_EQ(range.least, *std::min_element(x.begin(), x.end()));
    EXPECT_EQ(range.greatest, *std::max_element(x.begin(), x.end()));
  }
  const Range zero = range_of(std::vector<float>(9, -0.0F));
  EXPECT_FALSE(std::signbit(zero.least) || std::signbit(zero.greatest));
}

TEST(FourBitsTest, WhatIsNoNumberIsCodeZero) {
  std::vector<float> x(20, std::numeric_limits<float>::quiet_NaN());
  std::vector<std::uint8_t> codes(10, 0xff);
  take_four_bits(codes.data(), x, 0, -1, 0.1F);
  EXPECT_EQ(codes, std::vector<std::uint8_t>(10));
}

}  // namespace
}  // namespace skiff::kernels
