// Reads back what `skiff inspect` shows of a run.h5.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "sim/core/units.h"

namespace skiff {

struct StoredTable {
  std::string name;  // "rounds"
  std::int64_t rows = 0;
  std::int64_t columns = 0;
};

struct StoredRun {
  std::string name, case_name, status, results_sha256, fingerprint, config_sha256, skiff_version;
  std::int64_t seed = 0;
  std::int64_t rounds = 0;
  Seconds virtual_time;
  Bytes bytes_down, bytes_up;
  Joules energy;
  std::vector<std::pair<std::string, double>> last_metrics;  // finite values of the last round
  std::vector<StoredTable> tables;
};

// Throws DataError naming the file if it is no run of skiff.
StoredRun read_run(const std::filesystem::path& file);

// The configuration's digest of an existing run; empty if there is no readable run.
std::string existing_config_sha256(const std::filesystem::path& file);

}  // namespace skiff
