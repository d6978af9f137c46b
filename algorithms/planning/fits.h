// Whether a plan fits a device, or what does not and by how much.
#pragma once

#include <optional>

#include "algorithms/planner.h"

namespace skiff {

// What one participation may take at most; empty: no limit.
struct PlanLimits {
  std::optional<Seconds> time;
  std::optional<Joules> energy;
  std::optional<Bytes> storage;  // beside the device's own
};

inline Choice choose_if_fits(const DeviceLimits& device, std::span<const PlanPrice> per_plan,
                             std::size_t plan, const PlanLimits& limits = {}) {
  const PlanPrice& cost = per_plan[plan];
  const Bytes room = std::min(device.storage, limits.storage.value_or(device.storage));
  if (cost.peak() > device.memory) return {std::nullopt, "ram", cost.peak() - device.memory, plan};
  if (cost.storage > room) return {std::nullopt, "storage", cost.storage - room, plan};
  if (limits.time && cost.time > *limits.time) return {std::nullopt, "time", Bytes(0), plan};
  if (limits.energy && cost.energy > *limits.energy) {
    return {std::nullopt, "energy", Bytes(0), plan};
  }
  return {plan, "", Bytes(0), plan};
}

}  // namespace skiff
