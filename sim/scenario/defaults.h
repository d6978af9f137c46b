// A merged tree with every neutral default written out, in the order of the language: what
// --print-config shows, the results keep and the configuration's hash is taken of.
#pragma once

#include <string>
#include <vector>

#include "sim/core/node.h"
#include "sim/core/schema.h"

namespace skiff {

// Only for trees that were read without a problem.
Node with_defaults(const Node& top, const std::vector<FieldInfo>& fields);

// The neutral choices that a scenario leaves unsaid: "method fedavg", "weighting by-samples", ...
std::vector<std::string> neutral_defaults(const Node& written);

}  // namespace skiff
