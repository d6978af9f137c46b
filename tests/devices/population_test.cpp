#include "devices/population.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "tests/devices/profiles.h"

namespace skiff {
namespace {

PopulationSpec quickstart() {
  PopulationSpec spec;
  spec.classes = {
      {"iphone-15-pro", 0.15}, {"pixel-8-pro", 0.15}, {"budget-android", 0.5}, {"iot-sensor", 0.2}};
  return spec;
}

std::map<std::string, int> counts(const Fleet& fleet) {
  std::map<std::string, int> by_class;
  for (std::size_t i = 0; i < fleet.size(); ++i) ++by_class[fleet.profile(i).name];
  return by_class;
}

TEST(Population, SharesAreExact) {
  const Fleet fleet(shipped_catalogue(), quickstart(), 200, 7);
  EXPECT_EQ(counts(fleet), (std::map<std::string, int>{{"iphone-15-pro", 30},
                                                       {"pixel-8-pro", 30},
                                                       {"budget-android", 100},
                                                       {"iot-sensor", 40}}));
}

TEST(Population, RemaindersGoToTheLargest) {
  EXPECT_EQ(apportion({1, 1, 1}, 10), (std::vector<std::size_t>{4, 3, 3}));
  EXPECT_EQ(apportion({0.5, 0.3, 0.2}, 3), (std::vector<std::size_t>{1, 1, 1}));
  EXPECT_EQ(apportion({15, 15, 50, 20}, 200), (std::vector<std::size_t>{30, 30, 100, 40}));
  EXPECT_EQ(apportion({1, 0}, 5), (std::vector<std::size_t>{5, 0}));
  EXPECT_EQ(apportion({1, 2}, 0), (std::vector<std::size_t>{0, 0}));
}

TEST(Population, ASeedIsAFleetAndAnotherSeedAnotherOne) {
  const Fleet a(shipped_catalogue(), quickstart(), 500, 7);
  const Fleet b(shipped_catalogue(), quickstart(), 500, 7);
  const Fleet c(shipped_catalogue(), quickstart(), 500, 8);
  int differ = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a.class_of(i), b.class_of(i));
    EXPECT_EQ(a[i].cpu_factor, b[i].cpu_factor);
    EXPECT_EQ(a[i].access.upload_bps, b[i].access.upload_bps);
    EXPECT_EQ(a[i].battery_start, b[i].battery_start);
    differ += a.class_of(i) != c.class_of(i);
  }
  EXPECT_GT(differ, 100);
}

