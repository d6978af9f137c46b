// The n points of R^p with the least distortion D(n, p) = E min_i |Z - c_i|^2 / p for a standard
// Gaussian Z: what a rotated group of weights is rounded to.
//
// p = 1: the optimum (Lloyd-Max), unique. p = 2 and 4: the best of our own searches; minima within
// some tenths of a per cent of each other are many. Computed by
// tests/tools/make_gaussian_grids.cpp. Points are sorted lexicographically, so codes are portable.
// Thread-safe; a grid's search table is made when it is first asked for.
#pragma once

#include <cstdint>
#include <span>

#include "algorithms/kernels/point_grid.h"

namespace skiff::kernels {

struct GaussianGridData {
  int dimension, points;
  double distortion;       // D(n, p), of a unit vector a dimension
  std::uint64_t checksum;  // FNV-1a of the bytes
  const char* base64;      // float32, p = 4: fp16; little-endian, point after point
};

// All that there are, by dimension and size.
std::span<const GaussianGridData* const> gaussian_grids();
// Null if there is none.
const GaussianGridData* find_gaussian_grid(int dimension, int points);
// Of one that there is.
const PointGrid& gaussian_grid(const GaussianGridData& data);

}  // namespace skiff::kernels
