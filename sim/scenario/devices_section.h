// `devices`: which devices there are, their links, and what can go wrong with them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "devices/availability.h"
#include "sim/core/registry.h"
#include "sim/scenario/values.h"

namespace skiff {

struct NetworkSection {
  ByName<double> links;             // empty: by device class
  std::string rates = "lognormal";  // constant | lognormal | markov | trace
  std::optional<FilePath> path;     // of the traces
  std::optional<DistributionOf<BytesPerSecond>> upload, download;  // instead of the links' own
  std::optional<DistributionOf<Seconds>> rtt;
  std::optional<BytesPerSecond> server_upload, server_download;  // empty: unlimited
};

struct FailuresSection {
  PerSecond crash_rate{0}, interrupt_rate{0};  // while working
};

struct DevicesSection {
  ByName<double> population;  // device class -> weight, not normalised
  std::optional<FilePath> catalogue;
  ByName<Bytes> tiers;  // least RAM of each, descending; empty: no tiers
  MemoryLimit memory_limit;
  Chosen<Availability> availability = neutral<Availability>("always");
  std::vector<std::string> require;  // charging | idle | unmetered | cool
  double min_battery = 0;
  Distribution battery_start{Distribution::Kind::kUniform, 0.3, 1, {}};
  bool thermal = false;
  NetworkSection network;
  FailuresSection failures;
};

}  // namespace skiff
