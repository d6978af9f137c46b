// skiff sweep FILE: every run that a scenario's `sweep` stands for, each in a process of its own.
//
// A run's folder is named by its case, the digest of its configuration and its seed, so what is
// finished is skipped and what is not is done again: after a crash or a kill the same command goes
// on where it was.

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <thread>

#include "sim/cli/command.h"
#include "sim/cli/process_pool.h"
#include "sim/cli/report_error.h"
#include "sim/cli/run_one.h"
#include "sim/cli/sweep_index.h"
#include "sim/core/parallel.h"
#include "sim/record/progress.h"
#include "sim/record/run_reader.h"
#include "sim/record/summary.h"
#include "sim/scenario/sweep.h"

namespace skiff::cli {
namespace {
namespace fs = std::filesystem;
namespace po = boost::program_options;

struct Request {
  std::string file;
  std::vector<std::string> overrides;
  std::optional<std::string> out;
  std::size_t jobs = 0;
  std::size_t shard = 0, shards = 1;
  bool dry_run = false, quiet = false;
};

struct Point {
  Scenario scenario;
  std::string label;
  fs::path folder;  // relative to the sweep's
  bool done = false;
  std::string name() const {
    return fmt::format("{}{}seed {}", label, label.empty() ? "" : ", ", scenario.seed);
  }
};

// Of the machine, or of the share that Slurm gave.
std::size_t processors() {
  const char* slurm = std::getenv("SLURM_CPUS_PER_TASK");
  const int given = slurm == nullptr ? 0 : std::atoi(slurm);
  return given > 0 ? static_cast<std::size_t>(given)
                   : std::max<std::size_t>(1, std::thread::hardware_concurrency());
}

void read_shard(const std::string& text, Request& request) {
  unsigned shard = 0, shards = 0;
  int end = 0;
  const bool read = std::sscanf(text.c_str(), "%u/%u%n", &shard, &shards, &end) == 2;
  if (!read || static_cast<std::size_t>(end) != text.size() || shard >= shards) {
    throw UsageError(fmt::format("--shard {}: expected I/N with 0 <= I < N, e.g. 0/4", text));
  }
  request.shard = shard;
  request.shards = shards;
}

std::optional<Request> parse_request(const std::vector<std::string>& arguments) {
  po::options_description options;
  options.add_options()("set", po::value<std::vector<std::string>>(),
                        "a.b=v sets any key, +a.b=v appends, ~a.b removes; values are YAML")(
      "out,o", po::value<std::string>(), "folder; default results/NAME")(
      "jobs,j", po::value<int>()->default_value(0),
      "runs at a time, which share the processors; 0: one a processor")(
      "shard", po::value<std::string>(), "I/N: every N-th run from the I-th on, for job arrays")(
      "dry-run,n", "say which runs there are, and stop")("quiet,q", "no progress, no summary");
  po::variables_map given;
  if (!parse(verb_named("sweep"), arguments, options, "file", given)) return std::nullopt;
  Request request;
  request.file = single_file(verb_named("sweep"), given);
  request.overrides = words_of(given, "set");
  if (given.count("out") != 0) request.out = given["out"].as<std::string>();
  if (given["jobs"].as<int>() < 0) throw UsageError("--jobs: 0 or more");
  request.jobs = static_cast<std::size_t>(given["jobs"].as<int>());
  if (request.jobs == 0) request.jobs = processors();
  if (given.count("shard") != 0) read_shard(given["shard"].as<std::string>(), request);
  request.dry_run = given.count("dry-run") != 0;
  request.quiet = given.count("quiet") != 0;
  return request;
}

std::vector<Point> load_points(const Request& request) {
  std::vector<Point> points;
  for (SweepRun& run : load_sweep_runs(request.file, request.overrides)) {
    const fs::path folder =
        fs::path(run.label) / fmt::format("{}-s{}", case_digest(run.scenario), run.scenario.seed);
    points.push_back({std::move(run.scenario), run.label, folder});
  }
  return points;
}

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

int run_point(const Point& point, const fs::path& folder, std::size_t threads,
              const std::function<void(double)>& tell) {
  try {
    set_threads(static_cast<int>(threads));
    Run run(point.scenario, folder, point.label);
    fmt::print("{}\n", summary_header(run.recorder().info()));
    const SimulationResult result = run.simulate([&](const RoundRow& row) {
      tell(static_cast<double>(row.round) / std::max(1u, run.rounds()));
    });
    fmt::print("{}", summary_body(run.recorder()));
    return result.status == RunStatus::kInterrupted ? kInterrupted : kOk;
  } catch (...) {
    return report_error(std::current_exception());
  }
}

std::string last_line(const fs::path& file) {
  std::ifstream in(file);
  std::string last;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty()) last = line;
  }
  return last;
}

