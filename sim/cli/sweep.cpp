#include "sim/cli/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <thread>

#include "sim/cli/command.h"
#include "sim/cli/report_error.h"
#include "sim/cli/run_one.h"
#include "sim/cli/sweep_index.h"
#include "sim/core/parallel.h"
#include "sim/record/run_reader.h"
#include "sim/record/summary.h"
#include "sim/scenario/sweep.h"

namespace skiff::cli {
namespace {
namespace fs = std::filesystem;

bool is_finished(const fs::path& file, const Scenario& scenario) {
  std::error_code error;
  if (!fs::exists(file, error)) return false;
  try {
    const RunReader run(file);
    return run.text("status") == word(RunStatus::kOk) &&
           run.provenance("config_sha256") == scenario.config_sha256;
  } catch (const DataError&) {
    return false;  // broken: it is run again
  }
}

// The metric that a glance wants: accuracy if there is one.
std::string main_metric(const RunInfo& info) {
  const auto& names = info.metrics;
  const bool accuracy = std::find(names.begin(), names.end(), "test_accuracy") != names.end();
  return accuracy ? "test_accuracy" : names.empty() ? "train_loss" : names.front();
}

double value_of(const RoundRow& row, const std::string& metric) {
  for (const auto& [name, value] : row.metrics) {
    if (name == metric) return value;
  }
  return metric == "train_loss" ? row.train_loss : std::numeric_limits<double>::quiet_NaN();
}

RunNews news_of(const Run& run, const RoundRow& row, const std::string& metric) {
  const Tally& tally = run.recorder().tally();
  const EnergyParts& energy = tally.energy();
  RunNews news;
  news.round = row.round;
  news.rounds = run.rounds();
  news.virtual_time = to_seconds(row.virtual_time).value();
  news.bytes_up = static_cast<double>(tally.bytes_up().value());
  news.bytes_down = static_cast<double>(tally.bytes_down().value());
  news.energy = (energy.compute + energy.radio + energy.flash + energy.idle).value();
  news.value = value_of(row, metric);
  std::strncpy(news.metric, metric.c_str(), sizeof news.metric - 1);
  return news;
}

int run_point(const SweepPoint& point, const fs::path& folder, std::size_t threads,
              const std::function<void(RunNews)>& tell) {
  try {
    set_threads(static_cast<int>(threads));
    Run run(point.scenario, folder, point.label);
    fmt::print("{}\n", summary_header(run.recorder().info()));
    const std::string metric = main_metric(run.recorder().info());
    const SimulationResult result =
        run.simulate([&](const RoundRow& row) { tell(news_of(run, row, metric)); });
    fmt::print("{}", summary_body(run.recorder()));
    return result.status == RunStatus::kInterrupted ? kInterrupted : kOk;
  } catch (...) {
    return report_error(std::current_exception());
  }
}

}  // namespace

std::string SweepPoint::name() const {
  return fmt::format("{}{}seed {}", label, label.empty() ? "" : ", ", scenario.seed);
}

std::size_t processors() {
  const char* slurm = std::getenv("SLURM_CPUS_PER_TASK");
  const int given = slurm == nullptr ? 0 : std::atoi(slurm);
  return given > 0 ? static_cast<std::size_t>(given)
                   : std::max<std::size_t>(1, std::thread::hardware_concurrency());
}

Sweep::Sweep(const SweepRequest& request) : shard_(request.shard), shards_(request.shards) {
  for (SweepRun& run : load_sweep_runs(request.file, request.overrides)) {
    const fs::path folder =
        fs::path(run.label) / fmt::format("{}-s{}", case_digest(run.scenario), run.scenario.seed);
    points_.push_back({std::move(run.scenario), run.label, folder});
  }
  folder_ = request.out.value_or((fs::path("results") / name()).string());
}

void Sweep::survey() {
  todo_.clear();
  for (std::size_t i = 0; i < points_.size(); ++i) {
    points_[i].done = is_finished(folder_ / points_[i].folder / "run.h5", points_[i].scenario);
    if (!points_[i].done && i % shards_ == shard_) todo_.push_back(i);
  }
}

std::size_t Sweep::finished_before() const {
  return static_cast<std::size_t>(
      std::count_if(points_.begin(), points_.end(), [](const auto& p) { return p.done; }));
}

RunJobs Sweep::jobs() const {
  RunJobs jobs;
  jobs.work = [this](std::size_t i, std::size_t threads, const std::function<void(RunNews)>& tell) {
    return run_point(points_[i], folder_ / points_[i].folder, threads, tell);
  };
  jobs.log_file = [this](std::size_t i) {
    std::error_code told_by_the_run;
    fs::create_directories(folder_ / points_[i].folder, told_by_the_run);
    return log_of(i);
  };
  return jobs;
}

void Sweep::write_index() const {
  std::vector<IndexEntry> entries;
  for (const SweepPoint& p : points_) entries.push_back({p.label, p.scenario.seed, p.folder});
  fs::create_directories(folder_);
  cli::write_index(folder_, entries);
}

}  // namespace skiff::cli
