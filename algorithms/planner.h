// Planner: which of the prepared plans fits this device?
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "algorithms/cost.h"
#include "sim/core/units.h"

namespace skiff {

// What a planner may know of a device.
struct DeviceLimits {
  std::string_view device_class;
  int tier = 0;  // index into devices.tiers; -1 = below the last
  Bytes memory;  // limit for this app, runtime reserve already taken off
  Bytes storage;
};

// A plan, or what did not fit and by how much.
struct Choice {
  std::optional<std::size_t> plan;
  std::string part;  // "ram", "storage", "tier"
  Bytes missing;
};

class Planner {
 public:
  static constexpr const char* kRole = "planner";
  static constexpr const char* kKey = "name";
  virtual ~Planner() = default;
  virtual Choice plan(const DeviceLimits& device, std::span<const Cost> per_plan) const = 0;
};

}  // namespace skiff
