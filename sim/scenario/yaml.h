// YAML in and out: text to a tree of nodes that know where they stand, and back.
//
// The language is YAML 1.2's core without what makes files hard to read: one document, no anchors,
// aliases, merge keys or tags, no key twice, no tabs before a word. Words stay text here: what is a
// number or a bool is decided where a schema reads it, so there is no yes/on and no octal.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sim/core/error.h"
#include "sim/core/node.h"

namespace skiff {

// The texts that places point into, kept for the caret under a line.
class SourceTexts {
 public:
  void add(const std::string& file, std::string_view text);
  // Overrides have no line number to show: the n-th stands at line -1 - n of the file "--set".
  void add_override(const std::string& text);
  std::string line(const Location& where) const;  // empty if unknown

 private:
  std::map<std::string, std::vector<std::string>> lines_;
  std::vector<std::string> overrides_;
};

inline constexpr const char* kOverrideFile = "--set";

// Reads one document. What is wrong is appended to `problems`; the tree then holds what could be
// read. Safe for any bytes.
Node parse_yaml(std::string_view text, const std::string& file, std::vector<Problem>& problems);
// The value of an override; `where`: place of its first character.
Node parse_yaml_value(std::string_view text, const Location& where, const std::string& path,
                      std::vector<Problem>& problems);

// What is wrong with text before YAML reads it: bytes that are no UTF-8, tabs that indent.
std::vector<Problem> check_text(std::string_view text, const std::string& file);

// Block style, lists in flow style; parse_yaml reads back an equal tree.
std::string to_yaml(const Node& map);
// A word that needs no quotes anywhere in YAML. Others are marked `quoted` when they are read.
bool is_plain_word(std::string_view text);

// Throws ScenarioError if the file cannot be read, or is larger than any scenario should be.
std::string read_scenario_file(const std::string& file);

}  // namespace skiff
