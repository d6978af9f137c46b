// One tree out of a scenario's file, the files that it extends, and the overrides.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/scenario/overrides.h"
#include "sim/scenario/yaml.h"

namespace skiff {

struct Tree {
  Node top;  // a map, without nulls and without `extends`
  SourceTexts texts;
  std::vector<std::string> folders;  // where files are sought
  std::string searched;              // "scenarios/ and $SKIFF_DATA (not set)"
  std::vector<Problem> problems;     // that did not keep the tree from being read
};

// Throws ScenarioError if there is no tree to read. `point`: the changes of one point of a sweep,
// made after the overrides, and then there is no `sweep` in the tree. `data_folder`: instead of
// $SKIFF_DATA.
Tree read_tree(const std::string& text, const std::string& file,
               const std::vector<std::string>& overrides,
               const std::optional<std::vector<Change>>& point,
               const std::optional<std::string>& data_folder);

}  // namespace skiff
