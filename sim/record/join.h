// "a, b, c" from a list of strings.
#pragma once

#include <string>
#include <string_view>

namespace skiff {

template <class Strings>
std::string join(const Strings& strings, std::string_view separator) {
  std::string text;
  bool first = true;
  for (const auto& s : strings) {
    if (!first) text.append(separator);
    text.append(s);
    first = false;
  }
  return text;
}

}  // namespace skiff
