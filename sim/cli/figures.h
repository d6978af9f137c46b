// Draws the figures of a run, and writes the report of many, by the Python package in analysis/.
#pragma once

#include <string>
#include <vector>

namespace skiff::cli {

struct Drawing {
  int figures = 0;
  std::string problem;  // why there are none; empty if there are
};

// Runs `python3 -m skiff_analysis draw RUN -o FOLDER`; its words go nowhere unless it fails.
Drawing draw_figures(const std::string& run_file, const std::string& folder);

// Runs `python3 -m skiff_analysis report WORDS... -o PAGE`. Returns why there is no page, or
// nothing.
std::string write_report(const std::vector<std::string>& words, const std::string& page);

}  // namespace skiff::cli
