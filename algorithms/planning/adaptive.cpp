#include "algorithms/planning/adaptive.h"

#include <tuple>

#include "sim/core/error.h"
#include "sim/core/registry.h"

namespace skiff {

namespace {

Schema<PlanLimits> limits_schema() {
  Schema<PlanLimits> s;
  s.field("time", &PlanLimits::time, "of one participation, transfers over an idle link included")
      .above(0)
      .unit("s");
  s.field("energy", &PlanLimits::energy, "of one participation").above(0).unit("J");
  s.field("storage", &PlanLimits::storage, "flash that the run may take").above(0).unit("GB");
  return s;
}

Schema<MeasuredLoss> measured_schema() {
  Schema<MeasuredLoss> s;
  constexpr const char* kMeaning = "value -> growth of the loss";
  s.field("bits", &MeasuredLoss::bits, kMeaning);
  s.field("sparsity", &MeasuredLoss::sparsity, kMeaning);
  s.field("rank", &MeasuredLoss::rank, kMeaning);
  s.field("optimizer", &MeasuredLoss::optimizer, kMeaning);
  s.field("batch", &MeasuredLoss::batch, kMeaning);
  return s;
}

}  // namespace

template <>
Schema<AdaptiveParams> schema() {
  Schema<AdaptiveParams> s;
  s.field("per", &AdaptiveParams::per, "whose plan: one a tier, or each device's own")
      .one_of({"tier", "device"});
  s.field("choices", &AdaptiveParams::choices,
          "what plans are made of, such as {bits: [4, 8], rank: [8]}; keys left out: the usual");
  s.field("per_layer", &AdaptiveParams::per_layer,
          "bits are a budget, spent layer by layer where the loss bears it least");
  s.section("limits", &AdaptiveParams::limits, limits_schema(), "of one device and round");
  s.section("measured", &AdaptiveParams::measured, measured_schema(),
            "growth of the loss that you measured, in the place of the built-in figures");
  return s;
}

Choice best_plan(const DeviceLimits& device, std::span<const PlanPrice> prices,
                 std::span<const double> losses, const PlanLimits& limits) {
  SKIFF_CHECK(!prices.empty() && prices.size() == losses.size(), "plans without a predicted loss");
  const auto rank = [&](std::size_t i) {
    return std::tuple(losses[i], prices[i].time, prices[i].peak(), i);
  };
  std::optional<std::size_t> best;
  std::size_t smallest = 0;
  for (std::size_t i = 0; i < prices.size(); ++i) {
    if (prices[i].peak() < prices[smallest].peak()) smallest = i;
    if (!choose_if_fits(device, prices, i, limits).plan) continue;
    if (!best || rank(i) < rank(*best)) best = i;
  }
  return choose_if_fits(device, prices, best.value_or(smallest), limits);
}

Choice Adaptive::plan(const DeviceLimits& device, std::span<const PlanPrice> per_plan) const {
  if (device.tier < 0) return {std::nullopt, "tier", Bytes(0)};
  if (!per_tier()) return best_plan(device, per_plan, losses_, p_.limits);
  return choose_if_fits(device, per_plan, plan_of_tier(static_cast<std::size_t>(device.tier)),
                        p_.limits);
}

namespace {

SKIFF_REGISTER(Planner, Adaptive, AdaptiveParams,
               {.name = "adaptive",
                .summary = "the best plan that fits",
                .paper = "baseline",
                .verified = "equals brute force over all plans; more memory never predicts more "
                            "loss; the plans that are picked fit in the run"});

}  // namespace
}  // namespace skiff
