// Whether a plan fits a device, or what does not and by how much.
#pragma once

#include "algorithms/planner.h"

namespace skiff {

inline Choice choose_if_fits(const DeviceLimits& device, std::span<const Cost> per_plan,
                             std::size_t plan) {
  const Cost& cost = per_plan[plan];
  if (cost.peak() > device.memory) return {std::nullopt, "ram", cost.peak() - device.memory, plan};
  if (cost.storage > device.storage) {
    return {std::nullopt, "storage", cost.storage - device.storage, plan};
  }
  return {plan, "", Bytes(0), plan};
}

}  // namespace skiff
