// A device that comes and goes: two states, a hazard of coming that follows the time of day, a
// constant hazard of going.
//
//   hazard of coming  l_on (1 + a cos(2 pi (h - peak) / 24))      hazard of going  l_off
//
// Any moment can be asked about without stepping from the start (Lewis and Shedler 1979, thinning;
// Jensen 1953, uniformization). Two Poisson processes of marks, of rates l_on (1 + a) and l_off,
// are cut into windows, each with a stream of its own (seed, purpose, device, window). A mark of
// the first, kept with probability hazard / (l_on (1 + a)), makes the device online; one of the
// second makes it offline; whatever it was before. So the state is that of the last kept mark, a
// short look back, and the law is exactly that of the two-state process, stationary from time
// zero. With a = 0 the device is online with probability l_on / (l_on + l_off). Immutable,
// thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "devices/availability.h"

namespace skiff {

struct OnOffRates {
  PerSecond on{}, off{};  // > 0
  double amplitude = 0;   // a, 0..1
  double peak_hour = 0;   // of the day, in the device's own time
};

class OnOffProcess {
 public:
  explicit OnOffProcess(const OnOffRates& rates);

  // `zone`: how far the device's clock is ahead of virtual time.
  Availability::Answer at(std::uint64_t seed, std::uint64_t device, VirtualTime time,
                          Seconds zone = Seconds(0)) const;

 private:
  struct Asked;
  class Marks;

  OnOffRates rates_;
  std::int64_t on_window_ns_, off_window_ns_;  // a few marks long
};

// The share of devices online through the day, p' = hazard_on (1 - p) - l_off p, as `steps` points
// of the periodic solution in the device's own time.
std::vector<double> online_through_day(const OnOffRates& rates, std::size_t steps);

}  // namespace skiff