TEST(Population, DevicesOfAClassDiffer) {
  PopulationSpec spec;
  spec.classes = {{"galaxy-s23", 1}};
  const Fleet fleet(shipped_catalogue(), spec, 100'000, 5);
  const double n = 100'000;
  double log_sum = 0, log_squares = 0, health = 0, battery = 0;
  for (std::size_t i = 0; i < fleet.size(); ++i) {
    const Device d = fleet[i];
    log_sum += std::log(d.cpu_factor);
    log_squares += std::log(d.cpu_factor) * std::log(d.cpu_factor);
    health += *d.battery / d.profile->battery->capacity.value;
    battery += d.battery_start;
  }
  EXPECT_NEAR(log_sum / n, 0, 4 * 0.15 / std::sqrt(n));
  EXPECT_NEAR(std::sqrt(log_squares / n), 0.15, 4 * 0.15 / std::sqrt(2 * n));
  EXPECT_NEAR(health / n, 0.9, 4 * 0.2 / std::sqrt(12 * n));
  EXPECT_NEAR(battery / n, 0.65, 4 * 0.7 / std::sqrt(12 * n));
}

TEST(Population, LinksFollowTheClassOrTheScenario) {
  PopulationSpec spec;
  spec.classes = {{"galaxy-s23", 1}};  // wifi 70 %, lte 20 %, 5g-mid 10 %
  const std::size_t n = 100'000;
  std::map<std::string, double> share;
  const Fleet by_class(shipped_catalogue(), spec, n, 5);
  for (std::size_t i = 0; i < n; ++i) share[by_class[i].link->name] += 1.0 / static_cast<double>(n);
  for (const auto& [name, p] : {std::pair{"wifi", 0.7}, {"lte", 0.2}, {"5g-mid", 0.1}}) {
    EXPECT_NEAR(share[name], p, 4 * std::sqrt(p * (1 - p) / static_cast<double>(n))) << name;
  }
  spec.links = {{"ethernet", 1}};
  const Fleet wired(shipped_catalogue(), spec, 100, 5);
  for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(wired[i].link->name, "ethernet");
}

TEST(Population, RatesAreLognormalAroundTheMedianOrConstant) {
  PopulationSpec spec;
  spec.classes = {{"galaxy-s23", 1}};
  spec.links = {{"lte", 1}};  // 15 and 6 Mbps, sigma 0.9
  const std::size_t n = 100'000;
  const Fleet fleet(shipped_catalogue(), spec, n, 5);
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const AccessLink access = fleet[i].access;
    const double x = std::log(static_cast<double>(access.download_bps) / 15e6);
    sum += x;
    squares += x * x;
    // One luck for both directions.
    ASSERT_NEAR(static_cast<double>(access.download_bps) / static_cast<double>(access.upload_bps),
                2.5, 1e-3);
  }
  const double count = static_cast<double>(n);
  EXPECT_NEAR(sum / count, 0, 4 * 0.9 / std::sqrt(count));
  EXPECT_NEAR(std::sqrt(squares / count), 0.9, 4 * 0.9 / std::sqrt(2 * count));
  spec.rates = LinkRates::kConstant;
  const Fleet constant(shipped_catalogue(), spec, 100, 5);
  EXPECT_EQ(constant[42].access.download_bps, 15'000'000);
  EXPECT_EQ(constant[42].access.upload_bps, 6'000'000);
  EXPECT_EQ(constant[42].access.rtt, Seconds(0.05));
  EXPECT_EQ(constant[42].access.header, 0.04);
}

TEST(Population, TheScenariosOwnRatesComeFirst) {
  PopulationSpec spec = quickstart();
  spec.upload = DistributionOf<BytesPerSecond>{{Distribution::Kind::kConstant, 2.5e6, 0, {}}};
  spec.download =
      DistributionOf<BytesPerSecond>{{Distribution::Kind::kList, 0, 0, {1.25e6, 12.5e6}}};
  spec.rtt = DistributionOf<Seconds>{{Distribution::Kind::kConstant, 0.1, 0, {}}};
  spec.battery_start = {Distribution::Kind::kConstant, 0.5, 0, {}};
  const Fleet fleet(shipped_catalogue(), spec, 10, 1);
  EXPECT_EQ(fleet[3].access.upload_bps, 20'000'000);
  EXPECT_EQ(fleet[3].access.download_bps, 100'000'000);
  EXPECT_EQ(fleet[4].access.download_bps, 10'000'000);
  EXPECT_EQ(fleet[3].access.rtt, Seconds(0.1));
  EXPECT_EQ(fleet[3].battery_start, 0.5);
}

TEST(Population, ADevicesHardwareDoesNotDependOnItsLinks) {
  PopulationSpec spec = quickstart();
  const Fleet a(shipped_catalogue(), spec, 300, 9);
  spec.links = {{"lte", 1}};
  spec.rates = LinkRates::kConstant;
  const Fleet b(shipped_catalogue(), spec, 300, 9);
  for (std::size_t i = 0; i < 300; ++i) {
    EXPECT_EQ(a.class_of(i), b.class_of(i));
    EXPECT_EQ(a[i].cpu_factor, b[i].cpu_factor);
    EXPECT_EQ(a[i].battery, b[i].battery);
  }
}

TEST(Population, BoardsOnMainsHaveNoBattery) {
  PopulationSpec spec;
  spec.classes = {{"rpi-5-8g", 1}};
  EXPECT_FALSE(Fleet(shipped_catalogue(), spec, 1, 1)[0].battery.has_value());
}

}  // namespace
}  // namespace skiff
