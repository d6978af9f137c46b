// What `skiff run` prints: who ran, how well, at what cost, and who was lost on the way.
//
// Everything but the last lines comes from the recorder's RunInfo and Tally. 80 columns, no colour.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "sim/record/run_info.h"
#include "sim/record/tally.h"

namespace skiff {

// What only the caller knows when it is over.
struct SummaryEnd {
  RunStatus status = RunStatus::kOk;
  Seconds wall_time;
  std::string folder;          // "results/quickstart"
  std::optional<int> figures;  // how many were drawn; none: not asked for
  std::string fingerprint;     // hexadecimal
  std::string results_sha256;
};

// "quickstart  seed 7  mlp, 199,210 parameters  200 devices  synchronous, 20 of 26"; a second line
// if the combination is a heuristic. No line end.
std::string summary_header(const RunInfo& info);

// "round 60/60 ####...#### 100%  2.1 h virtual  38 s"
std::string summary_bar(const RunInfo& info, const Tally& tally, const SummaryEnd& end);

// Metric, bytes, energy, attempts, the table of device classes, where the results are.
std::string summary_body(const RunInfo& info, const Tally& tally, const SummaryEnd& end);

// All three, each line ended.
std::string summary(const RunInfo& info, const Tally& tally, const SummaryEnd& end);

// The same figures for programs.
nlohmann::ordered_json summary_json(const RunInfo& info, const Tally& tally, const SummaryEnd& end);

// Index in `metrics` of the one that stands for the run's success; none if nothing was measured.
std::optional<std::size_t> headline_metric(const std::vector<std::string>& metrics);
// "accuracy" of "test_accuracy".
std::string short_name(const std::string& metric);
// Whether smaller values are better.
bool smaller_is_better(const std::string& metric);

}  // namespace skiff
