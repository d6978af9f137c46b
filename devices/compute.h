// How long a device computes and what it costs: the roofline of each phase.
//
//   t = n o_e + max( sum_d F_d / (eta(b) P_e(d) s), B / (eta_b BW) )      eta(b) = eta b / (b + b0)
//   E = P_idle t + e_flop F + e_dram B,   with (E / t) <= P_peak s: a phase that would draw more
//                                         takes longer instead
//
// (Williams, Waterman, Patterson 2009, the roofline model.) F_d are operations by the precision
// of the arithmetic: 4-bit weights that are expanded count at the precision they are computed in.
// b0 is the batch of half efficiency. Pure functions, thread-safe.
#pragma once

#include <array>

#include "devices/profile.h"

namespace skiff {

enum class Activity : std::uint8_t { kInference, kTraining };

struct ComputeLoad {
  Activity activity = Activity::kTraining;
  Processor processor = Processor::kCpu;
  std::array<Flops, kPrecisions> flops{};  // by Precision
  Bytes dram{};                            // traffic between processor and DRAM
  double batch = 0;                        // samples a step; 0: no loss of efficiency by batch
  double launches = 0;                     // batches of kernels that are started

  Flops& at(Precision p) { return flops[static_cast<std::size_t>(p)]; }
};

// The device as it is at the moment; all in (0, 1] but cpu_factor.
struct ComputeState {
  double cpu_factor = 1;  // of this device within its class
  double speed = 1;       // s: what heat leaves of the clock
  double share = 1;       // of the processor that this job gets
};

struct ComputeCost {
  Seconds time;
  Seconds arithmetic, memory, launch;  // the parts of the roofline
  Joules idle, compute;                // by cause; the total is their sum
  Joules energy() const { return idle + compute; }
};

// Whether the device has the processor, and that every precision that the load needs.
bool can_compute(const DeviceProfile& profile, const ComputeLoad& load);

// can_compute() must hold.
ComputeCost compute_cost(const DeviceProfile& profile, const ComputeLoad& load,
                         const ComputeState& state = {});

struct FlashCost {
  Seconds time;
  Joules idle, flash;
  Joules energy() const { return idle + flash; }
};
FlashCost flash_read_cost(const DeviceProfile& profile, Bytes bytes);
FlashCost flash_write_cost(const DeviceProfile& profile, Bytes bytes);

}  // namespace skiff
