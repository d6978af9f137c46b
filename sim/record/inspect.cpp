#include "sim/record/inspect.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "sim/record/human.h"
#include "sim/record/summary.h"

namespace skiff {
namespace {

constexpr std::size_t kColumns = 80;

std::string line(const std::string& text) { return wrapped(text, kColumns, 2) + "\n"; }

// "/attempts 1,560 x 30": rows and columns; of a table of two dimensions its shape.
std::string size_text(const StoredTable& table) {
  std::string text = fmt::format("/{} {}", table.name, grouped(table.rows));
  if (table.labels > 0) {
    text += fmt::format(" x {}", grouped(table.labels));
  } else if (table.name == "rounds" || table.name == "attempts") {
    text += fmt::format(" x {}", table.columns);
  }
  return text;
}

}  // namespace

std::string inspect_text(const StoredRun& run) {
  const std::string part = run.case_name.empty() ? "" : "/" + run.case_name;
  std::string text = line(fmt::format("{}{}  seed {}  {}  {} rounds  {} virtual", run.name, part,
                                      run.seed, run.status, run.rounds, human(run.virtual_time)));
  if (!run.heuristics.empty()) {
    text += line(fmt::format("heuristic ({}): no theory covers this combination", run.heuristics));
  }
  std::vector<std::string> names;
  for (const auto& metric : run.last_metrics) names.push_back(metric.first);
  std::string costs;
  if (const auto m = headline_metric(names)) {
    costs =
        fmt::format("{} {}  ", short_name(names[*m]), human_metric(run.last_metrics[*m].second));
  }
  text += line(fmt::format("{}down {}  up {}  energy {}", costs, human(run.bytes_down),
                           human(run.bytes_up), human(run.energy)));
  text += line(fmt::format("config {}  results {}  fingerprint {}  skiff {}",
                           run.config_sha256.substr(0, 6), run.results_sha256.substr(0, 8),
                           run.fingerprint.substr(0, 8), run.skiff_version));
  std::string sizes;
  for (const StoredTable& table : run.tables) {
    if (!sizes.empty()) sizes.append("  ");
    sizes.append(size_text(table));
  }
  return text + line(sizes);
}

nlohmann::ordered_json inspect_json(const StoredRun& run) {
  nlohmann::ordered_json json{{"run_id", run.run_id},
                              {"name", run.name},
                              {"case", run.case_name},
                              {"seed", run.seed},
                              {"status", run.status},
                              {"model", run.model},
                              {"parameters", run.parameters},
                              {"devices", run.devices},
                              {"protocol", run.protocol},
                              {"heuristics", run.heuristics},
                              {"rounds", run.rounds},
                              {"rounds_planned", run.rounds_planned},
                              {"virtual_time_s", run.virtual_time.value()},
                              {"bytes_down", run.bytes_down.value()},
                              {"bytes_up", run.bytes_up.value()},
                              {"energy_j", run.energy.value()}};
  json["metrics"] = nlohmann::ordered_json::object();
  for (const auto& [name, value] : run.last_metrics) json["metrics"][name] = value;
  json["tables"] = nlohmann::ordered_json::object();
  for (const StoredTable& t : run.tables) {
    json["tables"][t.name] = {{"rows", t.rows}, {"columns", t.columns}};
    if (t.labels > 0) json["tables"][t.name]["labels"] = t.labels;
  }
  json["config_sha256"] = run.config_sha256;
  json["results_sha256"] = run.results_sha256;
  json["fingerprint"] = run.fingerprint;
  json["schema_version"] = run.schema_version;
  json["skiff_version"] = run.skiff_version;
  json["git_commit"] = run.git_commit;
  json["started_utc"] = run.started_utc;
  return json;
}

}  // namespace skiff
