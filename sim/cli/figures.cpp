#include "sim/cli/figures.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "sim/cli/python.h"

namespace skiff::cli {
namespace {
namespace fs = std::filesystem;

std::string last_line(const std::string& file) {
  std::ifstream in(file);
  std::string last;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty()) last = line;
  }
  return last;
}

}  // namespace

Drawing draw_figures(const std::string& run_file, const std::string& folder) {
  const std::string log = folder + "/.figures.log";
  const int code = run_analysis({"draw", run_file, "-o", folder}, log);
  Drawing drawing;
  if (code == 0) {
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.path().extension() == ".svg") ++drawing.figures;
    }
  } else {
    const std::string said = last_line(log);
    drawing.problem = said.empty() ? fmt::format("python3 ended with {}", code) : said;
  }
  std::error_code ignored;
  fs::remove(log, ignored);
  return drawing;
}

}  // namespace skiff::cli
