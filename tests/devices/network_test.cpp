#include "devices/network.h"

#include <gtest/gtest.h>

namespace skiff {
namespace {

const BytesPerSecond kRate(12.5e6);  // 100 Mbps
const Seconds kRtt(0.05);

// 12.5 MB/s, RTT 50 ms, windows of 14,600 B that double until they fill the pipe of 625 kB.
TEST(Network, SlowStartIsCountedWindowByWindow) {
  const auto time = [](double bytes) {
    const Bytes size(static_cast<std::int64_t>(bytes));
    return (slow_start_delay(size, kRate, kRtt) + size / kRate).value();
  };
  EXPECT_NEAR(time(1e5), 0.1 + 56'200 / 12.5e6, 1e-12);  // 0.104
  EXPECT_NEAR(time(1e6), 0.3 + 80'200 / 12.5e6, 1e-12);  // 0.306
  EXPECT_NEAR(time(1e7), 1.026416, 1e-9);
  EXPECT_NEAR(time(1e8), 8.226416, 1e-9);
}

TEST(Network, OneWindowNeedsNoSlowStart) {
  EXPECT_EQ(slow_start_delay(Bytes(14'600), kRate, kRtt), Seconds(0));
  EXPECT_GT(slow_start_delay(Bytes(14'601), kRate, kRtt), Seconds(0));
  // A slow link is full from the first window.
  EXPECT_EQ(slow_start_delay(Bytes(100'000'000), BytesPerSecond(1e5), kRtt), Seconds(0));
}

TEST(Network, ATransferShakesHandsAndCarriesHeaders) {
  const AccessLink link{100'000'000, 20'000'000, kRtt, 0.04};
  const Transfer first = plan_transfer(link, Direction::kUpload, Bytes(10'000), false);
  EXPECT_EQ(first.wire, Bytes(10'400));
  EXPECT_EQ(first.bps, 20'000'000);
  EXPECT_EQ(first.lead, 2.0 * kRtt);
  EXPECT_NEAR(first.alone().value(), 0.1 + 10'400 / 2.5e6, 1e-15);
  const Transfer again = plan_transfer(link, Direction::kUpload, Bytes(10'000), true);
  EXPECT_EQ(again.lead, kRtt);
}

TEST(Network, NothingToSendNeedsNoTime) {
  const AccessLink link{100'000'000, 20'000'000, kRtt, 0.04};
  EXPECT_EQ(plan_transfer(link, Direction::kDownload, Bytes(0), false).alone(), Seconds(0));
}

TEST(Network, MoreBandwidthOrLessDelayNeverLengthensATransfer) {
  for (const std::int64_t bytes : {1'000ll, 50'000ll, 1'234'567ll, 80'000'000ll}) {
    double before = 1e9;
    for (std::int64_t bps = 100'000; bps < 10'000'000'000; bps = bps * 5 / 4) {
      const AccessLink link{bps, bps, kRtt, 0.04};
      const double t =
          plan_transfer(link, Direction::kDownload, Bytes(bytes), false).alone().value();
      EXPECT_LE(t, before + 1e-12) << bps;
      before = t;
    }
    before = 1e9;
    for (double rtt = 0.5; rtt > 1e-4; rtt /= 1.2) {
      const AccessLink link{50'000'000, 50'000'000, Seconds(rtt), 0.04};
      const double t =
          plan_transfer(link, Direction::kDownload, Bytes(bytes), false).alone().value();
      EXPECT_LE(t, before + 1e-12) << rtt;
      before = t;
    }
  }
}

TEST(Network, RatesAreWholeBits) {
  EXPECT_EQ(bits_per_second(megabits_per_second(17.3)), 17'300'000);
  EXPECT_EQ(bits_per_second(BytesPerSecond(1e-9)), 1);
}

}  // namespace
}  // namespace skiff
