// --set a.b=v sets a key, +a.b=v appends to a list, ~a.b removes a key; v is YAML.
//
// `=` may set any key of the tree: typos are caught when the tree is read. A value that opens a
// choice of another kind (training.optimizer.name=adamw) empties the old choice first. Messages say
// "--set: path: ..." with the override and a caret below.
#pragma once

#include <string>
#include <vector>

#include "sim/core/error.h"
#include "sim/core/node.h"

namespace skiff {

// Applies the overrides in order. The n-th stands at line -1 - n of the file "--set".
void apply_overrides(Node& top, const std::vector<std::string>& overrides,
                     std::vector<Problem>& problems);

// The same for what a sweep changes: the key set to the value, which knows where it stands; null
// removes the key.
struct Change {
  std::string key;  // "training.optimizer.learning_rate"
  Location where;
  Node value;
};
void apply_changes(Node& top, const std::vector<Change>& changes, std::vector<Problem>& problems);

}  // namespace skiff
