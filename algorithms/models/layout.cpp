#include "algorithms/models/layout.h"

#include <algorithm>

namespace skiff {

std::size_t Layout::add(std::string name, int rows, int cols, Order order) {
  slices.push_back({std::move(name), rows, cols, size, order});
  size += slices.back().size();
  return slices.size() - 1;
}

const Slice* Layout::find(std::string_view name) const {
  const auto it =
      std::find_if(slices.begin(), slices.end(), [&](const Slice& s) { return s.name == name; });
  return it == slices.end() ? nullptr : &*it;
}

LayoutPtr flat_layout(std::size_t n) {
  auto layout = std::make_shared<Layout>();
  layout->add("flat", static_cast<int>(n), 1);
  return layout;
}

}  // namespace skiff
