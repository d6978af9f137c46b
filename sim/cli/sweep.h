// A sweep: its runs, which of them are finished, and what doing one means.
//
// A run's folder is named by its case, the digest of its configuration and its seed, so what is
// finished is skipped and what is not is done again: after a crash or a kill the same command goes
// on where it was. Who does the runs is another's business (sweep_command.cpp, mpi/).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sim/cli/run_server.h"
#include "sim/live/live_server.h"
#include "sim/scenario/scenario.h"

namespace skiff::cli {

struct SweepRequest {
  std::string file;
  std::vector<std::string> overrides;
  std::optional<std::string> out;
  std::size_t jobs = 0;  // 0: not said
  std::size_t shard = 0, shards = 1;
  double patience = 60;  // s: a rank of mpirun that is silent for so long counts as dead
  bool dry_run = false, quiet = false;
  std::optional<LiveServer::Options> serve;
};

struct SweepPoint {
  Scenario scenario;
  std::string label;
  std::filesystem::path folder;  // relative to the sweep's
  bool done = false;             // before this command
  std::string name() const;      // "fedavg, seed 3"
};

class Sweep {
 public:
  // Loads every run's scenario; throws ScenarioError.
  explicit Sweep(const SweepRequest& request);

  const std::string& name() const { return points_.front().scenario.name; }
  const std::vector<SweepPoint>& points() const { return points_; }
  std::filesystem::path folder() const { return folder_; }
  std::string log_of(std::size_t i) const { return folder_ / points_[i].folder / "log.txt"; }

  // Finds out what is finished; what is not, and belongs to the shard, is to do.
  void survey();
  const std::vector<std::size_t>& todo() const { return todo_; }  // places in points()
  std::size_t finished_before() const;

  // Each run as a job, numbered as in points(). The sweep must outlive them.
  RunJobs jobs() const;
  // index.csv of what is there now.
  void write_index() const;

 private:
  std::vector<SweepPoint> points_;
  std::filesystem::path folder_;
  std::size_t shard_, shards_;
  std::vector<std::size_t> todo_;
};

// Empty if --help was asked for and printed. Throws UsageError.
std::optional<SweepRequest> parse_sweep_request(const std::vector<std::string>& arguments);

// Of the machine, or of the share that Slurm gave.
std::size_t processors();

}  // namespace skiff::cli
