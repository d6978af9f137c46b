#include "sim/core/random.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <set>
#include <vector>

namespace skiff {
namespace {

using Words = std::array<std::uint32_t, 4>;

Words philox(const Words& counter, const std::array<std::uint32_t, 2>& key) {
  const r123::Philox4x32::ctr_type out =
      r123::Philox4x32()({{counter[0], counter[1], counter[2], counter[3]}}, {{key[0], key[1]}});
  return {out[0], out[1], out[2], out[3]};
}

// Random123 1.14, tests/kat_vectors, philox4x32 10.
TEST(PhiloxTest, KnownAnswers) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t kAll = 0xffffffff;
  EXPECT_EQ(philox({kAll, kAll, kAll, kAll}, {kAll, kAll}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

std::vector<std::uint32_t> draw(Stream stream, int count) {
  std::vector<std::uint32_t> words;
  for (int i = 0; i < count; ++i) words.push_back(stream());
  return words;
}

// From a second implementation, in Python: runs of all versions must see the same luck.
TEST(StreamTest, KnownAnswers) {
  const Stream stream(7, "client.sampling", 3, 5);
  EXPECT_EQ(draw(stream, 8),
            (std::vector<std::uint32_t>{0xa008ba1d, 0x4a73e472, 0x279d9f53, 0x7e550ddf, 0x2884b07c,
                                        0xe40e2365, 0xf50067da, 0x55ddbffb}));
  EXPECT_EQ(draw(stream.child("batch", 9), 4),
            (std::vector<std::uint32_t>{0x4cfdc5c5, 0xc47c61d8, 0x6d375d78, 0x9d8c7eb4}));
}

TEST(StreamTest, EveryPartOfTheNameMatters) {
  const std::vector<std::vector<std::uint32_t>> streams = {draw(Stream(1, "a"), 4),
                                                           draw(Stream(2, "a"), 4),
                                                           draw(Stream(1, "b"), 4),
                                                           draw(Stream(1, "a", 1), 4),
                                                           draw(Stream(1, "a", 0, 1), 4),
                                                           draw(Stream(1, "a", 1ull << 32), 4),
                                                           draw(Stream(1, "a", 0, 1ull << 32), 4)};
  EXPECT_EQ(std::set(streams.begin(), streams.end()).size(), streams.size());
}

TEST(StreamTest, AChildDoesNotDependOnWhatWasDrawn) {
  Stream parent(1, "parent", 2, 3);
  const auto early = draw(parent.child("x", 4), 8);
  for (int i = 0; i < 5; ++i) parent();
  EXPECT_EQ(draw(parent.child("x", 4), 8), early);
  EXPECT_NE(draw(parent.child("x", 5), 8), early);
  EXPECT_NE(draw(parent.child("y", 4), 8), early);
  EXPECT_NE(draw(Stream(1, "parent", 2, 4).child("x", 4), 8), early);
}

TEST(StreamTest, NeighboursShareNoWords) {
  std::set<std::uint64_t> seen;
  for (std::uint64_t entity = 0; entity < 100; ++entity) {
    for (std::uint64_t index = 0; index < 100; ++index) {
      Stream stream(1, "neighbours", entity, index);
      seen.insert(stream.bits64());
      seen.insert(stream.child("c").bits64());
    }
  }
  EXPECT_EQ(seen.size(), 20'000u);
}

TEST(StreamTest, UniformHasItsMomentsAndRange) {
  Stream stream(1, "uniform");
  double sum = 0, squares = 0;
  constexpr int kDraws = 1'000'000;
  for (int i = 0; i < kDraws; ++i) {
    const double u = stream.uniform();
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    sum += u;
    squares += u * u;
    const float f = stream.uniform_float();
    ASSERT_GE(f, 0.0f);
    ASSERT_LT(f, 1.0f);
  }
  EXPECT_NEAR(sum / kDraws, 1.0 / 2, 5 * 0.2887e-3);  // five standard errors
  EXPECT_NEAR(squares / kDraws, 1.0 / 3, 5 * 0.2981e-3);
}

TEST(StreamTest, StreamsAreNotCorrelated) {
  Stream a(1, "pair", 0), b(1, "pair", 1);
  double product = 0;
  constexpr int kDraws = 1'000'000;
  for (int i = 0; i < kDraws; ++i) product += (a.uniform() - 0.5) * (b.uniform() - 0.5);
  EXPECT_NEAR(product / kDraws, 0, 5 / 12e3);
}

// Pearson's statistic of `draws` draws over `n` cells.
double chi_squared(Stream stream, std::uint32_t n, int draws) {
  std::vector<int> cells(n);
  for (int i = 0; i < draws; ++i) ++cells[stream.below(n)];
  const double expected = static_cast<double>(draws) / n;
  double sum = 0;
  for (const int count : cells) sum += (count - expected) * (count - expected) / expected;
  return sum;
}

TEST(StreamTest, BoundedDrawsAreUniform) {
  for (const std::uint32_t n : {2u, 3u, 7u, 10u, 64u, 1000u}) {
    const double freedom = n - 1;
    EXPECT_LT(chi_squared(Stream(1, "below", n), n, 200'000),
              freedom + 5 * std::sqrt(2 * freedom) + 5)
        << n;
  }
}

TEST(StreamTest, BoundedDrawsHaveNoBiasWhereModuloHasMuch) {
  // With n = 3/4 * 2^32, modulo would give the lower third twice the weight of the others.
  constexpr std::uint32_t kN = 3u << 30;
  Stream stream(1, "bias");
  int low = 0;
  constexpr int kDraws = 300'000;
  for (int i = 0; i < kDraws; ++i) {
    const std::uint32_t x = stream.below(kN);
    ASSERT_LT(x, kN);
    low += x < kN / 3 ? 1 : 0;
  }
  EXPECT_NEAR(low, kDraws / 3.0, 5 * std::sqrt(kDraws * 2.0 / 9));
}

TEST(StreamTest, OneChoiceIsNoChoice) {
  Stream stream(1, "one");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(stream.below(1), 0u);
}

}  // namespace
}  // namespace skiff
