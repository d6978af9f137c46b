#include "sim/core/time.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>

#include "sim/core/random.h"

namespace skiff {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(TimeTest, DurationsAreRoundedUp) {
  EXPECT_EQ(after({10}, Seconds(0)), VirtualTime{10});
  EXPECT_EQ(after({10}, Seconds(1)), VirtualTime{1'000'000'010});
  EXPECT_EQ(after({0}, Seconds(1e-9)), VirtualTime{1});
  EXPECT_EQ(after({0}, Seconds(1.5e-9)), VirtualTime{2});
  EXPECT_EQ(after({0}, Seconds(1e-30)), VirtualTime{1});
  EXPECT_EQ(after({0}, Seconds(std::numeric_limits<double>::denorm_min())), VirtualTime{1});
  EXPECT_EQ(after({0}, Seconds(-0.0)), VirtualTime{0});
}

TEST(TimeTest, NothingEndsEarlyAndAtMostANanosecondLate) {
  Stream stream(1, "time.test");
  for (int i = 0; i < 100'000; ++i) {
    const double seconds = std::exp(40 * stream.uniform() - 20);  // 2 ns to 15 years
    const auto ns = static_cast<long double>(after({0}, Seconds(seconds)).ns);
    const long double exact = 1e9L * static_cast<long double>(seconds);
    const long double rounding = exact * 0x1p-53L;  // of the product, which is a double
    ASSERT_GE(ns, exact - rounding) << seconds;
    ASSERT_LT(ns, exact + rounding + 1) << seconds;
  }
}

TEST(TimeTest, AnInfiniteDurationNeverEnds) {
  EXPECT_EQ(after({5}, Seconds(kInfinity)), kNever);
  EXPECT_EQ(after(kNever, Seconds(1)), kNever);
}

TEST(TimeTest, ImpossibleDurationsAreRefused) {
  EXPECT_THROW(after({0}, Seconds(std::nan(""))), std::invalid_argument);
  EXPECT_THROW(after({0}, Seconds(-1e-12)), std::invalid_argument);
  EXPECT_THROW(after({0}, Seconds(-kInfinity)), std::invalid_argument);
}

TEST(TimeTest, TheEndOfTimeIsAnErrorNotAWrap) {
  EXPECT_THROW(after({0}, Seconds(1e300)), std::overflow_error);
  EXPECT_THROW(after({0}, Seconds(9.3e9)), std::overflow_error);  // 295 years
  EXPECT_NO_THROW(after({0}, Seconds(9.2e9)));
  EXPECT_THROW(after({kNever.ns - 1}, Seconds(1e-9)), std::overflow_error);
  EXPECT_EQ(after({kNever.ns - 2}, Seconds(1e-9)), VirtualTime{kNever.ns - 1});
}

TEST(TimeTest, DifferencesAreSeconds) {
  EXPECT_EQ(VirtualTime{2'500'000'000} - VirtualTime{1'000'000'000}, Seconds(1.5));
  EXPECT_EQ(VirtualTime{0} - VirtualTime{1'000'000'000}, Seconds(-1));
  EXPECT_DOUBLE_EQ(to_seconds({250'000'000}).value(), 0.25);
}

}  // namespace
}  // namespace skiff
