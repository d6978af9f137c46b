// Reading a section that is a choice: a map whose kind is opened by one key ({source: mnist, ...}),
// with keys common to all kinds (the section's schema) beside those of the kind (the registry's).
#pragma once

#include <string>
#include <vector>

#include "sim/core/registry.h"

namespace skiff {

std::vector<std::string> names_of(const std::vector<FieldInfo>& fields);
// Says that the key which opens the choice is missing, no word, or unknown.
void report_kind(const Node& map, const std::string& key, const std::string& role,
                 const std::vector<std::string>& names, Reader& reader);

// `family`: of the role's entries, only those (compressors are quantizers or pruners); "" = all.
template <class Role, class P>
void read_choice(const Node& map, const Schema<P>& common, P& out, Chosen<Role>& chosen,
                 Reader& reader, const std::string& family = "") {
  const Registry<Role>& registry = Registry<Role>::instance();
  if (!map.is_map()) {
    registry.make(map, reader);  // says what is wrong
    return;
  }
  const Node* kind = map.find(Role::kKey);
  const auto* entry = kind != nullptr && kind->is_scalar() ? registry.find(kind->text) : nullptr;
  if (entry != nullptr && !family.empty() && entry->about.family != family) entry = nullptr;
  std::vector<std::string> own{Role::kKey};
  for (const auto& [name, other] : registry.entries()) {
    if (entry != nullptr && entry != &other) continue;  // without a kind, any kind's key may be
    for (const FieldInfo& f : other.fields) own.push_back(f.name);
  }
  common.read(map, out, reader, own, [&](const std::string& key) {
    std::string message =
        entry != nullptr ? registry.belongs_elsewhere(key, entry->about.name) : std::string();
    if (!message.empty()) return message;
    std::vector<std::string> allowed = names_of(common.describe());
    allowed.insert(allowed.end(), own.begin(), own.end());
    return unknown_key_message(key, allowed);
  });
  if (entry == nullptr) {
    report_kind(map, Role::kKey, family.empty() ? Role::kRole : family, registry.names(family),
                reader);
    return;
  }
  std::vector<std::string> others;
  for (const Node::Entry& e : map.entries) {
    if (std::find(own.begin(), own.end(), e.key) == own.end()) others.push_back(e.key);
  }
  chosen = {entry->about.name, map, registry.make(map, reader, others)};
}

// Specialise for each section that is a choice: its Role, the member that holds what was chosen,
// the family.
template <class S>
struct ChoiceIn;
template <class S>
concept ChoiceSection = requires {
  ChoiceIn<S>::member;
};

template <ChoiceSection S>
bool convert(const Node& node, S& out, const Rules&, Reader& reader) {
  const std::size_t before = reader.problems().size();
  read_choice(node, schema<S>(), out, out.*ChoiceIn<S>::member, reader, ChoiceIn<S>::family);
  return reader.problems().size() == before;
}
// What is in force unless the scenario says otherwise: {name: dense}; "" where nothing is.
template <ChoiceSection S>
std::string print_value(const S& section) {
  return print_value(section.*ChoiceIn<S>::member);
}
template <ChoiceSection S>
struct TypeName<S> {
  static std::string get() { return "choice"; }
};

}  // namespace skiff
