// One run of one scenario: what `skiff run` and every point of a sweep do.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "sim/federation/simulation.h"
#include "sim/record/hdf5_recorder.h"
#include "sim/scenario/scenario.h"

namespace skiff::cli {

class Run {
 public:
  // Assembles the scenario and opens FOLDER/run.h5. `case_name`: of a sweep, or empty.
  Run(const Scenario& scenario, const std::filesystem::path& folder, const std::string& case_name,
      LaunchPolicy launch = LaunchPolicy::kDemand);

  const Recorder& recorder() const { return recorder_; }
  std::uint32_t rounds() const { return static_cast<std::uint32_t>(setup_.server.rounds); }
  // To the end, or until was_interrupted(). Rows of rounds get their wall time before on_round.
  SimulationResult simulate(const std::function<void(const RoundRow&)>& on_round);

 private:
  FederationSetup setup_;
  Hdf5Recorder recorder_;
};

// From here on the first SIGINT or SIGTERM only says was_interrupted(); the second one leaves.
void watch_signals();
bool was_interrupted();

}  // namespace skiff::cli
