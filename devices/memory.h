// Does a job fit? The budget of a device, the peak of each phase, and two kinds of "no".
//
// A planner that knows the peaks refuses before anything starts; a job whose peak turns out larger
// than the budget is killed in the phase where that happens: what it spent until then is spent. A
// peak exactly at the budget fits. Plain values and pure functions, thread-safe.
#pragma once

#include <array>
#include <string>

#include "devices/profile.h"

namespace skiff {

// devices.memory_limit: background | foreground, a fraction of RAM, or bytes.
struct MemoryLimit {
  enum class Kind : std::uint8_t { kBackground, kForeground, kFraction, kBytes };
  Kind kind = Kind::kBackground;
  double fraction = 0;
  Bytes bytes{};

  Bytes of(const DeviceProfile& profile) const;  // never more than the device's RAM
};
bool convert(const Node&, MemoryLimit& out, const Rules&, Reader&);
std::string print_value(const MemoryLimit&);
template <>
struct TypeName<MemoryLimit> {
  static std::string get() { return "word, fraction or bytes"; }
};

// Peak bytes by part, at the moment of a phase when their sum is largest.
struct MemoryParts {
  Bytes weights, gradients, optimizer_state, activations, adapters, scratch, runtime;
  Bytes total() const;
};

enum class JobPhase : std::uint8_t { kLoad, kTrain, kEncode };  // in the order they happen
inline constexpr std::size_t kJobPhases = 3;
const char* name(JobPhase);

struct MemoryDemand {
  std::array<MemoryParts, kJobPhases> phases;
  MemoryParts& operator[](JobPhase p) { return phases[static_cast<std::size_t>(p)]; }
  const MemoryParts& operator[](JobPhase p) const { return phases[static_cast<std::size_t>(p)]; }
  JobPhase peak_phase() const;  // the first of the largest
  Bytes peak() const;
};

enum class MemoryOutcome : std::uint8_t {
  kFits,
  kRefused,  // known too large: never started
  kKilled,   // out of memory in `phase`
};

struct MemoryVerdict {
  MemoryOutcome outcome = MemoryOutcome::kFits;
  JobPhase phase = JobPhase::kLoad;  // refused: of the peak; killed: where it died
  Bytes peak{};  // fits, refused: of the whole job; killed: reached before or at the kill
  Bytes limit{};
  Bytes missing{};  // how far `phase` is above the limit; 0 if it fits
  bool fits() const { return outcome == MemoryOutcome::kFits; }
};

// Before the start, by the plan's own figures.
MemoryVerdict plan_memory(const MemoryDemand& demand, Bytes limit);
// While it runs: the first phase above the limit kills the job.
MemoryVerdict run_memory(const MemoryDemand& demand, Bytes limit);

}  // namespace skiff