class Sweep {
 public:
  explicit Sweep(const Request& request) : request_(request), points_(load_points(request)) {
    folder_ = request.out.value_or((fs::path("results") / points_.front().scenario.name).string());
    for (std::size_t i = 0; i < points_.size(); ++i) {
      Point& point = points_[i];
      point.done = is_finished(folder_ / point.folder / "run.h5", point.scenario);
      if (!point.done && i % request.shards == request.shard) todo_.push_back(i);
    }
  }

  void list() const {
    for (const Point& point : points_) {
      fmt::print("{:<7} {}\n", point.done ? "done" : "to do", (folder_ / point.folder).string());
    }
    fmt::print("{} runs, {} to do here\n", points_.size(), todo_.size());
  }

  int run() {
    const std::size_t at_once = std::min(request_.jobs, std::max<std::size_t>(1, todo_.size()));
    const std::size_t threads = std::max<std::size_t>(1, processors() / at_once);
    if (!request_.quiet) print_header(at_once, threads);
    for (const std::size_t i : todo_) fs::create_directories(folder_ / points_[i].folder);
    watch_signals();
    Progress progress(0, stderr, request_.quiet);
    PoolJobs jobs;
    jobs.count = todo_.size();
    jobs.work = [&](std::size_t j, const std::function<void(double)>& tell) {
      return run_point(point(j), folder_of(j), threads, tell);
    };
    jobs.log_file = [&](std::size_t j) { return (folder_of(j) / "log.txt").string(); };
    jobs.ended = [&](std::size_t j, int code) {
      ++ended_;
      if (code == kOk || code == kInterrupted) return;
      ++failed_;
      progress.clear();
      fmt::print(stderr, "failed ({}): {}\n  {}\n  see {}\n", code, point(j).name(),
                 last_line(folder_of(j) / "log.txt"), (folder_of(j) / "log.txt").string());
    };
    jobs.progress = [&](double fraction) {
      progress.update({fraction, fmt::format("run {}/{}", ended_, todo_.size()), "",
                       failed_ > 0 ? fmt::format("{} failed", failed_) : ""});
    };
    run_pool(jobs, at_once);
    progress.clear();
    return finish();
  }

 private:
  const Point& point(std::size_t j) const { return points_[todo_[j]]; }
  fs::path folder_of(std::size_t j) const { return folder_ / point(j).folder; }

  void print_header(std::size_t at_once, std::size_t threads) const {
    const auto before = static_cast<std::size_t>(
        std::count_if(points_.begin(), points_.end(), [](const Point& p) { return p.done; }));
    fmt::print("{}  {} runs, {} finished before, {} to do here; {} at a time, {} thread{} each\n",
               points_.front().scenario.name, points_.size(), before, todo_.size(), at_once,
               threads, threads == 1 ? "" : "s");
    std::fflush(stdout);
  }

  int finish() const {
    std::vector<IndexEntry> entries;
    for (const Point& p : points_) entries.push_back({p.label, p.scenario.seed, p.folder});
    fs::create_directories(folder_);
    write_index(folder_, entries);
    if (!request_.quiet) {
      fmt::print("{}: index.csv, {} of {} runs ended{}\n", folder_.string(), ended_, todo_.size(),
                 failed_ > 0 ? fmt::format(", {} failed", failed_) : "");
    }
    if (was_interrupted()) return kInterrupted;
    return failed_ > 0 ? kRunFailed : kOk;
  }

  const Request& request_;
  std::vector<Point> points_;
  fs::path folder_;
  std::vector<std::size_t> todo_;  // indices into points_
  std::size_t ended_ = 0, failed_ = 0;
};

}  // namespace

int sweep_verb(const std::vector<std::string>& arguments) {
  const std::optional<Request> request = parse_request(arguments);
  if (!request) return kOk;
  Sweep sweep(*request);
  if (!request->dry_run) return sweep.run();
  sweep.list();
  return kOk;
}

}  // namespace skiff::cli
