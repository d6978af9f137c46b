// Values to begin with, for keys that a scenario must write and a first one does not know yet.
// They are no defaults of the language: each stands in the file that `skiff init` writes.
#pragma once

#include <optional>
#include <string>

#include "sim/cli/init_scenario.h"

namespace skiff::cli {

// Whether a word is registered in a role or one of its families ("pruning").
bool is_word(const std::string& role, const std::string& word);
// "init: model "lama" unknown; did you mean "llama"? skiff list".
std::string unknown_word(const std::string& role, const std::string& word);
// Adds the required keys that `choice` lacks and for which there is a value to begin with. Throws
// UsageError if its name is unknown; `option` is blamed.
void add_starters(const std::string& role, const std::string& option,
                  std::optional<Choice>& choice);
// A step size with which the small models of first scenarios learn.
std::string starting_rate(const std::string& optimizer, const std::string& architecture,
                          bool adapters);

}  // namespace skiff::cli
