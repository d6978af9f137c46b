// Squared norms of a matrix's columns.
#pragma once

#include <span>

#include "algorithms/kernels/matrix.h"

namespace skiff::kernels {

// out[j] = sum over rows ascending of m[i][j]^2, in double (where the squares are exact).
// Thread-safe. Cost: one pass over the matrix.
void column_squares(std::span<double> out, ConstMatrixView m) noexcept;

}  // namespace skiff::kernels
