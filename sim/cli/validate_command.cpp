// skiff validate FILE...: reads scenarios without running them.

#include <fmt/format.h>

#include "sim/cli/command.h"
#include "sim/cli/report_error.h"
#include "sim/scenario/sweep.h"

namespace skiff::cli {

int validate_verb(const std::vector<std::string>& arguments) {
  namespace po = boost::program_options;
  po::options_description options;
  options.add_options()("set", po::value<std::vector<std::string>>(),
                        "a.b=v, +a.b=v or ~a.b: change a key first");
  po::variables_map given;
  if (!parse(verb_named("validate"), arguments, options, "file", given)) return kOk;
  if (given.count("file") == 0) throw UsageError("validate: which file?");
  const std::vector<std::string> overrides = words_of(given, "set");
  int code = kOk;
  for (const std::string& file : given["file"].as<std::vector<std::string>>()) {
    try {
      const std::vector<SweepRun> runs = load_sweep_runs(file, overrides);
      const Scenario& first = runs.front().scenario;
      fmt::print("{}: ok  {}  {}\n", file, first.name,
                 runs.size() == 1 ? "config " + first.config_sha256.substr(0, 6)
                                  : fmt::format("a sweep of {} runs", runs.size()));
    } catch (...) {
      code = report_error(std::current_exception());
    }
  }
  return code;
}

}  // namespace skiff::cli
