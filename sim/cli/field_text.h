// A parameter's declaration for people and for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "sim/core/schema.h"

namespace skiff::cli {

std::string range_text(const FieldInfo& field);  // "0..1", "above 0", "checked | blind", ""
nlohmann::json field_json(const FieldInfo& field);

}  // namespace skiff::cli
