// Starts the Python package in analysis/, which draws and reports.
#pragma once

#include <string>
#include <vector>

namespace skiff::cli {

// `python3 -m skiff_analysis WORDS...`, and its exit code; 127 if it cannot be started. What it
// prints goes to the file `log`, or where ours goes if that is empty.
int run_analysis(const std::vector<std::string>& words, const std::string& log = "");

}  // namespace skiff::cli
