#include <limits>

#include "sim/scenario/section_schemas.h"

namespace skiff {
namespace {

constexpr double kUnbounded = std::numeric_limits<double>::infinity();

Schema<NetworkSection> network_schema() {
  Schema<NetworkSection> s;
  s.field("links", &NetworkSection::links,
          "share of devices on each link, instead of the classes' own: wifi, ethernet, lte, ...")
      .fraction(0, kUnbounded)
      .above(0);
  s.field("rates", &NetworkSection::rates,
          "constant: a link's median; lognormal: one draw a device; markov: it wanders; trace: "
          "from a file")
      .one_of({"constant", "lognormal", "markov", "trace"});
  s.field("path", &NetworkSection::path, "the traces, for rates: trace");
  s.field("upload", &NetworkSection::upload, "upload rate of a device, instead of its link's")
      .above(0)
      .unit("Mbps");
  s.field("download", &NetworkSection::download, "download rate of a device, instead of its link's")
      .above(0)
      .unit("Mbps");
  s.field("rtt", &NetworkSection::rtt, "round trip to the server, instead of the link's")
      .at_least(0)
      .unit("ms");
  s.field("server_upload", &NetworkSection::server_upload,
          "rate at which the server sends, shared max-min fairly")
      .above(0)
      .unit("Gbps")
      .or_word("unlimited");
  s.field("server_download", &NetworkSection::server_download,
          "rate at which the server receives, shared max-min fairly")
      .above(0)
      .unit("Gbps")
      .or_word("unlimited");
  return s;
}

Schema<FailuresSection> failures_schema() {
  Schema<FailuresSection> s;
  s.field("crash_rate", &FailuresSection::crash_rate, "crashes while working")
      .at_least(0)
      .unit("/h");
  s.field("interrupt_rate", &FailuresSection::interrupt_rate,
          "how often somebody takes the device while it works")
      .at_least(0)
      .unit("/h");
  return s;
}

}  // namespace

template <>
Schema<DevicesSection> schema() {
  Schema<DevicesSection> s;
  s.field("population", &DevicesSection::population,
          "device classes and their weights, normalised (skiff list devices)")
      .fraction(0, kUnbounded)
      .above(0)
      .required("which devices there are, such as {pixel-8-pro: 30%, budget-android: 70%}");
  s.field("catalogue", &DevicesSection::catalogue,
          "device classes of your own, in the format of devices/profiles");
  s.field("tiers", &DevicesSection::tiers,
          "least RAM of each tier, descending; a device below the last is refused")
      .above(0)
      .unit("GB");
  s.field("memory_limit", &DevicesSection::memory_limit,
          "RAM that training may take: the catalogue's share for a background or foreground "
          "application, a share of your own, or bytes");
  s.field("availability", &DevicesSection::availability, "when devices are there");
  s.field("require", &DevicesSection::require,
          "what a device must be to take part; known to availability household and trace")
      .one_of({"charging", "idle", "unmetered", "cool"});
  s.field("min_battery", &DevicesSection::min_battery, "charge needed to take part").fraction();
  s.field("battery_start", &DevicesSection::battery_start, "state of charge at time zero")
      .fraction();
  s.field("thermal", &DevicesSection::thermal, "throttle when hot");
  s.section("network", &DevicesSection::network, network_schema(),
            "links between devices and "
            "server");
  s.section("failures", &DevicesSection::failures, failures_schema(), "what goes wrong at work");
  return s;
}

}  // namespace skiff
