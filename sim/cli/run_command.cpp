// skiff run FILE: a scenario from its file to run.h5, figures and a summary.

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <optional>

#include "sim/cli/command.h"
#include "sim/cli/figures.h"
#include "sim/cli/run_one.h"
#include "sim/cli/serve_options.h"
#include "sim/core/parallel.h"
#include "sim/live/live_events.h"
#include "sim/live/live_server.h"
#include "sim/record/progress.h"
#include "sim/record/run_reader.h"
#include "sim/record/summary.h"

namespace skiff::cli {
namespace {
namespace fs = std::filesystem;
namespace po = boost::program_options;

struct Request {
  std::string file;
  std::vector<std::string> overrides;
  std::optional<std::string> out;
  bool print_config = false, quiet = false, figures = true;
  LaunchPolicy launch = LaunchPolicy::kDemand;
  std::optional<LiveServer::Options> serve;
};

LaunchPolicy launch_policy(const std::string& word) {
  if (word == "demand") return LaunchPolicy::kDemand;
  if (word == "eager") return LaunchPolicy::kEager;
  if (word == "serial") return LaunchPolicy::kSerial;
  throw UsageError(fmt::format("--launch {}: one of demand, eager, serial", word));
}

std::optional<Request> parse_request(const std::vector<std::string>& arguments) {
  po::options_description options;
  options.add_options()("set", po::value<std::vector<std::string>>(),
                        "a.b=v sets any key, +a.b=v appends, ~a.b removes; values are YAML")(
      "seed", po::value<std::string>(), "instead of the scenario's")(
      "out,o", po::value<std::string>(), "folder; default results/NAME")(
      "threads", po::value<int>()->default_value(0), "0: as many as there are processors")(
      "launch", po::value<std::string>()->default_value("demand"),
      "when client jobs are computed: demand, eager, serial; the results are the same")(
      "print-config", "print the merged scenario with every default, and stop")(
      "no-figures", "draw nothing")("quiet,q", "no progress, no summary");
  add_serve_options(options);
  po::variables_map given;
  if (!parse(verb_named("run"), arguments, options, "file", given)) return std::nullopt;
  Request request;
  request.file = single_file(verb_named("run"), given);
  request.overrides = words_of(given, "set");
  if (given.count("seed") != 0) {
    request.overrides.push_back("seed=" + given["seed"].as<std::string>());
  }
  if (given.count("out") != 0) request.out = given["out"].as<std::string>();
  if (given["threads"].as<int>() < 0) throw UsageError("--threads: 0 or more");
  set_threads(given["threads"].as<int>());
  request.launch = launch_policy(given["launch"].as<std::string>());
  request.print_config = given.count("print-config") != 0;
  request.quiet = given.count("quiet") != 0;
  request.figures = given.count("no-figures") == 0;
  request.serve = serve_options(given);
  return request;
}

// A folder holds the runs of one configuration: another one is not overwritten.
void check_folder(const fs::path& folder, const Scenario& scenario) {
  const std::string held = existing_config_sha256(folder / "run.h5");
  if (held.empty() || held == scenario.config_sha256) return;
  throw ScenarioError({{{"--out", 0, 0},
                        "",
                        fmt::format("{} holds another configuration ({}); choose --out DIR or a "
                                    "new name",
                                    folder.string(), held.substr(0, 6)),
                        ""}});
}

std::string note_of(const RoundRow& row) {
  for (const auto& [name, value] : row.metrics) {
    if (name == "test_accuracy") return fmt::format("accuracy {:.3f}", value);
  }
  return row.metrics.empty()
             ? ""
             : fmt::format("{} {:.4g}", row.metrics[0].first, row.metrics[0].second);
}

int run_request(const Request& request) {
  const Scenario scenario = load_scenario(request.file, request.overrides);
  if (request.print_config) {
    fmt::print("{}", scenario.config_yaml);
    return kOk;
  }
  if (!scenario.sweep.empty()) {
    throw scenario.error(
        "sweep", "a sweep is many runs, and run takes one; write skiff sweep " + request.file);
  }
  const fs::path folder = request.out.value_or((fs::path("results") / scenario.name).string());
  check_folder(folder, scenario);
  Run run(scenario, folder, "", request.launch);
  const Recorder& recorder = run.recorder();
  if (!request.quiet) fmt::print("{}\n", summary_header(recorder.info()));
  std::fflush(stdout);
  watch_signals();
  std::optional<LiveServer> live;
  if (request.serve) {
    live.emplace(*request.serve, LivePage::kRun);
    fmt::print(stderr, "live at {}\n", live->url());
    live->publish("start", live_start(recorder.info()));
  }
  Progress progress(run.rounds(), stderr, request.quiet);
  const SimulationResult result = run.simulate([&](const RoundRow& row) {
    progress.update(row.round, row.virtual_time, note_of(row));
    if (live) live->publish("round", live_round(recorder.info(), recorder.tally(), row));
  });
  progress.clear();
  if (live) live->publish("end", live_end(result.status, result.fingerprint));
  Drawing drawing;
  if (request.figures && result.rounds > 0) {
    drawing = draw_figures((folder / "run.h5").string(), folder.string());
  }
  if (!request.quiet) {
    const bool drawn = request.figures && drawing.problem.empty();
    fmt::print("{}{}", summary_body(recorder),
               summary_tail(recorder, folder.string(),
                            drawn ? std::optional(drawing.figures) : std::nullopt));
    if (!drawing.problem.empty()) fmt::print("no figures: {}\n", drawing.problem);
  }
  return result.status == RunStatus::kInterrupted ? kInterrupted : kOk;
}

}  // namespace

int run_verb(const std::vector<std::string>& arguments) {
  const std::optional<Request> request = parse_request(arguments);
  return request ? run_request(*request) : kOk;
}

}  // namespace skiff::cli
