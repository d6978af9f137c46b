// Does a job fit? The budget of a device, the peak of each phase, and two kinds of "no".
//
// A planner that knows the peaks refuses before anything starts; a job whose peak turns out larger
// than the budget is killed in the phase where that happens: what it spent until then is spent. A
// peak exactly at the budget fits. Plain values and pure functions, thread-safe.
#pragma once

#include <array>

#include "devices/profile.h"

namespace skiff {

// What a job may take of a device's RAM, the runtime reserve included: the catalogue's share for an
// application in the background or the foreground, a share of one's own, or bytes of one's own,
// which are never more than the device has. Rounded down.
Bytes background_memory(const DeviceProfile& profile);
Bytes foreground_memory(const DeviceProfile& profile);
Bytes memory_share(const DeviceProfile& profile, double fraction);
Bytes memory_up_to(const DeviceProfile& profile, Bytes bytes);

// Bytes by part, at the moment of a phase when their sum is largest.
struct MemoryUse {
  Bytes weights, gradients, optimizer_state, activations, adapters, scratch, runtime;
  Bytes total() const {
    return weights + gradients + optimizer_state + activations + adapters + scratch + runtime;
  }
};

enum class JobPhase : std::uint8_t { kLoad, kTrain, kEncode };  // in the order they happen
inline constexpr std::size_t kJobPhases = 3;
const char* name(JobPhase phase);

struct MemoryDemand {
  std::array<MemoryUse, kJobPhases> phases;
  MemoryUse& operator[](JobPhase p) { return phases[static_cast<std::size_t>(p)]; }
  const MemoryUse& operator[](JobPhase p) const { return phases[static_cast<std::size_t>(p)]; }
  JobPhase peak_phase() const;  // the first of the largest
  Bytes peak() const { return (*this)[peak_phase()].total(); }
};

enum class MemoryOutcome : std::uint8_t {
  kFits,
  kRefused,  // known to be too large: never started
  kKilled,   // out of memory while it ran
};

struct MemoryVerdict {
  MemoryOutcome outcome = MemoryOutcome::kFits;
  JobPhase phase = JobPhase::kLoad;  // of the peak; killed: where it died
  Bytes peak{};                      // killed: the most it held, which is the limit
  Bytes limit{};
  Bytes missing{};  // how far `phase` is above the limit; 0 if it fits
  bool fits() const { return outcome == MemoryOutcome::kFits; }
};

// Before the start, by the plan's own figures.
MemoryVerdict plan_memory(const MemoryDemand& demand, Bytes limit);
// While it runs: the first phase above the limit kills the job.
MemoryVerdict run_memory(const MemoryDemand& demand, Bytes limit);

}  // namespace skiff
