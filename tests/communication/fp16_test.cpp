#include <limits>

#include "tests/communication/codec_test.h"

namespace skiff::testing {
namespace {

float through_half(float x) {
  std::vector<float> v = {x};
  const auto fp16 = codec("fp16");
  const Payload payload = encode(*fp16, v);
  EXPECT_EQ(bits(decode(*fp16, payload, 1)), bits(v));
  return v[0];
}

TEST(Fp16Test, RoundsToTheNearestHalfTiesToEven) {
  EXPECT_EQ(through_half(1.0f), 1.0f);
  EXPECT_EQ(through_half(2049.0f), 2048.0f);
  EXPECT_EQ(through_half(2051.0f), 2052.0f);
  EXPECT_EQ(through_half(0.1f), 0.0999755859375f);
  EXPECT_EQ(through_half(-1.0f / 3), -0.333251953125f);
}

TEST(Fp16Test, KeepsSmallNumbersGradually) {
  EXPECT_EQ(through_half(0x1p-24f), 0x1p-24f);
  EXPECT_EQ(through_half(0x1.8p-25f), 0x1p-24f);
  EXPECT_EQ(through_half(0x1p-25f), 0.0f);
  EXPECT_TRUE(std::signbit(through_half(-1e-10f)));
}

TEST(Fp16Test, HoldsLargeNumbersAtTheGreatestHalf) {
  EXPECT_EQ(through_half(65504.0f), 65504.0f);
  EXPECT_EQ(through_half(65520.0f), 65504.0f);
  EXPECT_EQ(through_half(-3e38f), -65504.0f);
}

TEST(Fp16Test, RelativeErrorIsAtMostTwoToMinusEleven) {
  const std::vector<float> v = sines(1000);
  std::vector<float> sent = v;
  encode(*codec("fp16"), sent);
  for (std::size_t j = 0; j < v.size(); ++j) {
    if (std::abs(v[j]) < 0x1p-14f) continue;
    EXPECT_LE(std::abs(sent[j] - v[j]), 0x1p-11f * std::abs(v[j])) << j;
  }
}

TEST(Fp16Test, BytesAreHalvesInOrder) {
  std::vector<float> v = {1.0f, -2.0f, 65504.0f};
  EXPECT_EQ(octets(encode(*codec("fp16"), v)),
            (std::vector<int>{0x00, 0x3c, 0x00, 0xc0, 0xff, 0x7b}));
  EXPECT_EQ(declared(*codec("fp16"), 199210), 398420);
}

TEST(Fp16Test, RefusesDamagedPayloads) {
  const auto fp16 = codec("fp16");
  std::vector<float> v = sines(3);
  Payload payload = encode(*fp16, v);
  payload.bytes[3] = std::byte{0x7c};  // the exponent of infinities and NaNs
  EXPECT_THROW(decode(*fp16, payload, 3), DataError);
  payload.bytes.push_back(std::byte{0});
  EXPECT_THROW(decode(*fp16, payload, 3), DataError);
}

}  // namespace
}  // namespace skiff::testing
