// Everything that a federated run is assembled from: the strategies, the data, the fleet, the
// protocol. Values and shared immutable objects; units are resolved, names are looked up.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "algorithms/data/dataset.h"
#include "algorithms/federated_method.h"
#include "algorithms/plan.h"
#include "algorithms/planner.h"
#include "devices/availability.h"
#include "devices/failures.h"
#include "devices/memory.h"
#include "devices/population.h"
#include "sim/core/distribution.h"

namespace skiff {

// When client jobs are computed. The trace is the same for all three; only host time differs.
//   demand: when the round is closed, exactly the accepted ones, in parallel
//   eager:  from the moment a device starts to train, beside the event thread
//   serial: one after the other on the event thread, when the round is closed
enum class LaunchPolicy : std::uint8_t { kDemand, kEager, kSerial };

enum class Weighting : std::uint8_t { kBySamples, kUniform };

// End earlier than the horizon, at the first one met. Totals are of the whole fleet.
struct StopRule {
  std::optional<Seconds> virtual_time;
  std::optional<Bytes> upload, download;
  std::optional<Joules> energy;
  std::vector<std::pair<std::string, double>> target;  // metric, value to reach
};

// Synchronous rounds with over-selection (Bonawitz et al. 2019, "Towards federated learning at
// scale"): invite ceil(over_selection x participants), close at the participants-th report or at
// the deadline; a round with fewer than min_fraction x participants is abandoned.
struct SynchronousSpec {
  std::int64_t rounds = 0;
  std::int64_t participants = 0;
  double over_selection = 1;
  double min_fraction = 0;
  std::int64_t min_reports = 0;  // and with fewer than these, for what breaks if one is missing
  std::optional<Seconds> deadline, select_timeout;
  Weighting weighting = Weighting::kBySamples;
  StopRule stop;

  // No rounds: every device is sent the model, to load it and predict one sample. Nobody trains or
  // reports; attempts tell who can hold it, and after what time and energy.
  bool delivers_only() const { return rounds == 0; }
};

// Timing-only runs may give loads instead of computing them.
struct GivenLoads {
  std::optional<DistributionOf<Seconds>> compute_time;  // of one participation
  std::optional<DistributionOf<Bytes>> download, upload;
};

struct FleetSpec {
  std::shared_ptr<const Catalogue> catalogue;
  std::shared_ptr<const Fleet> fleet;
  std::shared_ptr<const Availability> availability;
  FailureRates failures;
  std::vector<Bytes> memory_limits;  // by ClassId: what a job may take, runtime included
  std::vector<std::pair<std::string, Bytes>> tiers;  // least RAM, descending; empty = no tiers
  double min_battery = 0;
  std::optional<BytesPerSecond> server_upload, server_download;  // empty: unlimited
};

struct EvaluationSpec {
  std::int64_t every = 1;
  std::optional<std::int64_t> samples;  // of the test set; empty: all
  std::vector<std::string> metrics;
  std::optional<double> optimum;
};

struct FederationSetup {
  std::uint64_t seed = 0;
  DatasetPtr data;
  Composition composition;
  std::shared_ptr<const FederatedMethod> method;
  std::shared_ptr<const Planner> planner;
  FleetSpec devices;
  SynchronousSpec server;
  EvaluationSpec evaluation;
  // The composition with the models that devices pay for in the place of those that train
  // (model.deploy_as); null: they pay for what trains.
  std::shared_ptr<const Composition> deployed;
  // By plan what its pruners left before the first round; null: nothing was removed. Empty until
  // prepare_start(), and where no plan compresses.
  std::vector<std::shared_ptr<const Model>> structure;
  std::shared_ptr<const Server> start;  // version 0, pruned; null: initialised weights
  bool timing_only = false;
  bool keep_final_model = true;  // in the record
  GivenLoads loads;
  LaunchPolicy launch = LaunchPolicy::kDemand;
  Bytes most_client_states{std::int64_t{1} << 30};  // in host memory; the others lie in a file
  // Called at the start of each client job, on its thread: tests inject delays here.
  std::function<void(ClientId)> before_job;

  // What sizes, times and memory come from.
  const Composition& charged() const { return deployed != nullptr ? *deployed : composition; }
  // Whether sizes and compute come from the strategies, or all loads are given.
  bool has_model() const { return !composition.plans.empty(); }
};

}  // namespace skiff
