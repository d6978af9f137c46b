// Availability {name: always}, and the words of availabilities that are not there yet.
#include "devices/availability.h"

namespace skiff {
namespace {

class Always final : public Availability {
 public:
  explicit Always(const NoParams&) {}
  Answer at(std::uint64_t, std::uint64_t, VirtualTime) const override { return {}; }
};

SKIFF_REGISTER(Availability, Always, NoParams,
               {.name = "always",
                .summary = "every device is there all the time",
                .paper = "baseline"});

FieldInfo trace_path() {
  FieldInfo field;
  field.name = "path";
  field.type = "file";
  field.help = "device, on, off, period: when each device is there";
  field.required = true;
  return field;
}

[[maybe_unused]] const bool registered_household = detail::register_planned<Availability>(
    {.name = "household",
     .summary = "charging overnight and by chance by day, idle while its owner sleeps",
     .paper = "baseline"},
    {});
[[maybe_unused]] const bool registered_trace =
    detail::register_planned<Availability>({.name = "trace",
                                            .summary = "recorded times of devices, repeated",
                                            .paper = "Lai et al. 2022, FedScale, arXiv:2105.11367"},
                                           {trace_path()});

}  // namespace
}  // namespace skiff
