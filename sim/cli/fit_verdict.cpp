#include "sim/cli/fit_verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "devices/memory.h"
#include "sim/record/human.h"

namespace skiff::cli {
namespace {

ComputeLoad load_of(Flops flops, Bytes dram, const Asked& asked) {
  ComputeLoad load;
  load.activity = asked.trains ? Activity::kTraining : Activity::kInference;
  load.at(Precision::kFp32) = flops;
  load.dram = dram;
  load.batch = asked.batch;
  load.launches = 1;
  return load;
}

std::vector<MemoryPart> parts_of(const FitPlan& plan, Bytes runtime) {
  const PeakMemory& m = plan.cost.memory;
  const MemoryDetail& detail = plan.cost.detail;
  return {{"weights", 'w', m.weights - detail.masks - detail.scales},
          {"masks", 'm', detail.masks},
          {"scales", 'c', detail.scales},
          {"low-rank", 'l', m.adapters},
          {"gradients", 'g', m.gradients},
          {"optimizer", 'o', m.optimizer_state},
          {"activations", 'a', m.activations - detail.logits},
          {"logits", 't', detail.logits},
          {"key-values", 'k', plan.key_values},
          {"scratch", 's', m.scratch},
          {"runtime", 'r', runtime}};
}

// "wwwwwwwwwwggaar.....|######": to scale of the RAM. The mark is the limit; what is behind it
// without a letter is not the program's.
std::string bar(const Verdict& v) {
  constexpr double kWidth = 60;
  std::string text;
  double sum = 0;
  for (const MemoryPart& part : v.parts) {
    sum += kWidth * (part.bytes / v.ram);
    while (static_cast<double>(text.size()) + 0.5 < std::min(sum, 2 * kWidth)) text += part.letter;
  }
  const auto limit = static_cast<std::size_t>(std::lround(kWidth * (v.limit / v.ram)));
  if (text.size() < limit) text.resize(limit, '.');
  if (text.size() < static_cast<std::size_t>(kWidth)) {
    text.resize(static_cast<std::size_t>(kWidth), '#');
  }
  return text.insert(limit, "|");
}

}  // namespace

Bytes Verdict::total() const {
  Bytes sum{};
  for (const MemoryPart& part : parts) sum += part.bytes;
  return sum;
}

Bytes Verdict::weights() const { return parts[0].bytes + parts[1].bytes + parts[2].bytes; }

Bytes limit_of(const DeviceProfile& device, const Asked& asked) {
  const Bytes most = asked.foreground ? foreground_memory(device) : background_memory(device);
  return asked.budget ? std::min(most, *asked.budget) : most;
}

Verdict judge(const FitPlan& plan, const DeviceProfile& device, const Asked& asked) {
  Verdict found;
  found.parts = parts_of(plan, device.memory.runtime.value);
  found.limit = limit_of(device, asked);
  found.ram = device.memory.ram.value;
  found.work = compute_cost(device, load_of(plan.cost.fp32, plan.cost.dram, asked));
  if (plan.decodes && !asked.trains) {  // a token reads every weight once
    const double share = 1 / static_cast<double>(plan.tokens);
    const ComputeCost token =
        compute_cost(device, load_of(share * plan.cost.fp32, plan.cost.memory.weights, asked));
    found.tokens_per_second = 1 / token.time.value();
  }
  return found;
}

void print_memory(const Verdict& v) {
  fmt::print("  {}| {}\n ", bar(v), human(v.ram));
  for (const MemoryPart& part : v.parts) {
    if (part.bytes > Bytes(0)) fmt::print(" {}: {} {}", part.letter, part.name, human(part.bytes));
  }
  fmt::print("\n  | the limit, {}   # of the system and other programs, {}\n", human(v.limit),
             human(v.ram - v.limit));
}

}  // namespace skiff::cli
