// A whole run: engine, devices, server, learner, evaluator and recorder, put together.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "sim/federation/setup.h"
#include "sim/record/recorder.h"

namespace skiff {

struct SimulationHooks {
  std::function<void(RoundRow&)> on_round;         // after each round: progress
  const std::atomic<bool>* interrupted = nullptr;  // asked before each event
};

struct SimulationResult {
  RunStatus status = RunStatus::kOk;
  std::string fingerprint;  // 16 hex digits
  std::uint64_t events = 0;
  std::uint32_t rounds = 0;
  double worst_imbalance = 0;  // of the batteries' energy books, relative
};

// Runs to the horizon, a stop rule or an interruption, and fills and finishes the recorder. What
// was recorded before an exception stays recorded.
SimulationResult simulate(const FederationSetup& setup, Recorder& recorder,
                          const SimulationHooks& hooks = {});

}  // namespace skiff
