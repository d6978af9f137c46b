#include "devices/sourced.h"

#include <array>

#include "sim/core/schema.h"

namespace skiff {
namespace {
const std::array<std::string, 3> kWords{"high", "medium", "low"};
}

std::string print_value(Confidence c) { return kWords[static_cast<std::size_t>(c)]; }

namespace detail {

const Node* read_provenance(const Node& node, std::string& source, Confidence& confidence,
                            Reader& reader) {
  if (!node.is_map()) {
    const std::string value = node.is_scalar() ? node.text : "...";
    expected(node, "{value: " + value + ", source: ..., confidence: high | medium | low}", reader);
    return nullptr;
  }
  static const std::vector<std::string> kKeys{"value", "source", "confidence"};
  const std::size_t before = reader.problems().size();
  for (const Node::Entry& entry : node.entries) {
    if (std::find(kKeys.begin(), kKeys.end(), entry.key) != kKeys.end()) continue;
    const Reader::Scope scope(reader, entry.key);
    reader.problem(entry.where, unknown_key_message(entry.key, kKeys));
  }
  for (const std::string& key : kKeys) {
    if (node.find(key) != nullptr) continue;
    const Reader::Scope scope(reader, key);
    reader.problem(node.where, key == "value" ? "required; nothing is taken as 0" : "required");
  }
  if (reader.problems().size() != before) return nullptr;
  std::string word;
  {
    const Reader::Scope scope(reader, "source");
    convert(*node.find("source"), source, {}, reader);
  }
  {
    const Reader::Scope scope(reader, "confidence");
    Rules rules;
    rules.words = {kWords.begin(), kWords.end()};
    if (convert(*node.find("confidence"), word, rules, reader)) {
      const auto at = std::find(kWords.begin(), kWords.end(), word);
      confidence = static_cast<Confidence>(at - kWords.begin());
    }
  }
  return reader.problems().size() == before ? node.find("value") : nullptr;
}

}  // namespace detail
}  // namespace skiff
