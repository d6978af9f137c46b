// What the contract tests share: maps of parameters made from the registered schemas alone, so that
// a new strategy is held to its role's contract without a line written here.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sim/core/registry.h"
#include "tests/contract/parameter_values.h"

namespace skiff::testing {

// What a schema cannot say: a key that a rule across fields asks for; less work than by default.
inline void add_what_rules_ask(const std::string& role, const std::string& name, Node& map) {
  if (role == "partition" && name == "quantity") map.set("alpha", Node::scalar("0.5"));
  if (role == "compressor" && name == "pv-tuning") map.set("steps", Node::scalar("2"));
  if (role == "model" && name == "mlp") map.set("hidden", list_node({"4", "3"}));
  if (role == "model" && (name == "llama" || name == "bert" || name == "vit" ||
                          name == "cifg-lstm" || name == "resnet")) {
    map.set("preset", Node::scalar("tiny"));
  }
}

// The least map that should build: the name, its required keys, what rules ask for.
template <class Role>
Node least_map(const typename Registry<Role>::Entry& entry) {
  Node map;
  map.set(Role::kKey, Node::scalar(entry.about.name));
  for (const FieldInfo& field : entry.fields) {
    if (!field.required) continue;
    const std::vector<Node> values = good_values(field);
    if (!values.empty()) map.set(field.name, values.front());
  }
  add_what_rules_ask(Role::kRole, entry.about.name, map);
  return map;
}

// What a Reader has to say of a map; empty if it built.
template <class Role>
std::string problems_of(const Node& map) {
  Reader reader({}, {"."});
  const auto object = Registry<Role>::instance().make(map, reader);
  EXPECT_EQ(object == nullptr, !reader.ok()) << to_flow_text(map);
  std::string text;
  for (const Problem& p : reader.problems()) text += p.path + ": " + p.message + "\n";
  return text;
}

template <class Role>
struct Variant {
  std::string name;
  std::string text;  // "{name: top-k, density: 0.1}"
  std::shared_ptr<const Role> object;
};

// Every entry that this version runs: with its least parameters, then with each key set to each of
// its good values; what a rule across fields refuses is left out.
template <class Role>
std::vector<Variant<Role>> all_variants() {
  std::vector<Variant<Role>> all;
  const Registry<Role>& registry = Registry<Role>::instance();
  const auto add = [&](const Node& map) {
    Reader reader({}, {"."});
    std::shared_ptr<const Role> object = registry.make(map, reader);
    if (object != nullptr) {
      all.push_back({map.find(Role::kKey)->text, to_flow_text(map), std::move(object)});
    }
  };
  for (const auto& [name, entry] : registry.entries()) {
    if (entry.about.planned) continue;
    const Node least = least_map<Role>(entry);
    add(least);
    for (const FieldInfo& field : entry.fields) {
      for (const Node& value : good_values(field)) {
        Node map = least;
        map.set(field.name, value);
        if (to_flow_text(map) != to_flow_text(least)) add(map);
      }
    }
  }
  return all;
}

}  // namespace skiff::testing
