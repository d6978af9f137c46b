#include <limits>

#include "tests/communication/codec_test.h"

namespace skiff::testing {
namespace {

std::shared_ptr<const Codec> top_k(const char* density, const char* feedback = "false") {
  return codec("top-k", {{"density", density}, {"error_feedback", feedback}});
}

TEST(TopKTest, ErrorOfTheReferenceVectorEqualsTheClosedForm) {
  const std::vector<float> v = sines(64);
  EXPECT_NEAR(relative_error(*top_k("0.015625"), v), .9690480, 1e-6);
  EXPECT_NEAR(relative_error(*top_k("0.125"), v), .7553175, 1e-6);
  EXPECT_NEAR(relative_error(*top_k("0.5"), v), .1847391, 1e-6);
}

TEST(TopKTest, ErrorStaysUnderTheStatedContraction) {
  for (std::size_t n = 1; n <= 300; ++n) {
    const std::vector<float> v = sines(n);
    for (const char* density : {"0.01", "0.3", "1"}) {
      const auto c = top_k(density);
      EXPECT_LE(relative_error(*c, v), 1 - c->contraction(n) + 1e-12) << n << " " << density;
    }
  }
}

TEST(TopKTest, CountsEntriesDownwardsButSendsAtLeastOne) {
  EXPECT_DOUBLE_EQ(top_k("0.29")->contraction(100), 0.29);  // 0.29 * 100 < 29 in binary
  EXPECT_DOUBLE_EQ(top_k("0.299")->contraction(100), 0.29);
  EXPECT_DOUBLE_EQ(top_k("0.001")->contraction(100), 0.01);
  EXPECT_DOUBLE_EQ(top_k("15%")->contraction(100), 0.15);
  EXPECT_DOUBLE_EQ(top_k("1")->contraction(7), 1);
}

TEST(TopKTest, EqualMagnitudesGoToTheLowerIndex) {
  std::vector<float> v = {1, -3, 3, -3, 2, 3};
  encode(*top_k("0.5"), v);
  EXPECT_EQ(v, (std::vector<float>{0, -3, 3, -3, 0, 0}));
}

TEST(TopKTest, FewEntriesAreNamedByFixedWidthIndices) {
  // n = 20, k = 2: values of entries 3 and 18, then 3 and 18 in 5 bits each.
  std::vector<float> v(20);
  v[18] = -1.0f;
  v[3] = 2.0f;
  const Payload payload = encode(*top_k("0.1"), v);
  EXPECT_EQ(octets(payload),
            (std::vector<int>{0, 0, 0, 0x40, 0, 0, 0x80, 0xbf, 3 | (18 << 5 & 0xff), 18 >> 3}));
  EXPECT_EQ(declared(*top_k("0.1"), 20), 10);
}

TEST(TopKTest, ManyEntriesAreNamedByABitmap) {
  // n = 10, k = 3: 3 indices of 4 bits are 12 > 10 bits.
  std::vector<float> v = {0, 1, 0, 0, 0, 0, 0, 0, 1, 1};
  const Payload payload = encode(*top_k("0.3"), v);
  EXPECT_EQ(octets(payload), (std::vector<int>{0, 0, 0x80, 0x3f, 0, 0, 0x80, 0x3f, 0, 0, 0x80, 0x3f,
                                               0b00000010, 0b00000011}));
}

TEST(TopKTest, SizesFollowFromLengthAndDensity) {
  EXPECT_EQ(declared(*top_k("0.01"), 199210), 1992 * 4 + 4482);       // 1992 * 18 bits
  EXPECT_EQ(declared(*top_k("0.1"), 199210), 19921 * 4 + 24902);      // bitmap
  EXPECT_EQ(declared(*top_k("1"), 199210), 199210 * 4 + 24902);       //
  EXPECT_EQ(declared(*top_k("0.5"), 1), 4);                           // one of one needs no index
  EXPECT_EQ(declared(*top_k("0.5"), 2), 4 + 1);                       //
  EXPECT_EQ(declared(*top_k("0.001"), 10000000), 10000 * 4 + 30000);  // 24 bits
  EXPECT_EQ(declared(*top_k("0.5"), 0), 0);
}

TEST(TopKTest, WithFullDensityItIsDense) {
  std::vector<float> v = sines(77);
  v[5] = -0.0f;
  const std::vector<float> before = v;
  encode(*top_k("1"), v);
  EXPECT_EQ(bits(v), bits(before));
}

TEST(TopKTest, RefusesDamagedIndices) {
  const auto few = top_k("0.1");
  std::vector<float> v(20);
  v[18] = -1.0f;
  v[3] = 2.0f;
  const Payload good = encode(*few, v);
  const auto with_indices = [&](unsigned a, unsigned b, unsigned padding = 0) {
    Payload bad = good;
    const unsigned word = a | b << 5 | padding << 10;
    bad.bytes[8] = static_cast<std::byte>(word & 0xff);
    bad.bytes[9] = static_cast<std::byte>(word >> 8);
    return bad;
  };
  EXPECT_NO_THROW(decode(*few, with_indices(3, 19), 20));
  EXPECT_THROW(decode(*few, with_indices(3, 20), 20), DataError);
  EXPECT_THROW(decode(*few, with_indices(3, 31), 20), DataError);
  EXPECT_THROW(decode(*few, with_indices(3, 3), 20), DataError);
  EXPECT_THROW(decode(*few, with_indices(18, 3), 20), DataError);
  EXPECT_THROW(decode(*few, with_indices(3, 18, 1), 20), DataError);
}

TEST(TopKTest, RefusesDamagedBitmapsValuesAndLengths) {
  const auto many = top_k("0.3");
  std::vector<float> v = {0, 1, 0, 0, 0, 0, 0, 0, 1, 1};
  const Payload good = encode(*many, v);
  const auto with_byte = [&](std::size_t i, int value) {
    Payload bad = good;
    bad.bytes[i] = static_cast<std::byte>(value);
    return bad;
  };
  EXPECT_THROW(decode(*many, with_byte(12, 0b00000110), 10), DataError);  // four entries
  EXPECT_THROW(decode(*many, with_byte(12, 0), 10), DataError);           // two
  EXPECT_THROW(decode(*many, with_byte(13, 0b00000101), 10), DataError);  // entry 10 of 0..9
  EXPECT_THROW(decode(*many, with_byte(3, 0xff), 10), DataError);         // a NaN
  Payload cut = good;
  cut.bytes.resize(13);
  EXPECT_THROW(decode(*many, cut, 10), DataError);
  EXPECT_THROW(decode(*many, Payload{}, 10), DataError);
}

TEST(TopKTest, NumbersThatAreNotFiniteAreABugOfTheCaller) {
  std::vector<float> v = {1, std::numeric_limits<float>::quiet_NaN(), 2};
  EXPECT_THROW(encode(*top_k("0.5"), v), std::logic_error);
}

}  // namespace
}  // namespace skiff::testing
