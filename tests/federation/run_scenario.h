// Runs a scenario from text or file in memory: what the tests of whole runs share.
#pragma once

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "sim/cli/assemble.h"
#include "sim/cli/run_info.h"
#include "sim/core/parallel.h"
#include "sim/federation/simulation.h"
#include "sim/record/memory_recorder.h"
#include "sim/scenario/scenario.h"

namespace skiff::test {

// Where the built-in catalogue stands, whatever the working directory is.
inline std::string profiles() {
  const char* source = std::getenv("SKIFF_SOURCE");
  return std::string(source != nullptr ? source : ".") + "/devices/profiles";
}

// A finished run, in memory.
struct Ran {
  std::unique_ptr<MemoryRecorder> record;
  SimulationResult result;
  const std::vector<AttemptRow>& attempts() const { return record->attempts(); }
  const std::vector<RoundRow>& rounds() const { return record->rounds(); }
  std::vector<Seconds> round_durations() const {
    std::vector<Seconds> durations;
    VirtualTime last;
    for (const RoundRow& r : rounds()) {
      durations.push_back(r.virtual_time - last);
      last = r.virtual_time;
    }
    return durations;
  }
  double last(const std::string& metric) const {
    for (const auto& [name, value] : rounds().back().metrics) {
      if (name == metric) return value;
    }
    return metric == "train_loss" ? rounds().back().train_loss : kNotMeasured;
  }
};

inline Ran run(const Scenario& scenario, FederationSetup setup) {
  Ran run;
  run.record = std::make_unique<MemoryRecorder>(cli::run_info(scenario, setup));
  run.result = simulate(setup, *run.record);
  return run;
}

inline Ran run(const std::string& text, const std::vector<std::string>& overrides = {},
               LaunchPolicy launch = LaunchPolicy::kDemand) {
  const Scenario scenario = parse_scenario(text, "test.yaml", overrides, {.profiles = profiles()});
  FederationSetup setup = assemble(scenario);
  setup.launch = launch;
  return test::run(scenario, std::move(setup));
}

}  // namespace skiff::test
