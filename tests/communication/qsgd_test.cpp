#include <limits>

#include "tests/communication/codec_test.h"

namespace skiff::testing {
namespace {

std::shared_ptr<const Codec> qsgd(const char* levels, const char* bucket = "512") {
  return codec("qsgd", {{"levels", levels}, {"bucket", bucket}});
}

TEST(QsgdTest, IsUnbiasedWithTheVarianceOfTheClosedForm) {
  const std::vector<float> v = sines(64);
  const std::pair<const char*, double> exact[] = {{"1", 6.24073}, {"4", .81018}, {"16", .04526}};
  for (const auto& [levels, variance] : exact) {
    const auto c = qsgd(levels);
    const MonteCarlo measured = monte_carlo(*c, v, 20000);
    EXPECT_NEAR(measured.variance, variance, variance * 0.005) << levels;
    EXPECT_LT(measured.bias, 1.5 * std::sqrt(variance / 20000)) << levels;
    EXPECT_LE(measured.variance, c->variance(64)) << levels;
  }
}

TEST(QsgdTest, TheStatedBoundIsThePapers) {
  EXPECT_DOUBLE_EQ(qsgd("1")->variance(64), 8);      // sqrt(64) / 1
  EXPECT_DOUBLE_EQ(qsgd("16")->variance(64), 0.25);  // 64 / 256
  EXPECT_DOUBLE_EQ(qsgd("16", "16")->variance(64), 1.0 / 16);
  EXPECT_TRUE(qsgd("4")->unbiased());
}

TEST(QsgdTest, SmallerBucketsLowerTheVariance) {
  const std::vector<float> v = sines(512);
  double last = 1e9;
  for (const char* bucket : {"512", "64", "8", "1"}) {
    const MonteCarlo measured = monte_carlo(*qsgd("4", bucket), v, 200);
    EXPECT_LT(measured.variance, last);
    last = measured.variance;
  }
  EXPECT_LT(last, 1e-12);  // a bucket of one value is its norm
}

TEST(QsgdTest, BytesAreNormsThenCodes) {
  // Buckets {0, -2, 0} and {0, 3}; two bits a value: sign * level + 1.
  std::vector<float> v = {0, -2, 0, 0, 3};
  const Payload payload = encode(*qsgd("1", "3"), v);
  EXPECT_EQ(octets(payload), (std::vector<int>{0, 0, 0, 0x40, 0, 0, 0x40, 0x40,  //
                                               0b01010001, 0b10}));
  EXPECT_EQ(v, (std::vector<float>{0, -2, 0, 0, 3}));
}

TEST(QsgdTest, SizesFollowFromLengthLevelsAndBucket) {
  EXPECT_EQ(declared(*qsgd("16"), 199210), 390 * 4 + 149408);  // 6 bits a value
  EXPECT_EQ(declared(*qsgd("1"), 512), 4 + 128);
  EXPECT_EQ(declared(*qsgd("1"), 513), 8 + 129);
  EXPECT_EQ(declared(*qsgd("7"), 100), 4 + 50);  // 15 codes in 4 bits
  EXPECT_EQ(declared(*qsgd("8"), 100), 4 + 63);  // 17 codes in 5 bits
  EXPECT_EQ(declared(*qsgd("1"), 0), 0);
}

TEST(QsgdTest, ZerosStayZero) {
  std::vector<float> v(700);
  const Payload payload = encode(*qsgd("4"), v);
  for (const float x : v) EXPECT_EQ(x, 0);
  EXPECT_EQ(bits(decode(*qsgd("4"), payload, 700)), bits(v));
}

TEST(QsgdTest, ExtremeMagnitudesStayFinite) {
  for (const float size : {std::numeric_limits<float>::max(), 1e-44f}) {
    std::vector<float> v(600, size);
    const Payload payload = encode(*qsgd("32767"), v);
    for (const float x : v) EXPECT_TRUE(std::isfinite(x));
    EXPECT_EQ(bits(decode(*qsgd("32767"), payload, 600)), bits(v));
  }
}

TEST(QsgdTest, RefusesDamagedPayloads) {
  const auto c = qsgd("1", "3");
  std::vector<float> v = {0, -2, 0, 0, 3};
  const Payload good = encode(*c, v);
  for (const float norm :
       {std::numeric_limits<float>::quiet_NaN(), -1.0f, std::numeric_limits<float>::infinity()}) {
    Payload bad = good;
    put_float(bad, 4, norm);
    EXPECT_THROW(decode(*c, bad, 5), DataError);
  }
  Payload bad = good;
  bad.bytes[8] |= std::byte{0b11};  // code 3 of 0..2
  EXPECT_THROW(decode(*c, bad, 5), DataError);
  bad = good;
  bad.bytes[9] |= std::byte{0x80};  // padding
  EXPECT_THROW(decode(*c, bad, 5), DataError);
  bad = good;
  bad.bytes.pop_back();
  EXPECT_THROW(decode(*c, bad, 5), DataError);
}

}  // namespace
}  // namespace skiff::testing
