// The planner `fixed`: every device gets the same plan.
//
// With `admission: checked` (default) a device whose memory limit is below what the plan declares
// is turned away before anything is sent, and by how much is recorded. With `blind` the server
// does not ask: the device starts, and dies at the phase where its memory runs out.

#include "algorithms/planning/fits.h"
#include "sim/core/registry.h"

namespace skiff {

struct FixedParams {
  std::string admission = "checked";
};

template <>
Schema<FixedParams> schema<FixedParams>() {
  Schema<FixedParams> s;
  s.field("admission", &FixedParams::admission,
          "checked: a device that the plan does not fit is refused; blind: it tries and dies")
      .one_of({"checked", "blind"});
  return s;
}

namespace {

class Fixed final : public Planner {
 public:
  explicit Fixed(const FixedParams& params) : blind_(params.admission == "blind") {}

  Choice plan(const DeviceLimits& device, std::span<const PlanPrice> per_plan) const override {
    if (blind_) return {0, "", Bytes(0)};
    if (device.tier < 0) return {std::nullopt, "tier", Bytes(0)};
    return choose_if_fits(device, per_plan, 0);
  }

 private:
  bool blind_;
};

SKIFF_REGISTER(Planner, Fixed, FixedParams,
               {.name = "fixed",
                .summary = "every device gets the same plan",
                .paper = "baseline",
                .verified = "refusals and their missing bytes equal the declared cost"});

}  // namespace
}  // namespace skiff
