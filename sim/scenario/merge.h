// How one tree is laid over another: the rule of `extends`, and of --set where it changes a kind.
//
// Maps merge key by key, everything else is replaced, `null` removes. A choice of another kind
// replaces the old one as a whole: {name: adamw} over {name: sgd, momentum: 0.9} leaves no
// momentum. What opens a choice: name, scheme, protocol, source, architecture, checkpoint.
#pragma once

#include <string>
#include <string_view>

#include "sim/core/node.h"

namespace skiff {

bool opens_a_choice(std::string_view key);

// Lays `over` over `base`, both maps; the top of a scenario is no choice (its `name` is its own).
void merge_top(Node& base, const Node& over);
void merge(Node& base, const Node& over);

// Takes away keys that are null, except in `sweep`, whose cases remove keys later.
void strip_nulls(Node& top);

}  // namespace skiff
