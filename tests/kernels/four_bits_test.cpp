#include "algorithms/kernels/four_bits.h"

#include <algorithm>
#include <limits>

#include "algorithms/kernels/bfloat16.h"
#include "tests/kernels/kernel_test.h"

namespace skiff::kernels {
namespace {

using testing::Numbers;

std::uint8_t code_at(const std::vector<std::uint8_t>& codes, std::size_t i) {
  return static_cast<std::uint8_t>(i % 2 == 0 ? codes[i / 2] >> 4 : codes[i / 2] & 15);
}

struct Kept {
  std::vector<std::uint8_t> codes;
  std::vector<std::uint16_t> ranges;
  std::size_t bucket;

  Kept(std::size_t d, std::size_t of)
      : codes((d + 1) / 2, 0xa5), ranges(2 * (d / of + 1), 0x3f80), bucket(of) {}
  FourBits view() { return {codes.data(), ranges.data(), bucket}; }
};

// One value after the other, as the definition says: values first, first + 1, ... are x.
TakenSquares check(Kept& kept, const std::vector<float>& x, std::size_t first) {
  TakenSquares squares{0, 0};
  for (std::size_t begin = 0; begin < x.size(); begin += kept.bucket) {
    const std::size_t b = (first + begin) / kept.bucket;
    const auto from = x.begin() + static_cast<std::ptrdiff_t>(begin);
    const std::size_t n = std::min(kept.bucket, x.size() - begin);
    const auto [low, high] = std::minmax_element(from, from + static_cast<std::ptrdiff_t>(n));
    EXPECT_EQ(kept.ranges[2 * b], to_bfloat16(*low));
    EXPECT_EQ(kept.ranges[2 * b + 1], to_bfloat16(*high));
    const float least = from_bfloat16(to_bfloat16(*low));
    const float width = from_bfloat16(to_bfloat16(*high)) - least, unit = width / 15;
    std::vector<float> back(n, 10.0F);
    add_four_bits(back, back.data(), kept.view(), first + begin);
    for (std::size_t i = 0; i < n; ++i) {
      const float v = from[static_cast<std::ptrdiff_t>(i)];
      const float place = width > 0 ? std::floor((v - least) * (15 / width) + 0.5F) : 0;
      const float code = place > 0 ? std::min(place, 15.0F) : 0.0F;
      EXPECT_EQ(code_at(kept.codes, first + begin + i), code);
      EXPECT_EQ(back[i], 10.0F + std::fma(code, unit, least));
      const double left = double{v} - double{std::fma(code, unit, least)};
      squares.given += double{v} * double{v}, squares.lost += left * left;
    }
  }
  return squares;
}

TEST(FourBitsTest, TheBitsOfTheDefinition) {
  Numbers numbers(1);
  for (std::size_t n = 1; n <= 150; ++n) {
    for (const std::size_t bucket : {1U, 7U, 16U, 24U, 64U, 1000U}) {
      for (const std::size_t first : {std::size_t{0}, bucket, 3 * bucket}) {
        Kept kept(first + n, bucket);
        const Kept before = kept;
        const std::vector<float> x = numbers.floats(n);
        const TakenSquares squares = take_four_bits(kept.view(), x, first);
        const TakenSquares expected = check(kept, x, first);
        ASSERT_NEAR(squares.given, expected.given, 1e-5 * expected.given) << n;
        ASSERT_NEAR(squares.lost, expected.lost, 1e-3 * expected.lost + 1e-12) << n;
        for (std::size_t i = 0; i < first; ++i) {
          ASSERT_EQ(code_at(kept.codes, i), code_at(before.codes, i)) << n;
        }
        for (std::size_t b = 0; b < first / bucket; ++b) ASSERT_EQ(kept.ranges[2 * b], 0x3f80);
        ASSERT_FALSE(::testing::Test::HasFailure()) << n << ' ' << bucket << ' ' << first;
      }
    }
  }
}

TEST(FourBitsTest, WhatIsEqualComesBackAsBfloat16) {
  for (const float value : {0.75F, 0.0F, -0.0F, -3.0F}) {
    Kept kept(20, 16);
    const std::vector<float> x(20, value);
    EXPECT_EQ(take_four_bits(kept.view(), x, 0).lost, 0);
    EXPECT_EQ(kept.codes, std::vector<std::uint8_t>(10));
    if (value == 0) {
      EXPECT_EQ(kept.ranges, std::vector<std::uint16_t>(4));  // +0
    }
    std::vector<float> back(20);
    add_four_bits(back, back.data(), kept.view(), 0);
    EXPECT_EQ(back, x);
  }
}

TEST(FourBitsTest, WhatIsNoNumberIsCodeZero) {
  Kept kept(20, 20);
  const std::vector<float> x(20, std::numeric_limits<float>::quiet_NaN());
  take_four_bits(kept.view(), x, 0);
  EXPECT_EQ(kept.codes, std::vector<std::uint8_t>(10));
}

}  // namespace
}  // namespace skiff::kernels
