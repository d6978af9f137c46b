#include "devices/diurnal.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "sim/core/error.h"

namespace skiff {
namespace {

constexpr std::size_t kSteps = 288;  // of a day: five minutes each
constexpr double kDay = 86400;
using Zones = std::vector<std::pair<Seconds, double>>;  // offset, cumulative share

Zones cumulative_zones(const DiurnalParams& params) {
  Zones zones;
  double sum = 0;
  for (const auto& [name, weight] : params.time_zones) {
    const std::optional<Seconds> offset = parse_time_zone(name);
    SKIFF_CHECK(offset.has_value(), "no time zone: " + name);
    zones.emplace_back(*offset, sum += weight);
  }
  for (auto& [offset, share] : zones) share /= sum;
  return zones;
}

struct Day {
  double mean, swing;
};

// Of the whole fleet: each zone's day, shifted and weighed.
Day fleet_day(const OnOffRates& rates, const Zones& zones) {
  const std::vector<double> local = online_through_day(rates, kSteps);
  std::vector<double> fleet(kSteps, 0.0);
  double before = 0;
  for (const auto& [offset, up_to] : zones) {
    const auto shift = static_cast<std::size_t>(
        std::llround((offset.value() + kDay) / kDay * static_cast<double>(kSteps)));
    for (std::size_t i = 0; i < kSteps; ++i) {
      fleet[i] += (up_to - before) * local[(i + shift) % kSteps];
    }
    before = up_to;
  }
  double mean = 0;
  for (const double p : fleet) mean += p / static_cast<double>(kSteps);
  const auto [least, most] = std::minmax_element(fleet.begin(), fleet.end());
  return {mean, *most / *least};
}

// Bisection for the x in [low, high] at which the increasing f crosses 0.
template <class F>
double solve(double low, double high, const F& f) {
  for (int i = 0; i < 44; ++i) {
    const double middle = 0.5 * (low + high);
    (f(middle) < 0 ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

OnOffRates with_amplitude(double amplitude, const DiurnalParams& params, const Zones& zones) {
  OnOffRates rates;
  rates.off = PerSecond(1 / params.session.value());
  rates.amplitude = amplitude;
  rates.peak_hour = params.peak;
  const double level = params.online / (1 - params.online) * rates.off.value();
  // The mean is concave in the hazard: the constant hazard of the same mean is a lower bound.
  const double factor = solve(0.0, 6.0, [&](double log_factor) {
    rates.on = PerSecond(level * std::exp(log_factor));
    return fleet_day(rates, zones).mean - params.online;
  });
  rates.on = PerSecond(level * std::exp(amplitude > 0 ? factor : 0.0));
  return rates;
}

const char* const kSwingHelp = "most over fewest devices online in a day, of the whole fleet";

}  // namespace

std::optional<Seconds> parse_time_zone(const std::string& text) {
  if (text == "utc") return Seconds(0);
  if (!text.starts_with("utc") || text.size() < 5 || (text[3] != '+' && text[3] != '-')) return {};
  const char* end = text.data() + text.size();
  int hours = 0;
  int minutes = 0;
  auto [rest, error] = std::from_chars(text.data() + 4, end, hours);
  if (error != std::errc() || hours < 0) return {};
  if (rest != end) {
    if (*rest != ':' || end - rest != 3) return {};
    const auto [last, wrong] = std::from_chars(rest + 1, end, minutes);
    if (wrong != std::errc() || last != end || minutes < 0 || minutes > 59) return {};
  }
  const double s = 3600.0 * hours + 60.0 * minutes;
  const bool west = text[3] == '-';
  if (s > (west ? 12 : 14) * 3600.0) return {};
  return Seconds(west ? -s : s);
}

std::optional<OnOffRates> solve_diurnal(const DiurnalParams& params, const Zones& zones) {
  if (params.swing <= 1) return with_amplitude(0, params, zones);
  const auto swing = [&](double a) {
    return fleet_day(with_amplitude(a, params, zones), zones).swing;
  };
  if (swing(1) < params.swing) return std::nullopt;
  const double a = solve(0, 1, [&](double x) { return swing(x) - params.swing; });
  return with_amplitude(a, params, zones);
}

template <>
Schema<DiurnalParams> schema<DiurnalParams>() {
  using P = DiurnalParams;
  Schema<P> s;
  s.field("swing", &P::swing, kSwingHelp).required().at_least(1);
  s.field("time_zones", &P::time_zones, "share of devices by zone: {utc-8: 30%, utc-5: 70%}")
      .above(0)
      .fraction();
  s.field("online", &P::online, "share of the fleet that is online, over a day")
      .fraction(0.001, 0.999);
  s.field("session", &P::session, "mean time that a device stays online").above(0).unit("min");
  s.field("peak", &P::peak, "local hour at which devices come online most readily").in(0, 24);
  s.check([](const P& p, const Node& map, Reader& reader) {
    const Node* zones = map.find("time_zones");
    for (const Node::Entry& entry : zones ? zones->entries : std::vector<Node::Entry>{}) {
      if (parse_time_zone(entry.key)) continue;
      const Reader::Scope scope(reader, "time_zones");
      reader.problem(entry.where,
                     fmt::format("\"{}\" is no time zone; write utc, utc-8, utc+5:30", entry.key));
      return;
    }
    if (p.time_zones.empty()) return reader.problem(map.where, "time_zones is empty");
    if (solve_diurnal(p, cumulative_zones(p))) return;
    const Reader::Scope scope(reader, "swing");
    const OnOffRates most = with_amplitude(1, p, cumulative_zones(p));
    reader.problem(map.find("swing")->where,
                   fmt::format("{} cannot be reached by this mix of time zones; at most {:.3g}",
                               p.swing, fleet_day(most, cumulative_zones(p)).swing));
  });
  return s;
}

Diurnal::Diurnal(const DiurnalParams& params)
    : zones_(cumulative_zones(params)),
      rates_(solve_diurnal(params, zones_).value()),
      process_(rates_) {}

Seconds Diurnal::zone(std::uint64_t seed, std::uint64_t device) const {
  const double at = Stream(seed, "availability.zone", device).uniform();
  for (const auto& [offset, up_to] : zones_) {
    if (at < up_to) return offset;
  }
  return zones_.back().first;
}

Availability::Answer Diurnal::at(std::uint64_t seed, std::uint64_t device, VirtualTime time) const {
  return process_.at(seed, device, time, zone(seed, device));
}

SKIFF_REGISTER(Availability, Diurnal, DiurnalParams,
               {.name = "diurnal",
                .summary = "devices come and go, more of them online at night than by day",
                .paper = "Bonawitz et al. 2019, arXiv:1902.01046",
                .verified = "swing and mean of 20,000 devices over days equal the closed form"});

}  // namespace skiff
