#include "algorithms/quantization/rounding.h"

#include <algorithm>
#include <cmath>

#include "algorithms/kernels/reduce.h"

namespace skiff {

EvenGrid even_grid(std::span<const float> values, const AffineFormat& format) {
  if (!format.zeros) {
    const auto middle = static_cast<float>(format.middle());
    return {stored_scale(kernels::max_abs(values) / middle, format.scales), middle};
  }
  float low = 0, high = 0;
  for (const float v : values) {
    low = std::min(low, v);
    high = std::max(high, v);
  }
  const auto most = static_cast<float>(format.most());
  EvenGrid grid{stored_scale((high - low) / most, format.scales), 0};
  if (grid.scale > 0) grid.zero = std::clamp(std::nearbyint(-low / grid.scale), 0.0F, most);
  return grid;
}

std::uint8_t even_code(float value, const EvenGrid& grid, const AffineFormat& format) {
  if (grid.scale == 0) return static_cast<std::uint8_t>(grid.zero);
  const auto most = static_cast<float>(format.zeros ? format.most() : 2 * format.middle());
  const float code = std::nearbyint(value / grid.scale) + grid.zero;
  return static_cast<std::uint8_t>(std::clamp(code, 0.0F, most));
}

AffineCodes round_to_grids(std::span<const float> values, int rows, int cols,
                           const AffineFormat& format) {
  AffineCodes out;
  out.codes.resize(values.size());
  out.scales.resize(format.group.count(rows, cols));
  if (format.zeros) out.zeros.resize(out.scales.size());
  for_groups(format.group, rows, cols, [&](std::size_t g, std::size_t first, std::size_t count) {
    const EvenGrid grid = even_grid(values.subspan(first, count), format);
    out.scales[g] = grid.scale;
    if (format.zeros) out.zeros[g] = grid.zero;
    for (std::size_t i = first; i < first + count; ++i) {
      out.codes[i] = even_code(values[i], grid, format);
    }
  });
  return out;
}

}  // namespace skiff
