#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "sim/scenario/rules.h"

namespace skiff {
namespace {

const FieldInfo* find_field(const std::vector<FieldInfo>& fields, const std::string& name) {
  const auto it = std::find_if(fields.begin(), fields.end(),
                               [&](const FieldInfo& f) { return f.name == name; });
  return it == fields.end() ? nullptr : &*it;
}

std::vector<std::string> names_in(const std::vector<FieldInfo>& fields) {
  std::vector<std::string> names;
  for (const FieldInfo& f : fields) names.push_back(f.name);
  return names;
}

// Follows a dotted key down the maps of the language, as far as these have fixed keys.
void check_dotted(const RuleContext& c, const std::string& path, const Node::Entry& entry,
                  const std::vector<FieldInfo>& top) {
  const std::vector<FieldInfo>* fields = &top;
  std::size_t begin = 0;
  while (begin <= entry.key.size()) {
    const std::size_t end = std::min(entry.key.find('.', begin), entry.key.size());
    const std::string key = entry.key.substr(begin, end - begin);
    const FieldInfo* field = find_field(*fields, key);
    if (field == nullptr) {
      c.problem_at(entry.where, path + "." + entry.key,
                   unknown_key_message(key, names_in(*fields)));
      return;
    }
    if (field->type != "map" || field->children.empty()) return;
    fields = &field->children;
    begin = end + 1;
  }
}

void check_lists(const RuleContext& c, const std::string& path, const std::vector<FieldInfo>& top) {
  const Node* map = c.find(path);
  if (map == nullptr || !map->is_map()) return;
  for (const Node::Entry& e : map->entries) {
    check_dotted(c, path, e, top);
    if (e.value.is_list() && e.value.items.empty()) {
      c.problem_at(e.value.where, path + "." + e.key, "has no values");
    }
  }
}

void check_zip(const RuleContext& c) {
  const Node* zip = c.find("sweep.zip");
  if (zip == nullptr || !zip->is_map()) return;
  const Node::Entry* first = nullptr;
  for (const Node::Entry& e : zip->entries) {
    if (!e.value.is_list()) continue;
    if (first == nullptr) first = &e;
    if (e.value.items.size() == first->value.items.size()) continue;
    c.problem_at(e.value.where, "sweep.zip",
                 fmt::format("lists of length {} ({}) and {} ({}); zip needs equal lengths",
                             first->value.items.size(), first->key, e.value.items.size(), e.key));
    return;
  }
}

}  // namespace

void check_sweep(const RuleContext& c) {
  if (!c.has("sweep")) return;
  const std::vector<FieldInfo> top = scenario_fields();
  const Node* cases = c.find("sweep.cases");
  if (cases != nullptr && cases->is_map()) {
    for (const Node::Entry& e : cases->entries) {
      const std::string path = "sweep.cases." + e.key;
      if (!e.value.is_map()) {
        c.problem_at(e.value.where, path, "expected a map of dotted keys");
        continue;
      }
      for (const Node::Entry& change : e.value.entries) check_dotted(c, path, change, top);
    }
  }
  check_lists(c, "sweep.grid", top);
  check_lists(c, "sweep.zip", top);
  check_zip(c);
  std::set<std::string> seen;
  const Node* seeds = c.find("sweep.seeds");
  for (const Node& seed : seeds != nullptr ? seeds->items : std::vector<Node>()) {
    if (!seen.insert(seed.text).second) {
      c.problem_at(seed.where, "sweep.seeds", seed.text + " stands there twice");
    }
  }
}

}  // namespace skiff
