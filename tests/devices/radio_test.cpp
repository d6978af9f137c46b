#include "devices/radio.h"

#include <gtest/gtest.h>

#include "tests/devices/profiles.h"

namespace skiff {
namespace {

const Bytes kTenMegabytes(10'000'000);
const Seconds kEight(8);  // at 10 Mbps

// Rows of the 2012 handset: 10 MB at 10 Mbps.
TEST(Radio, LteOf2012CostsWhatThePaperSays) {
  const RadioProfile& lte = shipped_link("lte-2012").radio;
  const RadioCost up = radio_cost(lte, kTenMegabytes, Bytes(0), kEight);
  EXPECT_NEAR(up.transfer.value() / 8, 5.672, 5e-4);
  EXPECT_NEAR(up.transfer.value(), 45.376, 5e-4);
  EXPECT_NEAR(up.tail.value(), 12.271, 5e-4);
  EXPECT_NEAR(up.promotion.value(), 0.315, 5e-4);
  EXPECT_NEAR(up.total().value(), 57.961, 5e-4);
  EXPECT_NEAR(radio_cost(lte, Bytes(0), kTenMegabytes, kEight).transfer.value(), 14.462, 5e-4);
}

TEST(Radio, WifiOf2012CostsWhatThePaperSays) {
  const RadioProfile& wifi = shipped_link("wifi-2012").radio;
  EXPECT_NEAR(radio_cost(wifi, kTenMegabytes, Bytes(0), kEight).transfer.value(), 23.716, 5e-4);
  EXPECT_NEAR(radio_cost(wifi, Bytes(0), kTenMegabytes, kEight).transfer.value(), 12.024, 5e-4);
}

TEST(Radio, ATailIsSharedByTransfersThatFollowEachOther) {
  const RadioProfile& lte = shipped_link("lte-2012").radio;
  const double power = lte.tail_power.value.value();
  const RadioCost first = radio_cost(lte, kTenMegabytes, Bytes(0), kEight);
  const RadioCost soon = radio_cost(lte, kTenMegabytes, Bytes(0), kEight, Seconds(3));
  EXPECT_EQ(soon.promotion, Joules(0));
  // Of both tails, 3 s of the first and all of the second were spent.
  EXPECT_NEAR((first.tail + soon.tail).value(), power * (3 + 11.576), 1e-9);
  const RadioCost late = radio_cost(lte, kTenMegabytes, Bytes(0), kEight, Seconds(12));
  EXPECT_EQ(late.total(), first.total());
}

TEST(Radio, NoBytesNoEnergy) {
  EXPECT_EQ(radio_cost(shipped_link("lte").radio, Bytes(0), Bytes(0), Seconds(0)).total(),
            Joules(0));
}

}  // namespace
}  // namespace skiff
