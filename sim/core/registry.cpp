#include "sim/core/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace skiff {

std::vector<CatalogueEntry>& catalogue_storage() {
  static std::vector<CatalogueEntry> entries;
  return entries;
}

std::vector<CatalogueEntry> catalogue() {
  std::vector<CatalogueEntry> sorted = catalogue_storage();
  std::sort(sorted.begin(), sorted.end(), [](const CatalogueEntry& a, const CatalogueEntry& b) {
    return std::tie(a.role, a.about.family, a.about.name) <
           std::tie(b.role, b.about.family, b.about.name);
  });
  return sorted;
}

namespace {
std::string listed(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& w : words) text += (text.empty() ? "" : ", ") + w;
  return text;
}
}  // namespace

std::string unknown_name_message(const std::string& name, const std::string& role,
                                 const std::vector<std::string>& allowed) {
  const std::string near = nearest_word(name, allowed);
  return fmt::format("\"{}\" unknown; {}skiff list algorithms --role {}; allowed: {}", name,
                     near.empty() ? "" : fmt::format("did you mean \"{}\"? ", near), role,
                     listed(allowed));
}

std::string unknown_key_message(const std::string& key, const std::vector<std::string>& allowed) {
  const std::string near = nearest_word(key, allowed);
  return fmt::format("unknown key; {}allowed: {}",
                     near.empty() ? "" : fmt::format("did you mean \"{}\"? ", near),
                     listed(allowed));
}

}  // namespace skiff
