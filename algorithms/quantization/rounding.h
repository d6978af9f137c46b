// Rounding a group of weights to an even grid, nearest, ties to even.
//
// Symmetric: s = max|v| / (2^(b-1) - 1), code = clip(rint(v / s)); 2 bits have 3 levels.
// Asymmetric: lo = min(0, min v), hi = max(0, max v), s = (hi - lo) / (2^b - 1), z = rint(-lo / s),
// code = clip(rint(v / s) + z), so 0 is exact. The scale is rounded as it is stored before it is
// used; where it is then 0 the whole group reads as 0.
#pragma once

#include <cstdint>
#include <span>

#include "algorithms/quantization/affine_values.h"

namespace skiff {

struct EvenGrid {
  float scale = 0, zero = 0;
};

// The grid for the values; throws std::invalid_argument if its scale cannot be stored.
EvenGrid even_grid(std::span<const float> values, const AffineFormat& format);
// The nearest code of a grid.
std::uint8_t even_code(float value, const EvenGrid& grid, const AffineFormat& format);

// All groups of a matrix.
AffineCodes round_to_grids(std::span<const float> values, int rows, int cols,
                           const AffineFormat& format);

// Calls f(group, first, count) for the groups of a matrix: runs of consecutive values.
template <class F>
void for_groups(const GroupSize& group, int rows, int cols, F f) {
  const auto width = static_cast<std::size_t>(cols);
  if (group.count(rows, cols) == 0) return;
  if (group.is_tensor()) return f(std::size_t{0}, std::size_t{0}, width * std::size_t(rows));
  const std::size_t step = group.inputs > 0 ? static_cast<std::size_t>(group.inputs) : width;
  std::size_t g = 0;
  for (std::size_t r = 0; r < static_cast<std::size_t>(rows); ++r) {
    for (std::size_t c = 0; c < width; c += step) {
      f(g++, r * width + c, std::min(step, width - c));
    }
  }
}

}  // namespace skiff
