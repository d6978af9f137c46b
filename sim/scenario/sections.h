// The sections of a scenario as typed values, units resolved: what the simulation is built from.
// Words, defaults and ranges are declared once, in the schema of each section (sections.cpp and its
// neighbours); the values here are the neutral defaults. Plain values; strategies are shared and
// immutable.
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
#include "algorithms/federated_method.h"
#include "algorithms/models/architecture.h"
#include "algorithms/optimizer.h"
#include "algorithms/parametrization.h"
#include "algorithms/plan.h"
#include "algorithms/planner.h"
#include "sim/scenario/devices_section.h"
#include "sim/scenario/values.h"

namespace skiff {

struct DataSection {
  Chosen<DataSource> source;
  int clients = 0;  // 0: all there are (natural partition)
  double test_fraction = 0.1;
  int server_samples = 0;
  Chosen<Partition> partition;
  DataOptions options() const { return {clients, test_fraction, server_samples}; }
};

struct ModelSection {
  Chosen<ModelFamily> architecture;  // no object when timing-only gives all loads itself
  std::optional<FilePath> checkpoint;
  int pretrain_epochs = 0;
  std::string deploy_as = "itself";  // a word of the model list, or an HF config.json
};

struct StopSection {
  std::optional<Seconds> virtual_time;
  std::optional<Bytes> upload, download;  // totals of the fleet
  std::optional<Joules> energy;
  ByName<double> target;  // metric -> value
};

struct StalenessSection {
  std::string name = "polynomial";  // constant | polynomial | hinge
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
  int concurrency = 1, buffer = 1;
  double mixing = 1;
  StalenessSection staleness;
  // tifl; hierarchical
  int latency_tiers = 1, tier_interval = 1, edges = 1, edge_rounds = 1;
};

struct TrainingSection : LocalWork {                    // epochs, steps, batch, clip_norm
  std::string mode = "real";                            // real | timing-only
  std::optional<DistributionOf<Seconds>> compute_time;  // of one participation
  std::optional<Bytes> download, upload;                // instead of the computed ones
  bool checkpointing = false;
  Chosen<Optimizer> optimizer;  // no object when timing-only gives all loads itself
  Chosen<FederatedMethod> method;
  std::vector<std::string> heuristic;  // optimizer | participation | space
  bool timing_only() const { return mode == "timing-only"; }
  bool gives_loads() const { return timing_only() && compute_time && download && upload; }
};

struct QuantizationSection {
  Chosen<Compressor> compressor;
  std::string at = "dispatch";  // start | dispatch | client | end
  LayerTargets targets;
};

struct PruningSection {
  Chosen<Compressor> compressor;
  double sparsity = 0;
  std::string structure;  // unstructured | 2-of-4 | 4-of-8 | channel | head | channel-and-head
  std::string at = "start";
  LayerTargets targets;
};

struct AdaptationSection {
  Chosen<Parametrization> parametrization;
  int rank = 0;
  double alpha = 0;
  LayerTargets targets;
  double dropout = 0;
};

struct CommunicationSection {
  Chosen<Codec> upload;    // dense unless written
  Chosen<Codec> download;  // dense unless written
};

struct CompressionSection {
  std::optional<QuantizationSection> quantization;
  std::optional<PruningSection> pruning;
  std::optional<AdaptationSection> adaptation;
  CommunicationSection communication;
  Chosen<Planner> planner;  // fixed unless written
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
