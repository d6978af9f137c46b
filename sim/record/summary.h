// What `skiff run` prints: who ran, how well, at what cost, and who was lost on the way.
//
// Everything comes from the recorder's RunInfo and Tally. 80 columns, no colour, lines ended.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "sim/record/recorder.h"

namespace skiff {

// "quickstart  seed 7  mlp, 199,210 parameters  200 devices  synchronous, 20 of 26"; a second line
// if the combination is a heuristic. The last line is not ended.
std::string summary_header(const RunInfo& info);

// The full bar, then metric, bytes, energy, attempts and the table of device classes. After
// finish().
std::string summary_body(const Recorder& recorder);

// "results/quickstart: run.h5, 6 figures   fingerprint 5d1c09e2   results 81f3a7c4" and the neutral
// defaults. `figures`: how many were drawn; none: not asked for.
std::string summary_tail(const Recorder& recorder, const std::string& folder,
                         std::optional<int> figures);

// The same figures for programs.
nlohmann::ordered_json summary_json(const Recorder& recorder);

// Index in `metrics` of the one that stands for a run's success; none if none of them does.
std::optional<std::size_t> headline_metric(const std::vector<std::string>& metrics);
// "accuracy" of "test_accuracy".
std::string short_name(const std::string& metric);

}  // namespace skiff
