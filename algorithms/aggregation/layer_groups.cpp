#include "algorithms/aggregation/layer_groups.h"

#include <algorithm>

#include "algorithms/layer_targets.h"
#include "sim/core/error.h"

namespace skiff {

std::vector<LayerGroup> layer_groups(const Layout& layout) {
  std::vector<LayerGroup> groups;
  for (std::size_t t = 0; t < layout.slices.size(); ++t) {
    const std::string name = layer_of(layout.slices[t]);
    if (groups.empty() || groups.back().name != name) groups.push_back({name, {}, 0});
    groups.back().slices.push_back(t);
    groups.back().size += layout.slices[t].size();
  }
  return groups;
}

std::vector<std::uint8_t> given_layers(std::size_t layers, std::size_t each, ClientId client,
                                       std::int64_t clients) {
  SKIFF_CHECK(layers > 0 && clients > 0, "no layers, or nobody to give them to");
  std::vector<std::uint8_t> given(layers, 0);
  given.back() = 1;
  const std::size_t ring = layers - 1;
  if (ring == 0) return given;
  const std::size_t first = ring * client / static_cast<std::size_t>(clients);
  for (std::size_t j = 0; j < std::min(each, ring); ++j) given[(first + j) % ring] = 1;
  return given;
}

std::size_t size_of(const std::vector<LayerGroup>& groups, const std::vector<std::uint8_t>& given) {
  std::size_t n = 0;
  for (std::size_t l = 0; l < groups.size(); ++l) n += given[l] != 0 ? groups[l].size : 0;
  return n;
}

Vector gathered(const Vector& all, const std::vector<LayerGroup>& groups,
                const std::vector<std::uint8_t>& given) {
  Vector part;
  for (std::size_t l = 0; l < groups.size(); ++l) {
    if (given[l] == 0) continue;
    for (const std::size_t t : groups[l].slices) {
      const Slice& s = all.layout->slices[t];
      const auto begin = all.values.begin() + static_cast<std::ptrdiff_t>(s.offset);
      part.values.insert(part.values.end(), begin, begin + static_cast<std::ptrdiff_t>(s.size()));
    }
  }
  part.layout = flat_layout(part.values.size());
  return part;
}

void scattered(const Vector& part, const std::vector<LayerGroup>& groups,
               const std::vector<std::uint8_t>& given, Vector& all) {
  auto from = part.values.begin();
  for (std::size_t l = 0; l < groups.size(); ++l) {
    if (given[l] == 0) continue;
    for (const std::size_t t : groups[l].slices) {
      const Slice& s = all.layout->slices[t];
      std::copy_n(from, s.size(), all.values.begin() + static_cast<std::ptrdiff_t>(s.offset));
      from += static_cast<std::ptrdiff_t>(s.size());
    }
  }
}

}  // namespace skiff
