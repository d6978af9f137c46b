#include "sim/scenario/defaults.h"

#include <algorithm>

#include "sim/scenario/yaml.h"

namespace skiff {
namespace {

// Fields of the kind that a choice took, from the catalogue.
std::vector<FieldInfo> fields_of_kind(const FieldInfo& choice, const std::string& kind) {
  for (const CatalogueEntry& e : catalogue_storage()) {
    if (e.about.name == kind && is_kind_of(e, choice.role)) return e.fields;
  }
  return {};
}

Node parsed(const std::string& text) {
  std::vector<Problem> problems;
  Node node = parse_yaml(text, "", problems);
  SKIFF_CHECK(problems.empty(), "a default that is no YAML: " + text);
  return node;
}

Node complete(const Node& map, std::vector<FieldInfo> fields);

// An empty list of fixed words says that none of them holds; any other empty one, nothing at all.
bool has_default(const FieldInfo& field) {
  const std::string& text = field.default_text;
  return !text.empty() && text != "{}" && (text != "[]" || !field.rules.words.empty());
}

// The value of a key as it is in force; null if it is neither written nor has a default.
Node value_of(const FieldInfo& field, const Node* written) {
  Node value;
  if (written != nullptr) {
    value = *written;
  } else if (!field.required && has_default(field)) {
    value = parsed(field.default_text);
  } else if (field.type == "map" && !field.children.empty()) {
    value.kind = Node::Kind::kMap;
  }
  if (!value.is_map()) return value;
  if (field.type == "choice") {
    const std::string key = opening_key(field.role);
    const Node* kind = value.find(key);
    std::vector<FieldInfo> fields;
    FieldInfo opening;
    opening.name = key;
    fields.push_back(opening);
    if (kind != nullptr) {
      for (FieldInfo& f : fields_of_kind(field, kind->text)) fields.push_back(std::move(f));
    }
    fields.insert(fields.end(), field.children.begin(), field.children.end());
    return complete(value, std::move(fields));
  }
  if (field.type == "map" && !field.children.empty()) {
    value = complete(value, field.children);
    if (value.entries.empty()) return {};
  }
  return value;
}

Node complete(const Node& map, std::vector<FieldInfo> fields) {
  Node out;
  out.kind = Node::Kind::kMap;
  out.where = map.where;
  for (const FieldInfo& field : fields) {
    if (out.find(field.name) != nullptr) continue;  // common to all kinds, and the kind's own
    const auto written = std::find_if(map.entries.begin(), map.entries.end(),
                                      [&](const Node::Entry& e) { return e.key == field.name; });
    const bool present = written != map.entries.end();
    Node value = value_of(field, present ? &written->value : nullptr);
    if (value.is_null()) continue;
    out.entries.push_back({field.name, present ? written->where : Location{}, std::move(value)});
  }
  return out;
}

}  // namespace

std::string opening_key(const std::string& role) {
  if (role == "data") return "source";
  if (role == "model") return "architecture";
  if (role == "partition") return "scheme";
  if (role == "protocol") return "protocol";
  return "name";
}

bool is_kind_of(const CatalogueEntry& entry, const std::string& role) {
  return entry.role == "compressor" ? entry.about.family == role : entry.role == role;
}

Node with_defaults(const Node& top, const std::vector<FieldInfo>& fields) {
  return complete(top, fields);
}

std::vector<std::string> neutral_defaults(const Node& written) {
  const auto lacks = [&](const char* section, const char* key) {
    const Node* map = written.find(section);
    return map == nullptr || map->find(key) == nullptr;
  };
  const Node* server = written.find("server");
  const Node* protocol = server != nullptr ? server->find("protocol") : nullptr;
  std::vector<std::string> all;
  if (lacks("training", "method")) all.emplace_back("method fedavg");
  if (lacks("server", "weighting")) all.emplace_back("weighting by-samples");
  if (lacks("devices", "memory_limit")) all.emplace_back("memory limit background");
  if (lacks("compression", "communication")) all.emplace_back("communication dense");
  if (protocol != nullptr && protocol->text == "synchronous" && lacks("server", "deadline")) {
    all.emplace_back("deadline none");
  }
  return all;
}

}  // namespace skiff
