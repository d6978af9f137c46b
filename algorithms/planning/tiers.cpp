// The planner `tiers`: a plan for each memory tier, by the user's table.
//
// plans: {high-end: {bits: 8, sparsity: 0.3}, ...} over devices.tiers; a tier that the table leaves
// out, and a key that a tier leaves out, has what the compression section says. A device below the
// last tier is refused, and so is one that its tier's plan does not fit: no plan is tried instead.
#include "algorithms/planning/fits.h"
#include "sim/core/registry.h"

namespace skiff {

struct TiersParams {
  PlanTable plans;
};

template <>
Schema<TiersParams> schema<TiersParams>() {
  Schema<TiersParams> s;
  s.field("plans", &TiersParams::plans,
          "by tier: bits, sparsity, rank (alpha / rank stays), optimizer, batch, checkpointing; "
          "for distillations that mix architectures: model")
      .required("a plan for each tier, such as {high-end: {bits: 8}, low-end: {bits: 2}}");
  return s;
}

namespace {

class Tiers final : public Planner {
 public:
  explicit Tiers(const TiersParams& params) : plans_(params.plans) {}

  Choice plan(const DeviceLimits& device, std::span<const PlanPrice> per_plan) const override {
    if (device.tier < 0) return {std::nullopt, "tier", Bytes(0)};
    return choose_if_fits(device, per_plan, static_cast<std::size_t>(device.tier));
  }
  const PlanTable* table() const override { return &plans_; }
  std::size_t plan_of_tier(std::size_t tier) const override { return tier; }

 private:
  PlanTable plans_;
};

SKIFF_REGISTER(Planner, Tiers, TiersParams,
               {.name = "tiers",
                .summary = "a plan for each tier, by your table",
                .paper = "baseline",
                .verified = "each tier's devices get their tier's plan, its bytes and its memory"});

}  // namespace
}  // namespace skiff
