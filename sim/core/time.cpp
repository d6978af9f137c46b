#include "sim/core/time.h"

#include <fmt/format.h>

#include <cmath>
#include <stdexcept>

namespace skiff {

VirtualTime after(VirtualTime start, Seconds duration) {
  const double s = duration.value();
  if (std::isnan(s) || s < 0) {
    throw std::invalid_argument(fmt::format("a duration of {} s is not possible", s));
  }
  if (std::isinf(s) || start == kNever) return kNever;
  const double ns = std::ceil(s * 1e9);
  // 2^63 is exact in double; anything at or past it cannot be held.
  if (ns >= 9223372036854775808.0 ||
      static_cast<std::int64_t>(ns) >= std::numeric_limits<std::int64_t>::max() - start.ns) {
    throw std::overflow_error(
        fmt::format("virtual time {} s + {} s is past 292 years", to_seconds(start).value(), s));
  }
  return {start.ns + static_cast<std::int64_t>(ns)};
}

}  // namespace skiff
