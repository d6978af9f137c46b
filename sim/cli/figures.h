// Draws the figures of a run by the Python package in analysis/.
#pragma once

#include <string>

namespace skiff::cli {

struct Drawing {
  int figures = 0;
  std::string problem;  // why there are none; empty if there are
};

// Runs `python3 -m skiff_analysis draw RUN -o FOLDER`; its words go nowhere unless it fails.
Drawing draw_figures(const std::string& run_file, const std::string& folder);

}  // namespace skiff::cli
