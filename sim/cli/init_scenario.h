// The text of a first scenario: what was asked for, the values that this needs to run, and comments
// that say what each section is. Plain functions of the words and of the registries.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace skiff::cli {

// The words of one option: "rac-lora,rank=16", "4bit", "wanda,50%".
struct Choice {
  std::string name;  // "" if none was written
  std::vector<std::pair<std::string, std::string>> keys;

  bool has(const std::string& key) const;
  void add(const std::string& key, const std::string& value);  // unless it has the key
};

// `4bit` stands for bits=4, a percentage for sparsity. Throws UsageError.
Choice read_choice(const std::string& option, const std::string& text);

struct FirstScenario {
  std::string name, command;  // of the scenario; as it was typed
  std::string model;          // "" | architecture | real-size model
  std::optional<Choice> data, quantization, pruning, adaptation, optimizer, method, communication,
      planner;
  std::vector<std::string> devices;    // "iphone-15-pro=30%", ... ; empty: three phones
  std::string target_size;             // of compression; "" = none
  std::vector<std::string> heuristic;  // combinations without a theory that are allowed
};

// Throws UsageError where a word is in no registry, or two options want one seat.
std::string first_scenario(FirstScenario asked);

}  // namespace skiff::cli
