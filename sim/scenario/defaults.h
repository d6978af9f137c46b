// A merged tree with every neutral default written out, in the order of the language: what
// --print-config shows, the results keep and the configuration's hash is taken of.
#pragma once

#include <string>
#include <vector>

#include "sim/core/node.h"
#include "sim/core/registry.h"

namespace skiff {

// Role of a choice -> the key that opens it: "source", "architecture", "name".
std::string opening_key(const std::string& role);
// Whether an entry of the catalogue is a kind of that choice; compressors go by their family.
bool is_kind_of(const CatalogueEntry& entry, const std::string& role);

// Only for trees that were read without a problem.
Node with_defaults(const Node& top, const std::vector<FieldInfo>& fields);

// The neutral choices that a scenario leaves unsaid: "method fedavg", "weighting by-samples", ...
std::vector<std::string> neutral_defaults(const Node& written);

}  // namespace skiff
