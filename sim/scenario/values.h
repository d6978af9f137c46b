// Values of the scenario language that are neither numbers nor words alone.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "algorithms/layer_targets.h"
#include "sim/core/registry.h"

namespace skiff {

template <class T>
using ByName = std::vector<std::pair<std::string, T>>;  // in the order written

// devices.memory_limit: the catalogue's share of RAM for an app in the background or foreground, a
// share of one's own, or bytes.
struct MemoryLimit {
  enum class Kind { kBackground, kForeground, kFraction, kBytes };
  Kind kind = Kind::kBackground;
  double fraction = 0;
  Bytes bytes;
};

bool convert(const Node& node, MemoryLimit& out, const Rules& rules, Reader& reader);
std::string print_value(const MemoryLimit& limit);
template <>
struct TypeName<MemoryLimit> {
  static std::string get() { return "memory limit"; }
};

// A choice that is in force unless the scenario says otherwise; load_scenario makes its object.
template <class Role>
Chosen<Role> neutral(const std::string& kind) {
  Chosen<Role> chosen;
  chosen.name = kind;
  chosen.node.kind = Node::Kind::kMap;
  chosen.node.set(Role::kKey, Node::scalar(kind));
  return chosen;
}

}  // namespace skiff
