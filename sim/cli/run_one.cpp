#include "sim/cli/run_one.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>

#include "sim/cli/assemble.h"
#include "sim/cli/command.h"
#include "sim/cli/run_info.h"

namespace skiff::cli {
namespace {

std::atomic<bool> interrupted{false};

void on_signal(int) {
  if (interrupted.exchange(true)) std::_Exit(kInterrupted);
}

FederationSetup assemble_for(const Scenario& scenario, LaunchPolicy launch) {
  FederationSetup setup = assemble(scenario);
  setup.launch = launch;
  return setup;
}

RunInfo info_of(const Scenario& scenario, const FederationSetup& setup,
                const std::string& case_name) {
  RunInfo info = run_info(scenario, setup);
  info.case_name = case_name;
  return info;
}

}  // namespace

Run::Run(const Scenario& scenario, const std::filesystem::path& folder,
         const std::string& case_name, LaunchPolicy launch)
    : setup_(assemble_for(scenario, launch)),
      recorder_(folder / "run.h5", info_of(scenario, setup_, case_name)) {}

SimulationResult Run::simulate(const std::function<void(const RoundRow&)>& on_round) {
  const auto start = std::chrono::steady_clock::now();
  SimulationHooks hooks;
  hooks.interrupted = &interrupted;
  hooks.on_round = [&](RoundRow& row) {
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
    row.wall_time = Seconds(passed.count());
    on_round(row);
  };
  return skiff::simulate(setup_, recorder_, hooks);
}

void watch_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool was_interrupted() { return interrupted; }

}  // namespace skiff::cli
