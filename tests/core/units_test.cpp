#include "sim/core/units.h"

#include <gtest/gtest.h>

#include <type_traits>

namespace skiff {
namespace {

template <class A, class B>
concept Addable = requires(A a, B b) {
  a + b;
};
template <class A, class B>
concept Multipliable = requires(A a, B b) {
  a* b;
};
template <class A, class B>
concept Divisible = requires(A a, B b) {
  a / b;
};

TEST(UnitsTest, PhysicsHolds) {
  EXPECT_EQ(Bytes(1000) / BytesPerSecond(250), Seconds(4));
  EXPECT_EQ(Flops(6e9) / FlopsPerSecond(3e9), Seconds(2));
  EXPECT_EQ(Watts(3) * Seconds(4), Joules(12));
  EXPECT_EQ(Seconds(4) * Watts(3), Joules(12));
  EXPECT_EQ(Joules(12) / Watts(3), Seconds(4));
  EXPECT_EQ(Joules(12) / Seconds(4), Watts(3));
  EXPECT_EQ(PerSecond(0.5) * Seconds(4), 2.0);
  EXPECT_EQ(Seconds(6) / Seconds(4), 1.5);
  EXPECT_EQ(Bytes(6) / Bytes(4), 1.5);
}

TEST(UnitsTest, ArithmeticStaysInTheDimension) {
  Seconds t(2);
  t += Seconds(3);
  t -= Seconds(1);
  EXPECT_EQ(t, Seconds(4));
  EXPECT_EQ(2.0 * t / 4.0, Seconds(2));
  EXPECT_EQ(-t, Seconds(-4));
  EXPECT_LT(Seconds(1), Seconds(2));
  EXPECT_EQ(Joules(), Joules(0));
}

TEST(UnitsTest, WhatMakesNoSenseDoesNotCompile) {
  EXPECT_FALSE((Addable<Seconds, Joules>));
  EXPECT_FALSE((Addable<Seconds, double>));
  EXPECT_FALSE((Addable<Bytes, int>));
  EXPECT_FALSE((Multipliable<Seconds, Seconds>));
  EXPECT_FALSE((Multipliable<Bytes, BytesPerSecond>));
  EXPECT_FALSE((Divisible<Bytes, FlopsPerSecond>));
  EXPECT_FALSE((std::is_convertible_v<double, Seconds>));
  EXPECT_FALSE((std::is_convertible_v<Seconds, double>));
  EXPECT_FALSE((std::is_convertible_v<Bytes, Seconds>));
}

TEST(UnitsTest, BytesAreExactPast53Bits) {
  constexpr std::int64_t kLarge = (std::int64_t{1} << 53) + 1;
  EXPECT_EQ((Bytes(kLarge) + Bytes(1)).value(), kLarge + 1);
}

TEST(UnitsTest, MegabitsAreDecimal) {
  EXPECT_EQ(megabits_per_second(8), BytesPerSecond(1e6));
  EXPECT_EQ(in_megabits_per_second(BytesPerSecond(1e6)), 8.0);
}

}  // namespace
}  // namespace skiff
