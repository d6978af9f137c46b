#include "algorithms/kernels/fwht.h"

#include "algorithms/kernels/radixpack.h"
#include "algorithms/kernels/reduce.h"
#include "tests/kernels/kernel_test.h"

namespace skiff::kernels {
namespace {

using testing::Numbers;

std::vector<float> transformed(std::vector<float> x) {
  fwht(x);
  return x;
}

TEST(FwhtTest, EveryBitIsThatOfTheTripleLoop) {
  Numbers numbers(1);
  for (std::size_t n = 1; n <= 8192; n *= 2) {
    const std::vector<float> x = numbers.floats(n);
    std::vector<float> plain = x;
    for (std::size_t h = 1; h < n; h *= 2) {
      for (std::size_t i = 0; i < n; i += 2 * h) {
        for (std::size_t j = i; j < i + h; ++j) {
          const float a = plain[j], b = plain[j + h];
          plain[j] = a + b;
          plain[j + h] = a - b;
        }
      }
    }
    EXPECT_EQ(transformed(x), plain) << n;
  }
}

TEST(FwhtTest, TheMatrixIsThatOfParities) {
  constexpr std::size_t n = 1024;
  Numbers numbers(2);
  const std::vector<float> x = numbers.floats(n), y = transformed(x);
  for (std::size_t i = 0; i < n; i += 7) {
    double sum = 0;
    for (std::size_t j = 0; j < n; ++j) sum += (std::popcount(i & j) % 2 == 0 ? 1.0 : -1.0) * x[j];
    EXPECT_NEAR(y[i], sum, 1e-6 * 32 * 18.5)
        << i;  // |y| is about 18.5, of the order of sqrt(n / 3)
  }
}

TEST(FwhtTest, IsItsOwnInverseAndKeepsNorms) {
  for (const std::size_t n : {32, 64, 128, 512, 1024}) {
    Numbers numbers(n);
    const std::vector<float> x = numbers.floats(n), y = transformed(x), twice = transformed(y);
    const auto size = static_cast<double>(n);
    EXPECT_NEAR(squared_norm_double(y) / (size * squared_norm_double(x)), 1, 1e-6);
    for (std::size_t i = 0; i < n; ++i) EXPECT_NEAR(twice[i] / size, x[i], 2e-6) << n;
  }
}

TEST(RadixTest, EveryCodeComesBack) {
  Numbers numbers(3);
  for (const int n : {2, 3, 4, 9, 16, 64, 88, 256, 1000, 65536}) {
    for (const std::size_t count : {0, 1, 2, 18, 19, 20, 38, 127, 128, 129, 1000}) {
      std::vector<std::uint16_t> codes(count), back(count);
      for (std::uint16_t& c : codes) c = static_cast<std::uint16_t>(numbers.below(n));
      if (count > 0) codes.back() = static_cast<std::uint16_t>(n - 1);
      std::vector<std::uint8_t> packed(radix_bytes(count, n) + 1, 0xa5);
      pack_radix(std::span(packed).first(packed.size() - 1), codes, n);
      EXPECT_EQ(packed.back(), 0xa5) << n << " x " << count;
      unpack_radix(back, packed, n);
      EXPECT_EQ(codes, back) << n << " x " << count;
    }
  }
}

TEST(RadixTest, BytesFollowTheFormula) {
  EXPECT_EQ(radix_bytes(19, 88), 16U);  // 19 log2 88 = 122.7 bits
  EXPECT_EQ(radix_bytes(20, 88), 17U);
  EXPECT_EQ(radix_bytes(32, 88), 27U);  // 13 codes are 84 bits
  EXPECT_EQ(radix_bytes(80, 3), 16U);   // 126.8 bits
  EXPECT_EQ(radix_bytes(128, 2), 16U);
  EXPECT_EQ(radix_bytes(1000, 256), 1000U);
}

// Whatever stands in a file, the codes lie below n.
TEST(RadixTest, DamagedBytesGiveCodesWithinRange) {
  Numbers numbers(4);
  for (const int n : {3, 9, 88}) {
    std::vector<std::uint8_t> packed(radix_bytes(100, n));
    for (std::uint8_t& b : packed) b = static_cast<std::uint8_t>(numbers.below(256));
    std::vector<std::uint16_t> codes(100);
    unpack_radix(codes, packed, n);
    for (const std::uint16_t c : codes) EXPECT_LT(c, n);
  }
}

}  // namespace
}  // namespace skiff::kernels
