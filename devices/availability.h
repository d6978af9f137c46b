// Whether a device is there: chosen in a scenario by {name: always | diurnal | ...}.
//
// An availability is a pure function of (seed, device, time): it can be asked about any device at
// any time in any order, at a cost that does not grow with time, and always answers the same. So a
// million devices cost nothing until they are asked about. Immutable, thread-safe.
#pragma once

#include <cstdint>

#include "sim/core/registry.h"
#include "sim/core/time.h"

namespace skiff {

class Availability {
 public:
  static constexpr const char* kRole = "availability";
  static constexpr const char* kKey = "name";

  struct Answer {
    bool online = true;
    VirtualTime until = kNever;  // first moment, after the time asked about, when that changes
  };

  virtual ~Availability() = default;
  virtual Answer at(std::uint64_t seed, std::uint64_t device, VirtualTime time) const = 0;
};

}  // namespace skiff
