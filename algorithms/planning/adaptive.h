// The planner `adaptive`: of the plans that fit a device, the one with the least predicted growth
// of the loss; among equals the fastest, then the one with the least memory.
//
// It enumerates choices: {bits: [2, 4, 8], sparsity: [0, 0.5], rank: [8, 16], optimizer: [...],
// batch: [...], checkpointing: [...]}, all combinations, before the run; what nobody can use is not
// kept. Keys left out have the usual values (sim/cli/candidates.h). What does not fit anywhere is
// refused, by the plan that needs the least memory: that is the smallest budget that would do.
//   per_layer    a candidate's bits are a budget of bytes, spent where the loss bears it least: the
//                multiple-choice knapsack of quantization/bit_allocation.h over the bits of the
//                choices, for every quantizer; 3.5 is half-way between 3 and 4 everywhere.
//   per: tier    one plan for all devices of a tier: that which fits most of them, and of those the
//                best. Each tier's model is prepared, and sent, once.
//   per: device  each device has the best that fits it.
#pragma once

#include <string>
#include <vector>

#include "algorithms/planning/fits.h"
#include "algorithms/planning/predicted_loss.h"

namespace skiff {

struct AdaptiveParams {
  std::string per = "tier";
  PlanChoices choices;
  bool per_layer = false;
  PlanLimits limits;
  MeasuredLoss measured;
};

// The best plan that fits; if none does, the one that needs the least memory and what it lacks.
// losses: by plan.
Choice best_plan(const DeviceLimits& device, std::span<const PlanPrice> prices,
                 std::span<const double> losses, const PlanLimits& limits);

class Adaptive final : public Planner {
 public:
  explicit Adaptive(const AdaptiveParams& params) : p_(params) {}
  // For a run's plans: their predicted growth of the loss, and, per: tier, each tier's plan.
  Adaptive(const AdaptiveParams& params, std::vector<double> losses,
           std::vector<std::size_t> by_tier)
      : p_(params), losses_(std::move(losses)), by_tier_(std::move(by_tier)) {}

  Choice plan(const DeviceLimits& device, std::span<const PlanPrice> per_plan) const override;
  const PlanChoices* choices() const override { return &p_.choices; }
  std::size_t plan_of_tier(std::size_t tier) const override {
    return tier < by_tier_.size() ? by_tier_[tier] : 0;
  }

  const AdaptiveParams& params() const { return p_; }
  bool per_tier() const { return p_.per == "tier"; }

 private:
  AdaptiveParams p_;
  std::vector<double> losses_;
  std::vector<std::size_t> by_tier_;
};

}  // namespace skiff
