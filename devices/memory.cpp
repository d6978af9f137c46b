#include "devices/memory.h"

#include <algorithm>
#include <cmath>

namespace skiff {

Bytes memory_share(const DeviceProfile& profile, double fraction) {
  const double bytes = as_double(profile.memory.ram.value) * fraction;
  return Bytes(static_cast<std::int64_t>(std::floor(bytes)));
}
Bytes background_memory(const DeviceProfile& profile) {
  return memory_share(profile, profile.memory.background.value);
}
Bytes foreground_memory(const DeviceProfile& profile) {
  return memory_share(profile, profile.memory.foreground.value);
}
Bytes memory_up_to(const DeviceProfile& profile, Bytes bytes) {
  return std::min(bytes, profile.memory.ram.value);
}

const char* name(JobPhase phase) {
  switch (phase) {
    case JobPhase::kLoad:
      return "load";
    case JobPhase::kTrain:
      return "train";
    case JobPhase::kEncode:
      return "encode";
  }
  return "";
}

JobPhase MemoryDemand::peak_phase() const {
  std::size_t largest = 0;
  for (std::size_t i = 1; i < kJobPhases; ++i) {
    if (phases[i].total() > phases[largest].total()) largest = i;
  }
  return static_cast<JobPhase>(largest);
}

MemoryVerdict plan_memory(const MemoryDemand& demand, Bytes limit) {
  MemoryVerdict verdict;
  verdict.phase = demand.peak_phase();
  verdict.peak = demand.peak();
  verdict.limit = limit;
  if (verdict.peak > limit) {
    verdict.outcome = MemoryOutcome::kRefused;
    verdict.missing = verdict.peak - limit;
  }
  return verdict;
}

MemoryVerdict run_memory(const MemoryDemand& demand, Bytes limit) {
  for (std::size_t i = 0; i < kJobPhases; ++i) {
    const Bytes needed = demand.phases[i].total();
    if (needed <= limit) continue;
    return {MemoryOutcome::kKilled, static_cast<JobPhase>(i), limit, limit, needed - limit};
  }
  return {MemoryOutcome::kFits, demand.peak_phase(), demand.peak(), limit, Bytes(0)};
}

}  // namespace skiff
