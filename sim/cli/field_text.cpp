#include "sim/cli/field_text.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace skiff::cli {

std::string range_text(const FieldInfo& field) {
  const Rules& r = field.rules;
  if (!r.words.empty()) {
    std::string text;
    for (const std::string& w : r.words) text += (text.empty() ? "" : " | ") + w;
    return text;
  }
  const bool low = std::isfinite(r.least), high = std::isfinite(r.most);
  if (low && high) return fmt::format("{}{}..{}", r.above ? "above " : "", r.least, r.most);
  if (low) return fmt::format("{} {}", r.above ? "above" : "at least", r.least);
  return high ? fmt::format("at most {}", r.most) : "";
}

nlohmann::json field_json(const FieldInfo& field) {
  nlohmann::json out{{"name", field.name},
                     {"type", field.type},
                     {"help", field.help},
                     {"required", field.required}};
  if (!field.default_text.empty()) out["default"] = field.default_text;
  if (const std::string range = range_text(field); !range.empty()) out["range"] = range;
  for (const FieldInfo& child : field.children) out["children"].push_back(field_json(child));
  return out;
}

}  // namespace skiff::cli
