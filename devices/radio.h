// What the radio takes for transfers: promotion, transfer, tail.
//
//   E = promotion + alpha_u S_up + alpha_d S_down + beta t + tail
//
// (Huang et al., MobiSys 2012, section 4: power alpha_u r_u + alpha_d r_d + beta while
// transferring.) A tail is shared: a transfer that starts while the last tail still runs needs no
// promotion and cuts that tail short. Each transfer is charged its own full tail, and given back
// what it cut off the one before, so sums over a device are exact. Promotion costs energy; its
// latency is part of the link's RTT. Pure functions, thread-safe.
#pragma once

#include <limits>

#include "devices/profile.h"

namespace skiff {

inline constexpr Seconds kColdRadio{std::numeric_limits<double>::infinity()};

struct RadioCost {
  Joules promotion, transfer, tail;  // tail may be negative: given back to the transfer before
  Joules total() const { return promotion + transfer + tail; }
};

// `duration`: how long bytes flow. `since_last`: between the end of the device's last transfer and
// the start of this one; kColdRadio if there was none.
RadioCost radio_cost(const RadioProfile& radio, Bytes up, Bytes down, Seconds duration,
                     Seconds since_last = kColdRadio);

}  // namespace skiff
