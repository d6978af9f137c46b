#include "devices/on_off.h"

#include <cmath>
#include <limits>
#include <numbers>

#include "sim/core/distributions.h"
#include "sim/core/error.h"

namespace skiff {
namespace {

constexpr double kDay = 86400;
constexpr double kMarksInWindow = 3;

double daily(const OnOffRates& rates, double local_s) {
  const double angle = 2 * std::numbers::pi * (local_s / kDay - rates.peak_hour / 24);
  return 1 + rates.amplitude * std::cos(angle);
}

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

}  // namespace

struct OnOffProcess::Asked {
  std::uint64_t seed, device;
  std::int64_t ns;
  double zone_s;
};

// The marks of one process around the time asked about.
class OnOffProcess::Marks {
 public:
  Marks(const OnOffProcess& process, const Asked& asked, bool on)
      : rates_(process.rates_),
        asked_(asked),
        on_(on),
        window_ns_(on ? process.on_window_ns_ : process.off_window_ns_),
        mean_ns_(static_cast<double>(window_ns_) / kMarksInWindow),
        first_(floor_div(asked.ns, window_ns_)),
        last_(first_) {
    look(first_);
  }

  // The last mark at or before the time; looks back no further than `limit`.
  std::int64_t before(std::int64_t limit) {
    while (before_ == kNone && first_ * window_ns_ > limit) look(--first_);
    return before_;
  }
  std::int64_t latest() const { return before_; }  // of the windows looked at
  void look_back() { look(--first_); }
  // The first mark after the time; kNever if it is centuries away.
  std::int64_t after() {
    while (after_ == kNone && last_ < kNever.ns / window_ns_ - 2) look(++last_);
    return after_ == kNone ? kNever.ns : after_;
  }

  static constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::min();

 private:
  void look(std::int64_t window) {
    Stream stream(asked_.seed, on_ ? "availability.on" : "availability.off", asked_.device,
                  static_cast<std::uint64_t>(window));
    const double end = static_cast<double>(window_ns_);
    for (double at = exponential(stream, mean_ns_); at < end; at += exponential(stream, mean_ns_)) {
      const std::int64_t ns = window * window_ns_ + static_cast<std::int64_t>(at);
      if (on_ && rates_.amplitude > 0 && !kept(stream.uniform(), ns)) continue;
      if (ns <= asked_.ns) {
        before_ = ns;
      } else if (after_ == kNone) {
        after_ = ns;
      }
    }
  }
  // Thinning: of the marks that may bring the device online, the hazard's share counts.
  bool kept(double uniform, std::int64_t ns) const {
    const double level = uniform * (1 + rates_.amplitude);
    if (level < 1 - rates_.amplitude) return true;
    return level < daily(rates_, static_cast<double>(ns) * 1e-9 + asked_.zone_s);
  }

  const OnOffRates& rates_;
  const Asked& asked_;
  bool on_;
  std::int64_t window_ns_;
  double mean_ns_;
  std::int64_t first_, last_;  // windows looked at
  std::int64_t before_ = kNone, after_ = kNone;
};

OnOffProcess::OnOffProcess(const OnOffRates& rates) : rates_(rates) {
  SKIFF_CHECK(rates.on > PerSecond(0) && rates.off > PerSecond(0), "hazards of on and off");
  SKIFF_CHECK(rates.amplitude >= 0 && rates.amplitude <= 1, "an amplitude of 0..1");
  const auto window = [](double rate) {
    const double ns = std::ceil(kMarksInWindow / rate * 1e9);
    SKIFF_CHECK(ns < 0x1p60, "a hazard below one in centuries");
    return static_cast<std::int64_t>(ns);
  };
  on_window_ns_ = window(rates.on.value() * (1 + rates.amplitude));
  off_window_ns_ = window(rates.off.value());
}

Availability::Answer OnOffProcess::at(std::uint64_t seed, std::uint64_t device, VirtualTime time,
                                      Seconds zone) const {
  const Asked asked{seed, device, time.ns, zone.value()};
  Marks on(*this, asked, true);
  Marks off(*this, asked, false);
  while (on.latest() == Marks::kNone && off.latest() == Marks::kNone) {
    on.look_back();
    off.look_back();
  }
  // One of the two is known; of the other, only what is later matters.
  const std::int64_t last_on = on.before(off.latest());
  const std::int64_t last_off = off.before(last_on);
  const bool online = last_on > last_off;
  return {online, VirtualTime{online ? off.after() : on.after()}};
}

std::vector<double> online_through_day(const OnOffRates& rates, std::size_t steps) {
  const double dt = kDay / static_cast<double>(steps);
  const double off = rates.off.value();
  // One step is p' = a + b p with the hazard of its middle held. A day is again such a map, whose
  // fixed point is where the periodic solution starts.
  std::vector<double> keep(steps), add(steps);
  double day_keep = 1;
  double day_add = 0;
  for (std::size_t i = 0; i < steps; ++i) {
    const double on = rates.on.value() * daily(rates, (static_cast<double>(i) + 0.5) * dt);
    keep[i] = std::exp(-(on + off) * dt);
    add[i] = on / (on + off) * (1 - keep[i]);
    day_keep *= keep[i];
    day_add = add[i] + keep[i] * day_add;
  }
  std::vector<double> online(steps);
  double p = day_add / (1 - day_keep);
  for (std::size_t i = 0; i < steps; ++i) {
    online[i] = p;
    p = add[i] + keep[i] * p;
  }
  return online;
}

}  // namespace skiff
