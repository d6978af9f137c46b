// Planner: which of the prepared plans fits this device?
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "algorithms/cost.h"
#include "sim/core/node.h"
#include "sim/core/units.h"

namespace skiff {

// What a planner may know of a device.
struct DeviceLimits {
  std::string_view device_class;
  int tier = 0;  // index into devices.tiers; -1 = below the last
  Bytes memory;  // limit for this app, runtime reserve already taken off
  Bytes storage;
};

// What one participation with a plan takes on one device: transfers over its idle link included.
struct PlanPrice : Cost {
  Seconds time;
  Joules energy;
};

// A plan, or what did not fit and by how much.
struct Choice {
  std::optional<std::size_t> plan;
  std::string part;  // "ram", "storage", "tier", "time", "energy"
  Bytes missing;
  std::size_t considered = 0;  // the plan that is chosen, or that did not fit
};

// What the plans of some tiers have otherwise than the scenario says: tier -> {bits: 4, ...}.
using PlanTable = std::vector<std::pair<std::string, Node>>;
// What plans may be made of, by key: bits -> 4, 8; sparsity -> 0.3, 0.6; ...
using PlanChoices = std::vector<std::pair<std::string, std::vector<Node>>>;

class Planner {
 public:
  static constexpr const char* kRole = "planner";
  static constexpr const char* kKey = "name";
  virtual ~Planner() = default;
  virtual Choice plan(const DeviceLimits& device, std::span<const PlanPrice> per_plan) const = 0;
  // Null: there is one plan for all. Else one a tier, in the order of devices.tiers.
  virtual const PlanTable* table() const { return nullptr; }
  // Not null: it picks from plans that are made of these before the run, see sim/cli/candidates.h.
  virtual const PlanChoices* choices() const { return nullptr; }
  // The plan that stands for a tier in its records.
  virtual std::size_t plan_of_tier(std::size_t /*tier*/) const { return 0; }
};

}  // namespace skiff
