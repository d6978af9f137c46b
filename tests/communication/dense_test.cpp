#include <limits>

#include "tests/communication/codec_test.h"

namespace skiff::testing {
namespace {

TEST(DenseTest, SendsEveryValueAsItIs) {
  const auto dense = codec("dense");
  std::vector<float> v = {1.5f, -0.0f, 1e-45f, -3.4e38f};
  const std::vector<float> before = v;
  const Payload payload = encode(*dense, v);
  EXPECT_EQ(octets(payload), (std::vector<int>{0, 0, 0xc0, 0x3f, 0, 0, 0, 0x80, 1, 0, 0, 0,  //
                                               0x9e, 0xc9, 0x7f, 0xff}));
  EXPECT_EQ(bits(v), bits(before));
  EXPECT_EQ(bits(decode(*dense, payload, 4)), bits(before));
}

TEST(DenseTest, SizeIsFourBytesAValue) {
  EXPECT_EQ(declared(*codec("dense"), 0), 0);
  EXPECT_EQ(declared(*codec("dense"), 110), 440);
  EXPECT_EQ(declared(*codec("dense"), 199210), 796840);
}

TEST(DenseTest, RefusesDamagedPayloads) {
  const auto dense = codec("dense");
  std::vector<float> v = sines(5);
  Payload payload = encode(*dense, v);
  put_float(payload, 8, std::numeric_limits<float>::quiet_NaN());
  EXPECT_THROW(decode(*dense, payload, 5), DataError);
  put_float(payload, 8, std::numeric_limits<float>::infinity());
  EXPECT_THROW(decode(*dense, payload, 5), DataError);
  payload.bytes.pop_back();
  EXPECT_THROW(decode(*dense, payload, 5), DataError);
}

TEST(DenseTest, IsExact) {
  EXPECT_TRUE(codec("dense")->unbiased());
  EXPECT_EQ(codec("dense")->variance(100), 0);
  EXPECT_FALSE(codec("dense")->keeps_state());
}

}  // namespace
}  // namespace skiff::testing
