#include "devices/failures.h"

#include <limits>

#include "sim/core/distributions.h"

namespace skiff {
namespace {

Seconds first_event(PerSecond rate, Stream stream) {
  if (rate <= PerSecond(0)) return Seconds(std::numeric_limits<double>::infinity());
  return Seconds(exponential(stream, 1.0) / rate.value());
}

}  // namespace

Seconds crash_time(PerSecond rate, std::uint64_t seed, std::uint64_t device,
                   std::uint64_t attempt) {
  return first_event(rate, Stream(seed, "failure.crash", device, attempt));
}

Seconds interrupt_time(PerSecond rate, std::uint64_t seed, std::uint64_t device,
                       std::uint64_t attempt) {
  return first_event(rate, Stream(seed, "failure.interrupt", device, attempt));
}

Failure first_failure(const FailureRates& rates, std::uint64_t seed, std::uint64_t device,
                      std::uint64_t attempt) {
  const Seconds crash = crash_time(rates.crash, seed, device, attempt);
  const Seconds interrupt = interrupt_time(rates.interrupt, seed, device, attempt);
  const Seconds first = crash <= interrupt ? crash : interrupt;
  if (first == Seconds(std::numeric_limits<double>::infinity())) return {.after = first};
  return {crash <= interrupt ? Failure::Cause::kCrash : Failure::Cause::kInterrupt, first};
}

}  // namespace skiff
