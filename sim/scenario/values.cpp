#include "sim/scenario/values.h"

#include <fmt/format.h>

namespace skiff {

bool convert(const Node& node, MemoryLimit& out, const Rules&, Reader& reader) {
  if (!node.is_scalar()) {
    detail::expected(node, "background, foreground, a share such as 30% or bytes", reader);
    return false;
  }
  using Kind = MemoryLimit::Kind;
  const std::string& text = node.text;
  const std::optional<double> number = parse_number(text);
  if (text == "background" || text == "foreground") {
    out = {text == "background" ? Kind::kBackground : Kind::kForeground, 0, {}};
    return true;
  }
  if (text.ends_with('%') || (number && *number <= 1)) {
    out.kind = Kind::kFraction;
    return convert(node, out.fraction, {.least = 0, .most = 1, .above = true, .fraction = true},
                   reader);
  }
  if (!text.empty() && std::isalpha(static_cast<unsigned char>(text.front()))) {
    const std::string near = nearest_word(text, {"background", "foreground"});
    reader.problem(node.where,
                   fmt::format("\"{}\" unknown; {}allowed: background, foreground, a share such as "
                               "30%, bytes such as 4 GB",
                               text, near.empty() ? "" : "did you mean \"" + near + "\"? "));
    return false;
  }
  out.kind = Kind::kBytes;
  return convert(node, out.bytes, Rules{.least = 0, .above = true, .unit = "GB"}, reader);
}

std::string print_value(const MemoryLimit& limit) {
  switch (limit.kind) {
    case MemoryLimit::Kind::kBackground:
      return "background";
    case MemoryLimit::Kind::kForeground:
      return "foreground";
    case MemoryLimit::Kind::kFraction:
      return print_value(limit.fraction);
    case MemoryLimit::Kind::kBytes:
      return print_value(limit.bytes);
  }
  return "";
}

}  // namespace skiff
