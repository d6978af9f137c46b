// Crashes and interruptions: constant hazards while a device works on an attempt.
//
// The first of each comes after an exponential time of work, P(survive x) = exp(-rate x), drawn
// from a stream keyed (seed, purpose, device, attempt): raising one rate brings its own failures
// forward in proportion and leaves everything else where it was. Pure functions, thread-safe.
#pragma once

#include <cstdint>

#include "sim/core/units.h"

namespace skiff {

struct FailureRates {
  PerSecond crash{};      // the process dies; 0: never
  PerSecond interrupt{};  // the user or the system takes the device back
};

struct Failure {
  enum class Cause : std::uint8_t { kNone, kCrash, kInterrupt };
  Cause cause = Cause::kNone;
  Seconds after{};  // of work; infinite for kNone
};

Seconds crash_time(PerSecond rate, std::uint64_t seed, std::uint64_t device, std::uint64_t attempt);
Seconds interrupt_time(PerSecond rate, std::uint64_t seed, std::uint64_t device,
                       std::uint64_t attempt);
// The earlier of the two.
Failure first_failure(const FailureRates& rates, std::uint64_t seed, std::uint64_t device,
                      std::uint64_t attempt);

}  // namespace skiff
