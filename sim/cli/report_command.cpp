// skiff report DIR: one HTML page of the runs below a folder.

#include <filesystem>

#include "sim/cli/command.h"
#include "sim/cli/python.h"

namespace skiff::cli {

int report_verb(const std::vector<std::string>& arguments) {
  namespace fs = std::filesystem;
  namespace po = boost::program_options;
  po::options_description options;
  options.add_options()("out,o", po::value<std::string>(), "the page; default DIR/report.html");
  po::variables_map given;
  if (!parse(verb_named("report"), arguments, options, "folder", given)) return kOk;
  const std::vector<std::string> folders = words_of(given, "folder");
  if (folders.size() != 1) throw UsageError("report: one folder with runs");
  if (!fs::exists(folders[0])) throw UsageError("report: there is no " + folders[0]);
  const std::string page = given.count("out") != 0
                               ? given["out"].as<std::string>()
                               : (fs::path(folders[0]) / "report.html").string();
  return run_analysis({"report", folders[0], "-o", page}) == 0 ? kOk : kRunFailed;
}

}  // namespace skiff::cli
