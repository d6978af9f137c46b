// Virtual time: int64 nanoseconds since the start of the simulated world (range: 292 years).
//
// Durations come from cost models as Seconds (double); they are rounded up to whole nanoseconds in
// one place, `after`, so that nothing ever ends early and order is exact.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>

#include "sim/core/units.h"

namespace skiff {

struct VirtualTime {
  std::int64_t ns = 0;
  constexpr auto operator<=>(const VirtualTime&) const = default;
};

inline constexpr VirtualTime kNever{std::numeric_limits<std::int64_t>::max()};

constexpr Seconds to_seconds(VirtualTime t) { return Seconds(static_cast<double>(t.ns) * 1e-9); }
constexpr Seconds operator-(VirtualTime a, VirtualTime b) {
  return Seconds(static_cast<double>(a.ns - b.ns) * 1e-9);
}

// start + duration, rounded up to a nanosecond; kNever for an infinite duration.
// Throws std::invalid_argument for NaN or negative durations, std::overflow_error past 292 years.
VirtualTime after(VirtualTime start, Seconds duration);

}  // namespace skiff
