// What a device would be asked to do in this round, and whether it fits: plan, steps, bytes, time,
// energy and memory, all before anything runs.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sim/federation/attempt.h"
#include "sim/federation/device_book.h"
#include "sim/federation/setup.h"

namespace skiff {

struct Verdict {
  Assignment task;             // complete if cause is kNone
  Cause cause = Cause::kNone;  // why the device is refused
  Bytes missing;               // by how much
};

class Assigner {
 public:
  explicit Assigner(const FederationSetup& setup) : setup_(setup) {}

  // In timing-only runs `server` has a version and nothing else: sizes come from shapes.
  Verdict assign(DeviceRecord& device, std::uint32_t index, std::uint32_t round,
                 const Server& server);

  // Cost of a plan for a client with that many samples, the method's and codec's shares included.
  Cost cost_of(const Plan& plan, const Server& server, std::int64_t samples,
               const Exchange& exchange, Bytes kept_on_flash) const;
  // The same for a first participation, before the run.
  Cost cost_of(const Plan& plan, std::int64_t samples, const Server& server) const;
  // What a plan needs for the client with the most samples: the table of memory by part.
  Cost largest_cost(const Plan& plan, const Server& server) const;
  // The same on one device: with the time and energy of a participation.
  PlanPrice priced(const Cost& cost, const Device& device) const;
  // What a planner may know of a device; -1: no tier of its own.
  DeviceLimits limits_of(std::uint32_t device) const;
  int tier_of(const DeviceProfile& profile) const;  // -1: below the last; 0 where there are none

 private:
  const Exchange& exchange_of(std::size_t plan, const Server& server, std::uint32_t device);
  Bytes kept_on_flash(const Plan& plan, const Exchange& exchange) const;
  Bytes encoded_up(std::size_t plan, const Server& server, std::uint32_t device,
                   const Exchange& charged) const;
  void set_given_loads(Assignment& task, const DeviceRecord& device) const;
  void set_costs(Assignment& task, const Cost& cost, const DeviceRecord& device) const;
  Bytes limit_of(std::uint32_t device) const {
    return setup_.devices.memory_limits[setup_.devices.fleet->class_of(device)];
  }

  struct Cached {
    std::int64_t version = -1;
    Exchange exchange;
    Bytes flash;
    Bytes encoded_up;
  };
  const FederationSetup& setup_;
  std::vector<Cached> cache_;     // by plan
  std::vector<PlanPrice> costs_;  // scratch
};

}  // namespace skiff
