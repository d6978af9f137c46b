// What one plan of `skiff fit` asks of one device: its memory by part, its time and joules.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "devices/compute.h"
#include "sim/cli/fit_plans.h"

namespace skiff::cli {

struct Asked {
  bool trains = false, foreground = true;
  int tokens = 128, batch = 1;
  std::optional<Bytes> budget;
};

struct MemoryPart {
  const char* name;
  char letter;  // in the bar
  Bytes bytes;
};

struct Verdict {
  std::vector<MemoryPart> parts;  // they add up to the total; each byte stands in one of them
  Bytes limit, ram;               // what lies between is the system's, and other programs'
  ComputeCost work;               // of the sample, or of the step
  double tokens_per_second = 0;   // written one by one; 0: it does not write

  Bytes total() const;
  Bytes weights() const;  // with their masks and scales
  bool fits() const { return total() <= limit; }
};

Bytes limit_of(const DeviceProfile& device, const Asked& asked);
Verdict judge(const FitPlan& plan, const DeviceProfile& device, const Asked& asked);
// The bar of a device's RAM and what its letters mean.
void print_memory(const Verdict& verdict);

}  // namespace skiff::cli
