#include "devices/battery.h"

#include <gtest/gtest.h>

#include "sim/core/distributions.h"

namespace skiff {
namespace {

VirtualTime seconds(double s) { return {static_cast<std::int64_t>(s * 1e9)}; }
constexpr VirtualTime kStart{0};

PowerByCause load(double compute, double idle = 0) {
  PowerByCause p;
  p[EnergyCause::kCompute] = Watts(compute);
  p[EnergyCause::kIdle] = Watts(idle);
  return p;
}

TEST(Battery, ChargeFallsLinearlyAndCrossesExactly) {
  Battery battery(Joules(1000), 0.75, kStart);
  battery.set_load(load(3, 1), kStart);
  EXPECT_EQ(battery.reaches(0.25), seconds(125));
  EXPECT_EQ(battery.reaches(0.0), seconds(187.5));
  EXPECT_EQ(battery.reaches(0.9), kNever);
  EXPECT_DOUBLE_EQ(battery.charge(seconds(75)), 0.45);
  battery.advance(seconds(75));
  EXPECT_EQ(battery.spent()[EnergyCause::kCompute], Joules(225));
  EXPECT_EQ(battery.spent()[EnergyCause::kIdle], Joules(75));
}

TEST(Battery, ChargingRaisesItUntilFull) {
  Battery battery(Joules(1000), 0.5, kStart);
  battery.set_load(load(5), kStart);
  battery.set_charging(Watts(15), kStart);
  EXPECT_EQ(battery.reaches(1), seconds(50));
  battery.advance(seconds(80));  // for 30 s the plug carries the load
  EXPECT_EQ(battery.charge(seconds(80)), 1);
  EXPECT_DOUBLE_EQ(battery.stored().value(), 50 * 15 + 30 * 5);
  EXPECT_DOUBLE_EQ(battery.spent().total().value(), 80 * 5);
  EXPECT_LT(battery.imbalance(), 1e-12);
}

TEST(Battery, AnEmptyBatteryGivesNothing) {
  Battery battery(Joules(100), 0.5, kStart);
  battery.set_load(load(10), kStart);
  EXPECT_EQ(battery.reaches(0), seconds(5));
  battery.advance(seconds(60));
  EXPECT_EQ(battery.charge(seconds(60)), 0);
  EXPECT_DOUBLE_EQ(battery.spent().total().value(), 50);
  EXPECT_EQ(battery.spend(EnergyCause::kFlash, Joules(1), seconds(60)), Joules(0));
  battery.set_charging(Watts(4), seconds(60));  // too little: only that much is delivered
  battery.advance(seconds(70));
  EXPECT_DOUBLE_EQ(battery.spent().total().value(), 90);
  EXPECT_LT(battery.imbalance(), 1e-12);
}

TEST(Battery, AmountsAreTakenAtOnceAndOnlyWhatIsThere) {
  Battery battery(Joules(100), 0.5, kStart);
  EXPECT_EQ(battery.spend(EnergyCause::kFlash, Joules(20), seconds(1)), Joules(20));
  EXPECT_DOUBLE_EQ(battery.charge(seconds(1)), 0.3);
  EXPECT_DOUBLE_EQ(battery.spend(EnergyCause::kRadio, Joules(50), seconds(2)).value(), 30);
  EXPECT_EQ(battery.charge(seconds(2)), 0);
  EXPECT_LT(battery.imbalance(), 1e-12);
}

TEST(Battery, OnMainsNothingDrains) {
  Battery battery(std::nullopt, 0.3, kStart);
  EXPECT_TRUE(battery.on_mains());
  battery.set_load(load(100), kStart);
  EXPECT_EQ(battery.reaches(0), kNever);
  battery.spend(EnergyCause::kFlash, Joules(1e9), seconds(1e6));
  EXPECT_EQ(battery.charge(seconds(1e6)), 1);
  EXPECT_DOUBLE_EQ(battery.spent()[EnergyCause::kCompute].value(), 1e8);
  EXPECT_LT(battery.imbalance(), 1e-12);
}

TEST(Battery, TimeDoesNotGoBack) {
  Battery battery(Joules(100), 0.5, seconds(10));
  EXPECT_THROW(battery.advance(seconds(9)), std::logic_error);
}

TEST(Battery, EnergyIsConservedOverAnyHistory) {
  for (std::uint64_t n = 0; n < 200; ++n) {
    Stream s(3, "test.battery", n);
    Battery battery(Joules(1 + 50'000 * s.uniform()), s.uniform(), kStart);
    std::int64_t now = 0;
    for (int i = 0; i < 500; ++i) {
      now += static_cast<std::int64_t>(1e9 * exponential(s, 100));
      PowerByCause power;
      for (Watts& w : power.parts) w = Watts(s.below(3) == 0 ? 8 * s.uniform() : 0);
      switch (s.below(4)) {
        case 0:
          battery.set_charging(Watts(s.below(2) == 0 ? 0 : 13.5), {now});
          break;
        case 1:
          battery.spend(EnergyCause::kFlash, Joules(100 * s.uniform()), {now});
          break;
        default:
          battery.set_load(power, {now});
      }
      const double charge = battery.charge({now});
      ASSERT_GE(charge, 0);
      ASSERT_LE(charge, 1);
      ASSERT_LT(battery.imbalance(), 1e-9);
    }
  }
}

TEST(Battery, CrossingsAreWhereTheChargeArrives) {
  for (std::uint64_t n = 0; n < 200; ++n) {
    Stream s(4, "test.crossing", n);
    Battery battery(Joules(40'000), 0.2 + 0.8 * s.uniform(), kStart);
    battery.set_load(load(0.5 + 9 * s.uniform()), kStart);
    const VirtualTime at = battery.reaches(0.1);
    EXPECT_NEAR(battery.charge(at), 0.1, 1e-12);
    EXPECT_GT(battery.charge({at.ns - 1000}), 0.1);
    battery.advance(battery.reaches(0));
    EXPECT_EQ(battery.charge(battery.reaches(0)), 0);  // at its nanosecond, exactly
  }
}

}  // namespace
}  // namespace skiff
