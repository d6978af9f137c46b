// What the tests of scenarios share.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "sim/scenario/catalogue_file.h"
#include "sim/scenario/scenario.h"

namespace skiff {

inline std::string source_folder() {
  const char* folder = std::getenv("SKIFF_SOURCE");
  return folder != nullptr ? folder : ".";
}

inline std::shared_ptr<const Catalogue> test_catalogue() {
  static const auto catalogue = [] {
    SourceTexts texts;
    Reader reader;
    return read_catalogue(source_folder() + "/devices/profiles", "", texts, reader);
  }();
  return catalogue;
}

// No data folder: messages say "(not set)" wherever the tests run.
inline LoadOptions test_options() {
  LoadOptions options;
  options.data_folder = "";
  options.profiles = source_folder() + "/devices/profiles";
  options.catalogue = test_catalogue();
  return options;
}

// A small scenario that is fine, by section; tests change a part of it.
inline const char* const kGood =
    "seed: 7\n"
    "data: {source: glyphs, clients: 200, partition: {scheme: iid}}\n"
    "model: {architecture: mlp, hidden: [16, 16]}\n"
    "devices: {population: {iphone-15-pro: 30%, budget-android: 70%}}\n"
    "server: {protocol: synchronous, participants: 20, rounds: 3}\n"
    "training: {epochs: 1, batch: 20, optimizer: {name: sgd, learning_rate: 0.1}}\n";

inline Scenario parse(const std::string& text, const std::vector<std::string>& overrides = {}) {
  return parse_scenario(text, "test.yaml", overrides, test_options());
}

// The first lines of all problems; empty if there are none.
inline std::vector<std::string> problems_of(const std::string& text,
                                            const std::vector<std::string>& overrides = {},
                                            const std::string& file = "test.yaml",
                                            const LoadOptions& options = test_options()) {
  std::vector<std::string> lines;
  try {
    parse_scenario(text, file, overrides, options);
  } catch (const ScenarioError& error) {
    for (const Problem& p : error.problems()) {
      const std::string whole = to_string(p);
      lines.push_back(whole.substr(0, whole.find('\n')));
    }
  }
  return lines;
}

inline std::string read_text(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

inline std::vector<std::filesystem::path> yaml_files(const std::string& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace skiff
