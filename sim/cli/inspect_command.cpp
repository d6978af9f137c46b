// skiff inspect RUN.h5: what a finished run holds.

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "sim/cli/command.h"
#include "sim/record/inspect.h"

namespace skiff::cli {
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
      fmt::print("{}\n", inspect_json(run).dump(2));
    } else {
      fmt::print("{}", inspect_text(run));
    }
  }
  return kOk;
}

}  // namespace skiff::cli
