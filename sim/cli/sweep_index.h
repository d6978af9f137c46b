// index.csv of a sweep: one line a run, with what it reached and what it cost.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace skiff::cli {

struct IndexEntry {
  std::string case_name;
  std::int64_t seed = 0;
  std::filesystem::path folder;  // relative to the index
};

// Reads the runs that are there and writes FOLDER/index.csv, complete or not at all. The same runs
// give the same bytes, in whatever order and by however many processes they were made.
void write_index(const std::filesystem::path& folder, const std::vector<IndexEntry>& entries);

}  // namespace skiff::cli
