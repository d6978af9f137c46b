// A parsed document as a tree of nodes that know where they stand: what the schemas read.
// sim/scenario makes it from YAML; nothing else of skiff sees the YAML library.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/core/error.h"

namespace skiff {

struct Node {
  enum class Kind { kNull, kScalar, kList, kMap };
  struct Entry;

  Kind kind = Kind::kNull;
  std::string text;            // of a scalar, as written, without quotes
  bool quoted = false;         // "10" in quotes is a word, 10 a number
  Location where;              // first character of the value
  std::vector<Node> items;     // of a list
  std::vector<Entry> entries;  // of a map, in the order written; keys are unique

  bool is_map() const { return kind == Kind::kMap; }
  bool is_list() const { return kind == Kind::kList; }
  bool is_scalar() const { return kind == Kind::kScalar; }
  bool is_null() const { return kind == Kind::kNull; }

  const Node* find(std::string_view key) const;  // null if absent
  Node* find(std::string_view key);
  void set(std::string_view key, Node value);  // replaces or appends
  void erase(std::string_view key);

  static Node scalar(std::string text, Location where = {});
};

struct Node::Entry {
  std::string key;
  Location where;  // of the key
  Node value;
};

// One line of YAML flow style: {name: sgd, learning_rate: 0.1}.
std::string to_flow_text(const Node& node);

}  // namespace skiff
