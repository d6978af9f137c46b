// skiff inspect RUN.h5: what a finished run holds.

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "sim/cli/command.h"
#include "sim/record/human.h"
#include "sim/record/run_reader.h"

namespace skiff::cli {
namespace {

nlohmann::json to_json(const StoredRun& run) {
  nlohmann::json tables, metrics;
  for (const StoredTable& t : run.tables) {
    tables[t.name] = {{"rows", t.rows}, {"columns", t.columns}};
  }
  for (const auto& [name, value] : run.last_metrics) metrics[name] = value;
  return {{"name", run.name},
          {"case", run.case_name},
          {"seed", run.seed},
          {"status", run.status},
          {"rounds", run.rounds},
          {"virtual_time_s", run.virtual_time.value()},
          {"bytes_down", run.bytes_down.value()},
          {"bytes_up", run.bytes_up.value()},
          {"energy_j", run.energy.value()},
          {"metrics", metrics},
          {"tables", tables},
          {"config_sha256", run.config_sha256},
          {"results_sha256", run.results_sha256},
          {"fingerprint", run.fingerprint},
          {"skiff_version", run.skiff_version}};
}

void print(const StoredRun& run) {
  fmt::print("{}  seed {}  {}  {} rounds  {} virtual\n", run.name, run.seed, run.status, run.rounds,
             human(run.virtual_time));
  std::string metrics;
  for (const auto& [name, value] : run.last_metrics)
    metrics += fmt::format("{} {:.4g}  ", name, value);
  fmt::print("{}down {}  up {}  energy {}\n", metrics, human(run.bytes_down), human(run.bytes_up),
             human(run.energy));
  fmt::print("config {}  results {}  fingerprint {}  skiff {}\n", run.config_sha256.substr(0, 6),
             run.results_sha256.substr(0, 8), run.fingerprint.substr(0, 8), run.skiff_version);
  std::string tables;
  for (const StoredTable& t : run.tables) {
    tables += fmt::format("/{} {} x {}  ", t.name, grouped(t.rows), t.columns);
  }
  fmt::print("{}\n", tables);
}

}  // namespace

int inspect_verb(const std::vector<std::string>& arguments) {
  namespace po = boost::program_options;
  po::options_description options;
  options.add_options()("json", "as JSON");
  po::variables_map given;
  if (!parse(verb_named("inspect"), arguments, options, "file", given)) return kOk;
  if (given.count("file") == 0) throw UsageError("inspect: which run.h5?");
  for (const std::string& file : given["file"].as<std::vector<std::string>>()) {
    const StoredRun run = read_run(file);
    if (given.count("json") != 0) {
      fmt::print("{}\n", to_json(run).dump(2));
    } else {
      print(run);
    }
  }
  return kOk;
}

}  // namespace skiff::cli
