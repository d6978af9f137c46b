// skiff report DIR...: the runs of folders as one HTML page, by the Python package in analysis/.

#include <fmt/format.h>

#include <filesystem>

#include "sim/cli/command.h"
#include "sim/cli/figures.h"

namespace skiff::cli {
namespace fs = std::filesystem;
namespace po = boost::program_options;

int report_verb(const std::vector<std::string>& arguments) {
  po::options_description options;
  options.add_options()("out,o", po::value<std::string>(), "the page; default DIR/report.html")(
      "metric", po::value<std::string>(), "default: the first that all runs share")(
      "baseline", po::value<std::string>(), "the case to compare with; default: the first")(
      "target", po::value<std::string>(), "of the metric, e.g. 0.9");
  po::variables_map given;
  if (!parse(verb_named("report"), arguments, options, "folders", given)) return kOk;
  if (given.count("folders") == 0) throw UsageError("report: a folder of runs");
  auto words = given["folders"].as<std::vector<std::string>>();
  const fs::path first = words.front();
  if (words.size() > 1 && given.count("out") == 0) {
    throw UsageError("report: several folders; say with -o where the page goes");
  }
  const fs::path folder = fs::is_directory(first) ? first : first.parent_path();
  const std::string page =
      given.count("out") != 0 ? given["out"].as<std::string>() : (folder / "report.html").string();
  for (const char* name : {"metric", "baseline", "target"}) {
    if (given.count(name) == 0) continue;
    words.push_back(fmt::format("--{}={}", name, given[name].as<std::string>()));
  }
  const std::string problem = write_report(words, page);
  if (!problem.empty()) throw UsageError("report: " + problem);
  fmt::print("{}\n", page);
  return kOk;
}

}  // namespace skiff::cli
