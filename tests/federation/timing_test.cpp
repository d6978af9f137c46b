// Timing-only runs against closed forms: order statistics of synchronous rounds, fair sharing of
// the server's link, hazards, conservation of bytes and energy, monotonicity and scaling.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "tests/federation/run_scenario.h"

namespace skiff {
namespace {

using test::Ran;
using test::run;

// Nothing but the given compute time: no bytes, no hazards.
const char* kComputeOnly = R"(
seed: 5
data: {source: none, clients: 1300, samples_per_client: 1, partition: {scheme: iid}}
devices: {population: {rpi-5-8g: 1}}
server: {protocol: synchronous, participants: 100, over_selection: 1.3, rounds: 2000}
training: {mode: timing-only, download: 0 B, upload: 0 B,
           compute_time: {lognormal: {median: 60 s, sigma: 0.6}}}
)";

struct Moments {
  double mean = 0, deviation = 0, error = 0;
};

Moments moments(const std::vector<Seconds>& values) {
  Moments m;
  const auto n = static_cast<double>(values.size());
  for (const Seconds v : values) m.mean += v.value() / n;
  double square = 0;
  for (const Seconds v : values) square += (v.value() - m.mean) * (v.value() - m.mean);
  m.deviation = std::sqrt(square / (n - 1));
  m.error = m.deviation / std::sqrt(n);
  return m;
}

Moments rounds_of(const std::vector<std::string>& overrides) {
  return moments(run(kComputeOnly, overrides).round_durations());
}

// Oracle 7: the k-th of n lognormal(ln 60, 0.6) times: expectation by numerical integration.
TEST(SynchronousRounds, LastOfTenLognormalTimes) {
  const Moments m = rounds_of({"server.participants=10", "server.over_selection=1"});
  EXPECT_NEAR(m.mean, 161.222, 4 * m.error);
  EXPECT_NEAR(m.deviation, 63.731, 5);
}
TEST(SynchronousRounds, TenthOfThirteenLognormalTimes) {
  const Moments m = rounds_of({"server.participants=10", "server.over_selection=1.3"});
  EXPECT_NEAR(m.mean, 88.250, 4 * m.error);
  EXPECT_NEAR(m.deviation, 19.771, 1.5);
}
TEST(SynchronousRounds, LastOfAHundredLognormalTimes) {
  const Moments m = rounds_of({"server.over_selection=1"});
  EXPECT_NEAR(m.mean, 279.811, 4 * m.error);
}
TEST(SynchronousRounds, HundredthOfHundredThirtyLognormalTimes) {
  const Moments m = rounds_of({});
  EXPECT_NEAR(m.mean, 92.795, 4 * m.error);
  EXPECT_NEAR(m.deviation, 6.744, 0.5);
}
TEST(SynchronousRounds, ThousandthOfThirteenHundredLognormalTimes) {
  const Moments m = rounds_of({"server.participants=1000", "server.rounds=200"});
  EXPECT_NEAR(m.mean, 93.276, 4 * m.error);
}
// Oracle 8, exponential times: the maximum of 100 has mean H_100, the 100th of 130 H_130 - H_30.
TEST(SynchronousRounds, ExponentialTimesFollowHarmonicNumbers) {
  const std::string law = "training.compute_time={exponential: {mean: 1 s}}";
  const Moments all = rounds_of({law, "server.over_selection=1"});
  EXPECT_NEAR(all.mean, 5.187378, 4 * all.error);
  const Moments some = rounds_of({law});
  EXPECT_NEAR(some.mean, 1.453604, 4 * some.error);
}

// A catalogue whose one link adds nothing of its own: no headers, no round trips to speak of.
class FairSharing : public ::testing::Test {
 protected:
  static std::string scenario(const std::string& server, const std::string& upload) {
    return R"(
seed: 1
data: {source: none, clients: 4, samples_per_client: 1, partition: {scheme: iid}}
devices: {population: {rpi-5-8g: 1}, network: {links: {ideal: 1}, rates: constant,
          rtt: 0 s, )" +
           server + R"(}, catalogue: )" + catalogue() + R"(}
server: {protocol: synchronous, participants: all, rounds: 1}
training: {mode: timing-only, compute_time: 0 s, download: 0 B, upload: )" +
           upload + "}\n";
  }
  static std::string catalogue() {
    const auto file = std::filesystem::temp_directory_path() / "skiff_ideal_link.yaml";
    std::ofstream(file) << R"(
sources: {test: nothing real}
links:
  ideal:
    about: nothing of its own
    metered: false
    download: {value: 100 Gbps, source: test, confidence: high}
    upload: {value: 100 Gbps, source: test, confidence: high}
    spread: {value: 0, source: test, confidence: high}
    rtt: {value: 1 ms, source: test, confidence: high}
    header: {value: 0, source: test, confidence: high}
    radio:
      upload: {value: 0 mW/Mbps, source: test, confidence: high}
      download: {value: 0 mW/Mbps, source: test, confidence: high}
      base: {value: 0 W, source: test, confidence: high}
      promotion_time: {value: 0 s, source: test, confidence: high}
      promotion_power: {value: 0 W, source: test, confidence: high}
      tail_time: {value: 0 s, source: test, confidence: high}
      tail_power: {value: 0 W, source: test, confidence: high}
)";
    return file.string();
  }
  static std::vector<double> upload_ends(const Ran& r) {
    std::vector<double> ends;
    for (const AttemptRow& a : r.attempts()) ends.push_back(to_seconds(a.upload_end).value());
    std::sort(ends.begin(), ends.end());
    return ends;
  }
};

// Oracle 2.
TEST_F(FairSharing, FourUploadsOverOneLink) {
  const Ran r = run(scenario("server_download: 10 MB/s", "{list: [10 MB, 20 MB, 30 MB, 40 MB]}"));
  const std::vector<double> ends = upload_ends(r);
  ASSERT_EQ(ends.size(), 4u);
  const double expected[] = {4, 7, 9, 10};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(ends[i], expected[i], 1e-8);
}

TEST_F(FairSharing, CapsLeaveTheRestToTheOthers) {
  // Oracle 1: caps 1, 2, 8, 20 MB/s under 10 MB/s: rates 1, 2, 3.5, 3.5 while all four run.
  const Ran r =
      run(scenario("server_download: 10 MB/s, upload: {list: [1 MB/s, 2 MB/s, 8 MB/s, "
                   "20 MB/s]}",
                   "{list: [1 MB, 2 MB, 3500 kB, 3500 kB]}"));
  for (const double end : upload_ends(r)) EXPECT_NEAR(end, 1, 1e-8);
}

// Oracle 9: a job of length x survives a hazard h with probability exp(-h x); the number of
// survivors of a round is binomial.
TEST(Hazards, SurvivalIsExponential) {
  const Ran r = run(kComputeOnly, {"training.compute_time=100 s", "server.over_selection=1",
                                   "server.participants=1000", "server.rounds=100",
                                   "devices.failures.interrupt_rate=7.2 /h"});
  double accepted = 0;
  std::vector<double> by_round(100, 0.0);
  for (const AttemptRow& a : r.attempts()) {
    accepted += a.outcome == Outcome::kAccepted;
    by_round[a.round - 1] += a.outcome == Outcome::kAccepted;
    if (a.outcome != Outcome::kAccepted) {
      EXPECT_EQ(a.outcome, Outcome::kAborted);
      EXPECT_EQ(a.cause, Cause::kInterrupted);
    }
  }
  const auto n = static_cast<double>(r.attempts().size());
  ASSERT_EQ(n, 100'000);
  const double p = std::exp(-0.2);
  EXPECT_NEAR(accepted / n, p, 4 * std::sqrt(p * (1 - p) / n));
  double square = 0;
  for (const double k : by_round) square += (k - accepted / 100) * (k - accepted / 100) / 99;
  EXPECT_NEAR(square / (1000 * p * (1 - p)), 1, 4 * std::sqrt(2.0 / 99));
}

// A fleet of unequal phones with every cost computed from a model; nothing is trained.
const char* kPhones = R"(
seed: 11
data: {source: none, clients: 60, samples_per_client: 100, partition: {scheme: iid}}
devices: {population: {iphone-15-pro: 1, budget-android: 2, galaxy-a54: 1}}
server: {protocol: synchronous, participants: 10, over_selection: 1.3, rounds: 40}
training: {mode: timing-only, download: 800 kB, upload: 800 kB,
           compute_time: {lognormal: {median: 20 s, sigma: 0.5}}}
)";

// Oracle 12.
TEST(Conservation, BytesOfDevicesAreBytesOfRounds) {
  const Ran r = run(kPhones, {"devices.network.server_download=20 Mbps"});
  Bytes up, down, device_up, device_down, wasted;
  for (const RoundRow& row : r.rounds()) {
    up += row.bytes_up;
    down += row.bytes_down;
    wasted += row.bytes_wasted;
  }
  for (const DeviceRow& row : r.record->devices()) {
    device_up += row.bytes_up;
    device_down += row.bytes_down;
  }
  EXPECT_EQ(up, device_up);
  EXPECT_EQ(down, device_down);
  Bytes useful;
  for (const AttemptRow& a : r.attempts()) {
    if (a.outcome == Outcome::kAccepted) {
      EXPECT_EQ(a.bytes_up, Bytes(800'000));
      useful += a.bytes_up + a.bytes_down;
    }
  }
  EXPECT_EQ(useful + wasted, up + down);
}

TEST(Conservation, BatteriesBalanceTheirBooks) {
  const Ran r = run(kPhones, {"devices.network.server_download=20 Mbps",
                              "devices.failures.crash_rate=20 /h", "server.deadline=2 min"});
  EXPECT_LT(r.result.worst_imbalance, 1e-9);
  Joules by_attempt, by_device;
  for (const AttemptRow& a : r.attempts()) by_attempt += a.energy.total();
  for (const DeviceRow& d : r.record->devices()) by_device += d.energy;
  EXPECT_GT(by_attempt.value(), 0);
  EXPECT_NEAR(by_attempt.value(), by_device.value(), 1e-9 * by_device.value());
}

TEST(Conservation, ChargeFallsByTheEnergySpent) {
  const Ran r = run(kPhones, {});
  for (const AttemptRow& a : r.attempts()) {
    const double capacity = r.record->devices()[a.device].battery.value();
    EXPECT_NEAR((a.battery_start - a.battery_end) * capacity, a.energy.total().value(),
                1e-9 * capacity);
  }
}

double total_time(const std::vector<std::string>& overrides) {
  return to_seconds(run(kPhones, overrides).rounds().back().virtual_time).value();
}

// Oracle 15. The same luck, a better world: no round takes longer.
TEST(Monotonicity, MoreBandwidthNeverLengthensARound) {
  const auto slow = run(kPhones, {"devices.network.upload=4 Mbps"}).round_durations();
  const auto fast = run(kPhones, {"devices.network.upload=8 Mbps"}).round_durations();
  for (std::size_t i = 0; i < slow.size(); ++i) EXPECT_LE(fast[i].value(), slow[i].value());
  EXPECT_LE(total_time({"devices.network.server_download=40 Mbps"}),
            total_time({"devices.network.server_download=20 Mbps"}));
  EXPECT_LE(total_time({}), total_time({"devices.network.server_download=40 Mbps"}));
}
TEST(Monotonicity, FewerFailuresNeverLengthenARound) {
  const auto with = run(kPhones, {"devices.failures.crash_rate=10 /h", "server.over_selection=1"})
                        .round_durations();
  const auto without = run(kPhones, {"server.over_selection=1"}).round_durations();
  // A lost attempt can close a round early, for nobody is left: compare where all reported.
  const Ran failing =
      run(kPhones, {"devices.failures.crash_rate=10 /h", "server.over_selection=1.5"});
  const Ran sound = run(kPhones, {"server.over_selection=1.5"});
  for (std::size_t i = 0; i < sound.rounds().size(); ++i) {
    if (failing.rounds()[i].accepted < 10) continue;
    EXPECT_LE(sound.round_durations()[i].value(), failing.round_durations()[i].value() + 1e-9);
  }
  EXPECT_EQ(with.size(), without.size());
}

// Oracle 16. All rates twice as high and all times half as long: every moment is halved, to a tick
// an event.
TEST(Scaling, TwiceTheRatesHalvesEveryTime) {
  const std::vector<std::string> constant{"devices.network.rates=constant"};
  const Ran one = run(kPhones, {"devices.network.upload=4 Mbps", "devices.network.download=8 Mbps",
                                "devices.network.rtt=40 ms", "training.compute_time=16 s"});
  const Ran two = run(kPhones, {"devices.network.upload=8 Mbps", "devices.network.download=16 Mbps",
                                "devices.network.rtt=20 ms", "training.compute_time=8 s"});
  ASSERT_EQ(one.attempts().size(), two.attempts().size());
  for (std::size_t i = 0; i < one.attempts().size(); ++i) {
    const AttemptRow &a = one.attempts()[i], &b = two.attempts()[i];
    if (a.upload_end == kNever) continue;
    // Flash is not scaled; it is the same for both and taken off.
    const auto span = [](const AttemptRow& r) {
      return static_cast<double>((r.download_end.ns - r.selected.ns) +
                                 (r.upload_end.ns - r.train_end.ns));
    };
    EXPECT_NEAR(span(a), 2 * span(b), 8);
  }
}

}  // namespace
}  // namespace skiff
