// The sections of a scenario as typed values, units resolved: what the simulation is built from.
// Words and ranges are declared in each section's schema (*_section.cpp); the values here are the
// neutral defaults. Plain values; strategies are shared and immutable.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "algorithms/codec.h"
#include "algorithms/compressor.h"
#include "algorithms/data/partition.h"
#include "algorithms/data/source.h"
#include "algorithms/distillation.h"
#include "algorithms/federated_method.h"
#include "algorithms/models/architecture.h"
#include "algorithms/optimizer.h"
#include "algorithms/parametrization.h"
#include "algorithms/plan.h"
#include "algorithms/planner.h"
#include "sim/scenario/deploy_choice.h"
#include "sim/scenario/devices_section.h"
#include "sim/scenario/values.h"

namespace skiff {

struct DataSection {
  Chosen<DataSource> source;
  std::optional<int> clients;  // empty: all there are (natural partition)
  double test_fraction = 0.1;
  int server_samples = 0;
  Chosen<Partition> partition;
  DataOptions options() const { return {clients.value_or(0), test_fraction, server_samples}; }
};

struct ModelSection {
  Chosen<ModelFamily> architecture;  // no object when timing-only gives all loads itself
  std::optional<FilePath> checkpoint;
  int pretrain_epochs = 0;
  DeployChoice deploy_as;
};

struct StopSection {
  std::optional<Seconds> virtual_time;
  std::optional<Bytes> upload, download;  // totals of the fleet
  std::optional<Joules> energy;
  ByName<double> target;  // metric -> value
};

struct StalenessSection {
  std::string name;  // constant | polynomial | hinge
  double exponent = 0.5;
};

struct ServerSection {
  std::string protocol;
  std::int64_t rounds = 0;
  StopSection stop;
  std::string weighting = "by-samples";  // by-samples | uniform
  double learning_rate = 1;
  // synchronous, tifl, hierarchical
  std::optional<int> participants;  // empty: all
  double over_selection = 1;
  double min_fraction = 0;
  std::optional<Seconds> deadline, select_timeout;
  // fedbuff, fedasync
  std::optional<int> concurrency, buffer;
  std::optional<double> mixing;
  StalenessSection staleness;
  // tifl; hierarchical
  std::optional<int> latency_tiers, tier_interval, edges, edge_rounds;
};

struct TrainingSection : LocalWork {                      // epochs, steps, batch, clip_norm
  std::string mode = "real";                              // real | timing-only
  std::optional<DistributionOf<Seconds>> compute_time;    // of one participation
  std::optional<DistributionOf<Bytes>> download, upload;  // instead of the computed ones
  bool checkpointing = false;
  Chosen<Optimizer> optimizer;  // no object when timing-only gives all loads itself
  Chosen<FederatedMethod> method = neutral<FederatedMethod>("fedavg");
  std::vector<std::string> heuristic;  // optimizer | participation | space
  bool timing_only() const { return mode == "timing-only"; }
  bool gives_loads() const { return timing_only() && compute_time && download && upload; }
};

struct QuantizationSection {
  Chosen<Compressor> compressor;
  std::string at = "dispatch";  // start | dispatch | client | end
  std::string rest = "fp32";    // embeddings, output layer, norms: fp32 | fp16
};

struct PruningSection {
  Chosen<Compressor> compressor;
  std::string at = "start";
};

struct AdaptationSection {
  Chosen<Parametrization> parametrization;  // with all its keys: rank, alpha, targets, ...
};

struct CommunicationSection {
  Chosen<Codec> upload = neutral<Codec>("dense");
  Chosen<Codec> download = neutral<Codec>("dense");
};

struct CompressionSection {
  std::optional<QuantizationSection> quantization;
  std::optional<PruningSection> pruning;
  std::optional<AdaptationSection> adaptation;
  CommunicationSection communication;
  std::optional<Chosen<Distillation>> distillation;
  Chosen<Planner> planner = neutral<Planner>("fixed");
  std::optional<Bytes> target_size;
};

struct EvaluationSection {
  std::int64_t every = 1;                        // rounds
  std::optional<int> samples;                    // empty: all test samples
  std::vector<std::string> metrics;              // empty: by task
  std::vector<std::string> models = {"server"};  // server | tiers | clients
  std::optional<double> optimum;                 // f*, for suboptimality
};

struct RecordSection {
  bool attempts = true, layers = false, events = false, final_model = true;
};

struct SweepSection {
  ByName<Node> cases;              // name -> map of dotted keys
  ByName<std::vector<Node>> grid;  // dotted key -> values
  ByName<std::vector<Node>> zip;
  std::vector<std::int64_t> seeds;
  bool empty() const { return cases.empty() && grid.empty() && zip.empty() && seeds.empty(); }
};

}  // namespace skiff
