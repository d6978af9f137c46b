// Values for parameters, good and absurd, made from what a schema says of a field.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "sim/core/schema.h"

namespace skiff::testing {

inline Node list_node(const std::vector<std::string>& items) {
  Node list;
  list.kind = Node::Kind::kList;
  for (const std::string& item : items) list.items.push_back(Node::scalar(item));
  return list;
}
inline Node map_node(const std::string& key, const std::string& value) {
  Node map;
  map.set(key, Node::scalar(value));
  return map;
}

inline bool is_number(const FieldInfo& field) {
  return field.type == "int" || field.type == "number" || field.type == "fraction";
}
// The unit of a type that has a dimension; empty for others.
inline std::string unit_of(const std::string& type) {
  if (type == "bytes") return " MB";
  if (type == "rate") return " Mbps";
  if (type == "time") return " min";
  if (type == "energy") return " kJ";
  if (type == "power") return " W";
  if (type == "per time") return " /h";
  if (type == "speed") return " GFLOP/s";
  return "";
}

inline bool allows(const Rules& rules, double value) {
  return value <= rules.most && (rules.above ? value > rules.least : value >= rules.least);
}

// Values that the field takes, small ones; the first is the one to use where any will do.
inline std::vector<Node> good_values(const FieldInfo& field) {
  std::vector<Node> values;
  const auto add = [&](const std::string& text) { values.push_back(Node::scalar(text)); };
  if (field.type == "bool") {
    add("true");
    add("false");
  } else if (field.type == "int") {
    for (const char* text : {"2", "1", "3", "10", "64", "0"}) {
      if (allows(field.rules, std::atof(text))) add(text);
    }
  } else if (is_number(field)) {
    for (const char* text : {"0.5", "0.1", "0.01", "1", "3", "0"}) {
      if (allows(field.rules, std::atof(text))) add(text);
    }
  } else if (!unit_of(field.type).empty()) {
    add("1" + unit_of(field.type));
  } else if (field.type == "word") {
    for (const std::string& word : field.rules.words) add(word);
  } else if (field.type == "word or file") {
    add("byte");
  } else if (field.type == "map of map") {
    Node map;
    map.set("high-end", map_node("bits", "4"));
    values.push_back(map);
  } else if (field.type == "list of int") {
    values.push_back(list_node({"4", "3"}));
  } else if (field.type == "file") {
    add("tests/CMakeLists.txt");  // exists; nothing is read before it is used
  }
  return values;
}

// Values that every such field must refuse.
inline std::vector<Node> absurd_values(const FieldInfo& field) {
  std::vector<Node> values;
  const auto add = [&](const std::string& text) { values.push_back(Node::scalar(text)); };
  const bool measured = !unit_of(field.type).empty();
  if (is_number(field) || measured) {
    for (const char* text : {"nan", ".nan", ".inf", "-.inf", "1e999", "banana", "1 parsec"}) {
      add(text);
    }
    values.push_back(list_node({"1"}));
    values.push_back(map_node("a", "1"));
  }
  if (is_number(field)) {
    const Rules& rules = field.rules;
    if (std::isfinite(rules.least)) add(std::to_string(rules.least - 1));
    if (std::isfinite(rules.least) && rules.above) add(std::to_string(rules.least));
    if (std::isfinite(rules.most)) add(std::to_string(2 * std::abs(rules.most) + 1));
  }
  if (field.type == "int") add("1.5");
  if (field.type == "bool") add("perhaps");
  if (field.type == "word" && !field.rules.words.empty()) add("no-such-word");
  if (field.type == "list of int") {
    values.push_back(list_node({"4", "banana"}));
    add("banana");
  }
  if (field.type == "file") add("no/such/file");
  return values;
}

}  // namespace skiff::testing
