// `sweep`: which runs one scenario stands for.
//
// cases (named alternatives) x grid (every combination) x zip (side by side) x seeds, in the order
// written, seeds innermost. Every case runs with the same seeds, so that rivals meet the same luck.
#pragma once

#include <string>
#include <vector>

#include "sim/scenario/scenario.h"

namespace skiff {

struct SweepPoint {
  std::string label;  // names the folder: "fedavg", "scaffold,batch=20"; "" if seeds alone
  std::vector<Change> changes;  // of the scenario
};

// The points of a scenario's sweep; a scenario without one is its own single point. What the points
// lack or have wrong is found when each is loaded (LoadOptions::point), for a key may be written in
// the sweep alone. Labels are fit for folders and differ from point to point but for the seed.
// Throws ScenarioError.
std::vector<SweepPoint> load_sweep(const std::string& file,
                                   const std::vector<std::string>& overrides = {},
                                   const LoadOptions& options = {});

// Every point as a scenario of its own. What is wrong in several points is said once. Throws
// ScenarioError.
struct SweepRun {
  std::string label;
  Scenario scenario;
};
std::vector<SweepRun> load_sweep_runs(const std::string& file,
                                      const std::vector<std::string>& overrides = {},
                                      LoadOptions options = {});

// The digest that names a run's folder: of its configuration but for the seed; 8 hex digits.
std::string case_digest(const Scenario& run);

}  // namespace skiff
