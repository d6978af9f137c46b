#include "devices/availability.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "devices/diurnal.h"
#include "devices/on_off.h"

namespace skiff {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr double kHour = 3600;
VirtualTime hours(double h) { return {static_cast<std::int64_t>(h * kHour * 1e9)}; }

Node choice(const std::string& name, std::vector<std::pair<std::string, Node>> more = {}) {
  Node node;
  node.kind = Node::Kind::kMap;
  node.set("name", Node::scalar(name));
  for (auto& [key, value] : more) node.set(key, std::move(value));
  return node;
}

Node map_of(const std::vector<std::pair<std::string, std::string>>& entries) {
  Node node;
  node.kind = Node::Kind::kMap;
  for (const auto& [key, text] : entries) node.set(key, Node::scalar(text));
  return node;
}

std::string first_problem(const Node& node) {
  Reader reader;
  EXPECT_EQ(Registry<Availability>::instance().make(node, reader), nullptr);
  return reader.problems().empty() ? "" : reader.problems().front().message;
}

TEST(Availability, TheLanguageKnowsFourWords) {
  EXPECT_THAT(Registry<Availability>::instance().names(),
              ElementsAre("always", "diurnal", "household", "trace"));
  EXPECT_THAT(first_problem(choice("household")), HasSubstr("cannot run yet"));
  EXPECT_THAT(first_problem(choice("trace", {{"path", Node::scalar("a.csv")}})),
              HasSubstr("cannot run yet"));
}

TEST(Availability, AlwaysIsAlways) {
  const auto always = Registry<Availability>::instance().make(choice("always"));
  const Availability::Answer answer = always->at(1, 2, hours(1000));
  EXPECT_TRUE(answer.online);
  EXPECT_EQ(answer.until, kNever);
}

const OnOffRates kHalfHour{PerSecond(1 / (3 * kHour)), PerSecond(1 / (0.5 * kHour)), 0, 0};

// Long-run fraction l_on / (l_on + l_off); devices online at a time are Binomial(n, A).
TEST(OnOff, TheOnlineCountIsBinomial) {
  const OnOffProcess process(kHalfHour);
  const double a = 0.5 / 3.5;
  constexpr int kDevices = 400;
  constexpr int kTimes = 400;  // a day apart: independent for hazards of hours
  double sum = 0, squares = 0;
  for (int t = 0; t < kTimes; ++t) {
    int online = 0;
    for (int d = 0; d < kDevices; ++d) {
      online += process.at(11, static_cast<std::uint64_t>(d), hours(24.0 * t)).online;
    }
    sum += online;
    squares += online * online;
  }
  const double mean = sum / kTimes;
  const double variance = squares / kTimes - mean * mean;
  const double expected = kDevices * a * (1 - a);
  EXPECT_NEAR(mean, kDevices * a, 4 * std::sqrt(expected / kTimes));
  EXPECT_NEAR(variance, expected, 4 * expected * std::sqrt(2.0 / kTimes));
}

TEST(OnOff, SpellsAreExponentialWithTheirHazards) {
  const OnOffProcess process(kHalfHour);
  double on = 0, off = 0, on_squares = 0;
  int spells = 0;
  for (std::uint64_t d = 0; d < 100; ++d) {
    VirtualTime t = process.at(5, d, hours(0)).until;  // starts of whole spells only
    for (int i = 0; i < 500; ++i) {
      const Availability::Answer spell = process.at(5, d, t);
      const double length = (spell.until - t).value();
      (spell.online ? on : off) += length;
      if (spell.online) on_squares += length * length, ++spells;
      t = spell.until;
    }
  }
  const double n = spells;
  EXPECT_NEAR(on / n, 0.5 * kHour, 4 * 0.5 * kHour / std::sqrt(n));
  EXPECT_NEAR(off / n, 3 * kHour, 4 * 3 * kHour / std::sqrt(n));
  EXPECT_NEAR(on_squares / n, 2 * 0.25 * kHour * kHour, 4 * kHour * kHour / std::sqrt(n));
  EXPECT_NEAR(on / (on + off), 0.5 / 3.5, 0.004);
}

TEST(OnOff, AnswersAgreeWhateverIsAskedFirst) {
  const OnOffProcess process({PerSecond(1 / (3 * kHour)), PerSecond(1 / kHour), 0.7, 2});
  for (std::uint64_t d = 0; d < 20; ++d) {
    // The whole course of ten days, change by change; then any moment, backwards.
    std::vector<std::pair<VirtualTime, bool>> course{{hours(0), process.at(1, d, hours(0)).online}};
    while (course.back().first < hours(240)) {
      const Availability::Answer answer = process.at(1, d, course.back().first);
      ASSERT_EQ(answer.online, course.back().second);
      ASSERT_GT(answer.until, course.back().first);
      course.emplace_back(answer.until, !answer.online);
    }
    for (std::size_t i = course.size() - 1; i-- > 0;) {
      const VirtualTime inside{(course[i].first.ns + course[i + 1].first.ns) / 2};
      const Availability::Answer answer = process.at(1, d, inside);
      EXPECT_EQ(answer.online, course[i].second);
      EXPECT_EQ(answer.until, course[i + 1].first);
      EXPECT_EQ(process.at(1, d, {course[i + 1].first.ns - 1}).until, course[i + 1].first);
    }
  }
}

TEST(OnOff, TheDayFollowsTheClosedForm) {
  const OnOffRates rates{PerSecond(1 / (4 * kHour)), PerSecond(1 / kHour), 0.6, 2};
  const OnOffProcess process(rates);
  const std::vector<double> expected = online_through_day(rates, 1440);
  constexpr int kDevices = 2'000;
  constexpr int kDays = 10;
  for (int h = 0; h < 24; h += 3) {
    double online = 0;
    for (std::uint64_t d = 0; d < kDevices; ++d) {
      for (int day = 0; day < kDays; ++day)
        online += process.at(3, d, hours(24.0 * day + h)).online;
    }
    const double n = kDevices * kDays;
    const double p = expected[static_cast<std::size_t>(h) * 60];
    EXPECT_NEAR(online / n, p, 4 * std::sqrt(p * (1 - p) / n)) << h;
  }
}

DiurnalParams two_coasts() {
  DiurnalParams params;
  params.swing = 4;
  params.time_zones = {{"utc-8", 0.3}, {"utc-5", 0.7}};
  params.online = 0.2;
  return params;
}

// A fleet over two time zones: most over fewest devices online in a day is the swing.
TEST(Diurnal, TheFleetSwingsAsWritten) {
  const Diurnal diurnal(two_coasts());
  const std::vector<double> local = online_through_day(diurnal.rates(), 288);
  std::vector<double> fleet(288);  // by virtual time: the zones lag by 8 and 5 hours
  for (std::size_t i = 0; i < 288; ++i) {
    fleet[i] = 0.3 * local[(i + 16 * 12) % 288] + 0.7 * local[(i + 19 * 12) % 288];
  }
  const auto [low, high] = std::minmax_element(fleet.begin(), fleet.end());
  EXPECT_NEAR(*high / *low, 4, 1e-9);
  EXPECT_NEAR(std::accumulate(fleet.begin(), fleet.end(), 0.0) / 288, 0.2, 1e-9);
  for (const auto at : std::initializer_list<std::vector<double>::const_iterator>{
           low, high, fleet.cbegin() + 100}) {
    const double hour = static_cast<double>(at - fleet.cbegin()) / 12;
    double online = 0;
    constexpr int kAsked = 100'000;
    for (int i = 0; i < kAsked; ++i) {
      const auto device = static_cast<std::uint64_t>(i);
      online += diurnal.at(9, device, hours(24 * (i % 7) + hour)).online;
    }
    EXPECT_NEAR(online / kAsked, *at, 4 * std::sqrt(*at * (1 - *at) / kAsked)) << hour;
  }
}

TEST(Diurnal, ZonesAreDealtByWeight) {
  const Diurnal diurnal(two_coasts());
  double west = 0;
  for (std::uint64_t d = 0; d < 100'000; ++d) west += diurnal.zone(1, d) == Seconds(-8 * kHour);
  EXPECT_NEAR(west / 1e5, 0.3, 4 * std::sqrt(0.3 * 0.7 / 1e5));
}

TEST(Diurnal, WithoutSwingHazardsAreConstant) {
  DiurnalParams params;
  params.swing = 1;
  const OnOffRates rates = Diurnal(params).rates();
  EXPECT_EQ(rates.amplitude, 0);
  EXPECT_NEAR(rates.on.value() / (rates.on.value() + rates.off.value()), params.online, 1e-12);
}

TEST(Diurnal, IsReadFromAScenario) {
  const Node node = choice(
      "diurnal",
      {{"swing", Node::scalar("4")}, {"time_zones", map_of({{"utc-8", "30%"}, {"utc-5", "70%"}})}});
  Reader reader;
  EXPECT_NE(Registry<Availability>::instance().make(node, reader), nullptr);
  reader.throw_if_any();
  EXPECT_EQ(first_problem(choice("diurnal")), "required");
  EXPECT_THAT(first_problem(choice("diurnal", {{"swing", Node::scalar("4")},
                                               {"time_zones", map_of({{"PST", "1"}})}})),
              HasSubstr("no time zone"));
  EXPECT_THAT(first_problem(choice("diurnal", {{"swing", Node::scalar("0.5")}})),
              HasSubstr("0.5 is not 1 or more"));
}

TEST(Diurnal, ASwingThatZonesAroundTheWorldLevelOutIsRefused) {
  const Node node =
      choice("diurnal", {{"swing", Node::scalar("4")},
                         {"time_zones", map_of({{"utc-8", "1"}, {"utc", "1"}, {"utc+8", "1"}})}});
  EXPECT_THAT(first_problem(node), HasSubstr("cannot be reached by this mix of time zones"));
}

TEST(Diurnal, TimeZonesAreOffsets) {
  EXPECT_EQ(parse_time_zone("utc"), Seconds(0));
  EXPECT_EQ(parse_time_zone("utc-8"), Seconds(-8 * kHour));
  EXPECT_EQ(parse_time_zone("utc+5:30"), Seconds(5.5 * kHour));
  for (const char* bad : {"utc+", "utc+15", "utc-13", "gmt", "utc+5:3", "utc+5:60", "utc--3"}) {
    EXPECT_EQ(parse_time_zone(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace skiff
