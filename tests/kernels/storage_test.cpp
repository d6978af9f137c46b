#include "algorithms/kernels/bitpack.h"
#include "algorithms/kernels/half.h"
#include "tests/kernels/kernel_test.h"

namespace skiff::kernels {
namespace {

using testing::Numbers;

TEST(HalfTest, EveryHalfConvertsAndReturns) {
  std::vector<std::uint16_t> all(65536), back(65536);
  std::vector<float> wide(65536);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint16_t>(i);
  from_half(wide, all);
  to_half(back, wide);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const float scalar = from_half(all[i]);
    ASSERT_EQ(std::bit_cast<std::uint32_t>(scalar), std::bit_cast<std::uint32_t>(wide[i])) << i;
    if (std::isnan(scalar)) continue;
    ASSERT_EQ(back[i], all[i]);
  }
}

TEST(HalfTest, RoundingEqualsTheScalarTwin) {
  std::vector<float> x;
  for (std::uint64_t b = 0; b <= 0xffffffffU; b += 4099) {
    x.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(b)));
  }
  for (std::uint32_t h = 0; h < 0x7c00U; ++h) {  // both sides of every tie
    const float low = from_half(static_cast<std::uint16_t>(h));
    const float high = h == 0x7bffU ? 65536.0F : from_half(static_cast<std::uint16_t>(h + 1));
    const float tie = 0.5F * low + 0.5F * high;
    for (const float v : {std::nextafter(tie, low), tie, std::nextafter(tie, high)}) {
      x.push_back(v);
      x.push_back(-v);
    }
  }
  std::vector<std::uint16_t> out(x.size());
  to_half(out, x);
  for (std::size_t i = 0; i < x.size(); ++i) ASSERT_EQ(out[i], to_half(x[i])) << x[i];
  EXPECT_EQ(to_half(1.0F), 0x3c00U);
  EXPECT_EQ(to_half(65519.0F), 0x7bffU);
  EXPECT_EQ(to_half(65520.0F), 0x7c00U);
}

TEST(HalfTest, TailsAreWrittenAndNothingElse) {
  for (std::size_t n = 0; n <= 20; ++n) {
    std::vector<float> x(n, 1.5F), wide(n + 1, 7);
    std::vector<std::uint16_t> h(n + 1, 9);
    to_half(h, x);
    from_half(wide, std::span(h).first(n));
    EXPECT_EQ(h[n], 9);
    EXPECT_EQ(wide[n], 7);
    for (std::size_t i = 0; i < n; ++i) EXPECT_EQ(wide[i], 1.5F);
  }
}

// Bit by bit, as the definition says.
template <class Code>
std::vector<std::uint8_t> reference(const std::vector<Code>& codes, int bits) {
  std::vector<std::uint8_t> out(packed_bytes(codes.size(), bits), 0);
  std::size_t at = 0;
  for (const Code code : codes) {
    for (int j = 0; j < bits; ++j, ++at) {
      const unsigned bit = static_cast<unsigned>(code >> j) & 1U;
      out[at / 8] = static_cast<std::uint8_t>(out[at / 8] | bit << at % 8);
    }
  }
  return out;
}

template <class Code>
void round_trip(int widest) {
  Numbers numbers(1);
  for (int bits = 1; bits <= widest; ++bits) {
    for (std::size_t n = 0; n <= 50; ++n) {
      std::vector<Code> codes(n), back(n + 1, Code{77});
      for (Code& c : codes) c = static_cast<Code>(numbers.bits());
      const std::vector<std::uint8_t> expected = reference(codes, bits);
      std::vector<std::uint8_t> packed(expected.size() + 1, 0xaa);
      pack_bits(packed, codes, bits);
      ASSERT_EQ(packed.back(), 0xaa);
      packed.pop_back();
      ASSERT_EQ(packed, expected) << bits << ' ' << n;
      unpack_bits(std::span(back).first(n), packed, bits);
      ASSERT_EQ(back[n], Code{77});
      const auto mask = static_cast<Code>((std::uint64_t{1} << bits) - 1);
      for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(back[i], static_cast<Code>(codes[i] & mask));
    }
  }
}

TEST(BitpackTest, BytesRoundTrip) { round_trip<std::uint8_t>(8); }
TEST(BitpackTest, HalfWordsRoundTrip) { round_trip<std::uint16_t>(16); }
TEST(BitpackTest, WordsRoundTrip) { round_trip<std::uint32_t>(32); }

}  // namespace
}  // namespace skiff::kernels
