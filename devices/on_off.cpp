#include "devices/on_off.h"

#include <array>
#include <cmath>
#include <numbers>
#include <optional>

#include "sim/core/distributions.h"
#include "sim/core/error.h"

namespace skiff {
namespace {

constexpr double kDay = 86400;
constexpr double kMarksInWindow = 4;

double daily(const OnOffRates& rates, double local_s) {
  const double angle = 2 * std::numbers::pi * (local_s / kDay - rates.peak_hour / 24);
  return 1 + rates.amplitude * std::cos(angle);
}

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

}  // namespace

struct OnOffProcess::Mark {
  std::int64_t ns;
  bool on;
};

// The marks of one window, in order of time; only those that count.
class OnOffProcess::Window {
 public:
  Window(const OnOffProcess& process, std::uint64_t seed, std::uint64_t device, std::int64_t index,
         double zone_s)
      : process_(process),
        stream_(seed, "availability", device, static_cast<std::uint64_t>(index)),
        begin_(index * process.window_ns_),
        zone_s_(zone_s) {}

  bool next(Mark& out) {
    for (;;) {
      offset_ns_ += exponential(stream_, 1e9 / process_.mark_rate_);
      const double kind = stream_.uniform();
      if (offset_ns_ >= static_cast<double>(process_.window_ns_)) return false;
      out.ns = begin_ + static_cast<std::int64_t>(offset_ns_);
      if (kind < process_.off_share_) return out.on = false, true;
      // Thinning: of the marks that may bring the device online, the hazard's share counts.
      const OnOffRates& rates = process_.rates_;
      const double kept = (kind - process_.off_share_) / (1 - process_.off_share_);
      const double local_s = static_cast<double>(out.ns) * 1e-9 + zone_s_;
      if (kept * (1 + rates.amplitude) < daily(rates, local_s)) return out.on = true, true;
    }
  }

 private:
  const OnOffProcess& process_;
  Stream stream_;
  std::int64_t begin_;
  double zone_s_;
  double offset_ns_ = 0;
};

OnOffProcess::OnOffProcess(const OnOffRates& rates) : rates_(rates) {
  SKIFF_CHECK(rates.on > PerSecond(0) && rates.off > PerSecond(0), "hazards of on and off");
  SKIFF_CHECK(rates.amplitude >= 0 && rates.amplitude <= 1, "an amplitude of 0..1");
  mark_rate_ = rates.on.value() * (1 + rates.amplitude) + rates.off.value();
  off_share_ = rates.off.value() / mark_rate_;
  const double window_ns = std::ceil(kMarksInWindow / mark_rate_ * 1e9);
  SKIFF_CHECK(window_ns < 0x1p60, "hazards below one in centuries");
  window_ns_ = static_cast<std::int64_t>(window_ns);
}

Availability::Answer OnOffProcess::at(std::uint64_t seed, std::uint64_t device, VirtualTime time,
                                      Seconds zone) const {
  const std::int64_t here = floor_div(time.ns, window_ns_);
  std::optional<bool> online;           // the last mark at or before `time`
  std::array<std::int64_t, 2> first{};  // after `time`: of offline, of online; 0 if none yet
  Mark mark{};
  const auto look = [&](std::int64_t index) {
    Window window(*this, seed, device, index, zone.value());
    while (window.next(mark)) {
      if (mark.ns <= time.ns) {
        online = mark.on;
      } else if (std::int64_t& ns = first[mark.on]; ns == 0) {
        ns = mark.ns;
      }
    }
  };
  look(here);
  for (std::int64_t w = here - 1; !online; --w) look(w);
  const std::int64_t last = kNever.ns / window_ns_ - 2;
  for (std::int64_t w = here + 1; first[!*online] == 0; ++w) {
    if (w > last) return {*online, kNever};
    look(w);
  }
  return {*online, VirtualTime{first[!*online]}};
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
