#include "sim/scenario/merge.h"

#include <algorithm>
#include <array>

namespace skiff {
namespace {

// "name=sgd": what kind of choice this map is; empty if it does not say.
std::string kind_of(const Node& map) {
  for (const Node::Entry& e : map.entries) {
    if (!opens_a_choice(e.key) || !e.value.is_scalar()) continue;
    return e.key == "checkpoint" ? "checkpoint" : e.key + "=" + e.value.text;
  }
  return "";
}

Node::Entry* entry_of(Node& map, const std::string& key) {
  const auto it = std::find_if(map.entries.begin(), map.entries.end(),
                               [&](const Node::Entry& e) { return e.key == key; });
  return it == map.entries.end() ? nullptr : &*it;
}

void merge_entries(Node& base, const Node& over) {
  for (const Node::Entry& e : over.entries) {
    Node::Entry* old = entry_of(base, e.key);
    if (old == nullptr) {
      base.entries.push_back(e);
    } else {
      old->where = e.where;
      merge(old->value, e.value);
    }
  }
}

void strip(Node& map) {
  std::erase_if(map.entries, [](const Node::Entry& e) { return e.value.is_null(); });
  for (Node::Entry& e : map.entries) {
    if (e.value.is_map()) strip(e.value);
  }
}

}  // namespace

bool opens_a_choice(std::string_view key) {
  constexpr std::array<std::string_view, 6> kKeys{"name",   "scheme",       "protocol",
                                                  "source", "architecture", "checkpoint"};
  return std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end();
}

void merge(Node& base, const Node& over) {
  const std::string kind = over.is_map() ? kind_of(over) : "";
  const std::string old_kind = base.is_map() ? kind_of(base) : "";
  const bool another = !kind.empty() && !old_kind.empty() && kind != old_kind;
  if (!base.is_map() || !over.is_map() || another) {
    base = over;
    return;
  }
  base.where = over.where;
  merge_entries(base, over);
}

void merge_top(Node& base, const Node& over) {
  base.where = over.where;
  merge_entries(base, over);
}

void strip_nulls(Node& top) {
  std::erase_if(top.entries, [](const Node::Entry& e) { return e.value.is_null(); });
  for (Node::Entry& e : top.entries) {
    if (e.value.is_map() && e.key != "sweep") strip(e.value);
  }
}

}  // namespace skiff
