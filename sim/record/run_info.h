// What is known of a run before its first event, and how it ended.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/core/units.h"

namespace skiff {

// How this run came to be. Goes to /provenance, out of the results hash.
struct Provenance {
  std::string config_yaml;             // merged, with every default
  std::vector<std::string> overrides;  // as written after --set
  std::string config_sha256;
  std::string skiff_version, git_commit, compiler, cpu;
  int threads = 1;
  std::string started_utc;  // "2026-03-01T12:00:00Z"
  std::vector<std::pair<std::string, std::string>> library_versions;
};

struct RunInfo {
  std::string name;
  std::string case_name;  // of a sweep; may be empty
  std::uint64_t seed = 0;
  std::string run_id;  // names the run among others; empty: made of name, case and seed

  // For people: the first line of the summary and of `skiff inspect`.
  std::string model;                                     // "mlp"
  std::int64_t parameters = 0;                           // 199210
  std::string model_config;                              // Architecture::config_json()
  std::string protocol;                                  // "synchronous, 20 of 26"
  std::uint32_t rounds = 0;                              // the horizon
  std::vector<std::string> heuristics;                   // training.heuristic; every output says so
  std::vector<std::string> neutral_defaults;             // "method fedavg"
  std::vector<std::string> plans;                        // "high-end: bits 4", if a planner chose
  std::optional<std::pair<std::string, double>> target;  // server.stop.target

  // Names that rows refer to.
  std::vector<std::string> metrics;         // columns of /rounds; train_loss: of what plans hold
  std::vector<std::string> device_classes;  // at most 65,535
  std::vector<std::uint16_t> class_of_device;
  std::vector<std::string> tiers;
  std::vector<std::string> layers;

  bool keep_attempts = true;  // record.attempts
  bool keep_layers = false;   // record.layers
  Provenance provenance;
};

enum class RunStatus : std::uint8_t { kOk, kInterrupted, kFailed };
constexpr std::string_view word(RunStatus status) {
  return status == RunStatus::kOk ? "ok" : status == RunStatus::kFailed ? "failed" : "interrupted";
}

// Host time at the end of a round, since the run began.
struct WallTime {
  std::uint32_t round = 0;
  Seconds since_start;
};

struct RunEnd {
  RunStatus status = RunStatus::kOk;
  std::string fingerprint;  // of the trajectory, hexadecimal
};

}  // namespace skiff
