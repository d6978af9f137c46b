// The scenario language as a JSON Schema (draft-07), from the same declarations that read it:
// editors complete, explain and check scenarios with it.
#pragma once

#include <string>

namespace skiff {

// Indented, with a final newline: scenarios/schema.json as it is shipped.
std::string json_schema();

}  // namespace skiff
