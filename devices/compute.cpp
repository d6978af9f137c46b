#include "devices/compute.h"

#include <algorithm>

#include "sim/core/error.h"

namespace skiff {
namespace {

constexpr std::array kAll{Precision::kFp32, Precision::kFp16, Precision::kInt8};

Flops flops_of(const ComputeLoad& load, Precision p) {
  return load.flops[static_cast<std::size_t>(p)];
}

// The compute side of the roofline: narrow and wide operations one after the other.
Seconds arithmetic_time(const ProcessorProfile& processor, const ComputeLoad& load,
                        const ComputeState& state) {
  const double base =
      load.activity == Activity::kTraining ? processor.training.value : processor.inference.value;
  const double filled =
      load.batch > 0 ? load.batch / (load.batch + processor.half_batch.value) : 1.0;
  const double factor = load.processor == Processor::kCpu ? state.cpu_factor : 1.0;
  const double efficiency = base * filled * factor * state.speed * state.share;
  Seconds total{};
  for (const Precision p : kAll) {
    const Flops flops = flops_of(load, p);
    if (flops > Flops(0)) total += flops / (processor.peak(p)->value * efficiency);
  }
  return total;
}

// A narrower operation takes energy in proportion to its time at peak: the arrays are as busy.
Joules arithmetic_energy(const ProcessorProfile& processor, const ComputeLoad& load) {
  const Sourced<FlopsPerSecond>* widest = nullptr;
  Joules total{};
  for (const Precision p : kAll) {
    const auto& peak = processor.peak(p);
    if (!peak) continue;
    if (widest == nullptr) widest = &*peak;
    total += processor.energy.value * flops_of(load, p) * (widest->value / peak->value);
  }
  return total;
}

}  // namespace

bool can_compute(const DeviceProfile& profile, const ComputeLoad& load) {
  const ProcessorProfile* processor = profile.processor(load.processor);
  if (processor == nullptr) return false;
  return std::all_of(kAll.begin(), kAll.end(), [&](Precision p) {
    return flops_of(load, p) <= Flops(0) || processor->peak(p).has_value();
  });
}

ComputeCost compute_cost(const DeviceProfile& profile, const ComputeLoad& load,
                         const ComputeState& state) {
  SKIFF_CHECK(can_compute(profile, load), profile.name + " cannot compute this load");
  SKIFF_CHECK(state.cpu_factor > 0 && state.speed > 0 && state.share > 0, "a device at rest");
  const ProcessorProfile& processor = *profile.processor(load.processor);
  const MemoryProfile& memory = profile.memory;
  ComputeCost cost;
  cost.launch = load.launches * processor.launch.value;
  cost.arithmetic = arithmetic_time(processor, load, state);
  cost.memory = load.dram / (memory.bandwidth.value * memory.efficiency.value);
  cost.compute = arithmetic_energy(processor, load) + memory.energy.value * load.dram;
  cost.time = cost.launch + std::max(cost.arithmetic, cost.memory);
  const Watts spare = profile.power.peak.value * state.speed - profile.power.idle.value;
  if (spare > Watts(0)) cost.time = std::max(cost.time, cost.compute / spare);
  cost.idle = profile.power.idle.value * cost.time;
  return cost;
}

FlashCost flash_read_cost(const DeviceProfile& profile, Bytes bytes) {
  const Seconds time = bytes / profile.flash.read.value;
  return {time, profile.power.idle.value * time, profile.flash.read_energy.value * bytes};
}

FlashCost flash_write_cost(const DeviceProfile& profile, Bytes bytes) {
  const Seconds time = bytes / profile.flash.write.value;
  return {time, profile.power.idle.value * time, profile.flash.write_energy.value * bytes};
}

}  // namespace skiff
