#include "sim/cli/sweep_index.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <optional>

#include "sim/core/error.h"
#include "sim/record/run_reader.h"

namespace skiff::cli {
namespace {
namespace fs = std::filesystem;

std::optional<StoredRun> finished_run(const fs::path& file) {
  std::error_code error;
  if (!fs::exists(file, error)) return std::nullopt;
  try {
    return read_run(file);
  } catch (const DataError&) {
    return std::nullopt;  // being written, or broken: it will be run again
  }
}

std::string quoted(const std::string& text) {
  return text.find(',') == std::string::npos ? text : '"' + text + '"';
}

std::string line_of(const IndexEntry& entry, const std::optional<StoredRun>& run,
                    const std::vector<std::string>& metrics) {
  std::string line = fmt::format("{},{},{},", quoted(entry.case_name), entry.seed,
                                 quoted((entry.folder / "run.h5").string()));
  if (!run) return line + "missing,,,,,,," + std::string(metrics.size(), ',') + "\n";
  line += fmt::format("{},{},{},{},{},{},{},{}", run->status, run->rounds,
                      run->virtual_time.value(), run->bytes_down.value(), run->bytes_up.value(),
                      run->energy.value(), run->fingerprint, run->results_sha256);
  for (const std::string& metric : metrics) {
    const auto found = std::find_if(run->last_metrics.begin(), run->last_metrics.end(),
                                    [&](const auto& m) { return m.first == metric; });
    line += found == run->last_metrics.end() ? "," : fmt::format(",{}", found->second);
  }
  return line + "\n";
}

}  // namespace

void write_index(const fs::path& folder, const std::vector<IndexEntry>& entries) {
  std::vector<std::optional<StoredRun>> runs;
  std::vector<std::string> metrics;  // in the order of the first run that has them
  for (const IndexEntry& entry : entries) {
    runs.push_back(finished_run(folder / entry.folder / "run.h5"));
    if (!runs.back()) continue;
    for (const auto& [name, value] : runs.back()->last_metrics) {
      if (std::find(metrics.begin(), metrics.end(), name) == metrics.end()) metrics.push_back(name);
    }
  }
  std::string text =
      "case,seed,file,status,rounds,virtual_time_s,bytes_down,bytes_up,energy_J,fingerprint,"
      "results_sha256";
  for (const std::string& metric : metrics) text += "," + metric;
  text += "\n";
  for (std::size_t i = 0; i < entries.size(); ++i) text += line_of(entries[i], runs[i], metrics);
  const fs::path file = folder / "index.csv";
  const fs::path part = folder / fmt::format(".index.{}.part", ::getpid());
  std::ofstream out(part);
  out << text;
  out.close();
  if (!out) throw RunError("cannot write " + part.string());
  fs::rename(part, file);
}

}  // namespace skiff::cli
