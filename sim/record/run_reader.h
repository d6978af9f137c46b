// Reads run.h5 back: attributes, whole columns, what `skiff inspect` shows. A file that is no run,
// is damaged or is being written by another process gives a DataError that names it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sim/core/units.h"

namespace skiff {

class RunReader {
 public:
  explicit RunReader(const std::filesystem::path& file);
  ~RunReader();

  const std::filesystem::path& path() const { return path_; }

  // An attribute of the root or of /provenance; empty, 0 or NaN if there is none.
  std::string text(const std::string& name) const { return text_of("/", name); }
  std::string provenance(const std::string& name) const { return text_of("/provenance", name); }
  std::int64_t number(const std::string& name) const;
  double real(const std::string& name) const;

  bool has(const std::string& object) const;
  // The columns of a table without its coordinates: "energy", ...
  std::vector<std::string> columns(const std::string& group) const;
  std::vector<std::uint64_t> shape(const std::string& name) const;
  // A column of numbers as doubles, row by row: "/rounds/energy".
  std::vector<double> column(const std::string& name) const;
  // What a column of words calls 0, 1, 2, ...
  std::vector<std::string> words(const std::string& name) const;

 private:
  [[noreturn]] void fail(const std::string& what) const;
  std::string text_of(const std::string& object, const std::string& name) const;

  struct File;  // keeps HDF5 out of this header
  std::filesystem::path path_;
  std::unique_ptr<File> file_;
};

struct StoredTable {
  std::string name;  // "rounds"
  std::int64_t rows = 0;
  std::int64_t columns = 0;  // besides the coordinates
  std::int64_t labels = 0;   // of the second dimension; 0: there is none
};

struct StoredRun {
  std::string run_id, name, case_name, status, model, protocol, heuristics, neutral_defaults;
  std::string results_sha256, fingerprint, config_sha256, skiff_version, git_commit, started_utc;
  std::int64_t schema_version = 0, seed = 0, parameters = 0, devices = 0;
  std::int64_t rounds = 0, rounds_planned = 0;
  Seconds virtual_time;
  Bytes bytes_down, bytes_up;
  Joules energy;
  std::vector<std::pair<std::string, double>> last_metrics;  // each one's last finite value
  std::vector<StoredTable> tables;
};

StoredRun read_run(const std::filesystem::path& path);

// The digest of the configuration that made an existing run.h5; empty if there is no such file. One
// that is no readable run is a DataError: nobody's data is overwritten unseen.
std::string existing_config_sha256(const std::filesystem::path& file);

}  // namespace skiff
