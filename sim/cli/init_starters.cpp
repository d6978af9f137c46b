#include "sim/cli/init_starters.h"

#include <fmt/format.h>

#include <map>

#include "algorithms/models/real_size.h"
#include "sim/cli/command.h"
#include "sim/core/registry.h"

namespace skiff::cli {
namespace {

const std::map<std::string, std::string>& starters() {
  static const std::map<std::string, std::string> values{
      {"bits", "4"},
      {"sparsity", "0.5"},
      {"structure", "unstructured"},
      {"rank", "8"},
      {"targets", "linear"},
      {"aggregation", "fedit"},
      {"sketch", "left"},
      {"probability", "0.5"},
      {"communication_probability", "0.1"},
      {"full_probability", "0.1"},
      {"density", "0.1"},
      {"density_down", "0.25"},
      {"density_up", "0.25"},
      {"error_feedback", "true"},
      {"levels", "16"},
      {"mu", "0.01"},
      {"tau", "0.001"},
      {"beta", "0.9"},
      {"layers", "opu-2"},
      {"tokenizer", "word"},
      {"sequence_length", "20"},
  };
  return values;
}

const CatalogueEntry* entry_of(const std::string& role, const std::string& word) {
  static const std::vector<CatalogueEntry> all = catalogue();
  for (const CatalogueEntry& entry : all) {
    if (entry.about.name == word && (entry.role == role || entry.about.family == role)) {
      return &entry;
    }
  }
  return nullptr;
}

}  // namespace

bool is_word(const std::string& role, const std::string& word) {
  return entry_of(role, word) != nullptr;
}

std::string unknown_word(const std::string& role, const std::string& word) {
  std::vector<std::string> names;
  for (const CatalogueEntry& entry : catalogue()) {
    if (entry.role == role || entry.about.family == role) names.push_back(entry.about.name);
  }
  if (role == "model") {
    for (const KnownModel& model : known_models()) names.push_back(model.name);
  }
  const std::string near = nearest_word(word, names);
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  return fmt::format("init: {} \"{}\" unknown{} It is one of {}", role, word,
                     near.empty() ? "." : fmt::format("; did you mean \"{}\"?", near), all);
}

void add_starters(const std::string& role, const std::string& option,
                  std::optional<Choice>& choice) {
  if (!choice) return;
  if (choice->name.empty()) {
    throw UsageError(fmt::format("init: {}: which? skiff init --list", option));
  }
  const CatalogueEntry* entry = entry_of(role, choice->name);
  if (entry == nullptr) throw UsageError(unknown_word(role, choice->name));
  for (const FieldInfo& field : entry->fields) {
    const auto start = starters().find(field.name);
    if (field.required && start != starters().end()) choice->add(field.name, start->second);
  }
}

std::string starting_rate(const std::string& optimizer, const std::string& architecture,
                          bool adapters) {
  if (optimizer != "sgd") return "0.003";
  const bool text = architecture == "llama" || architecture == "cifg-lstm";
  return adapters || text ? "0.5" : "0.1";
}

}  // namespace skiff::cli
