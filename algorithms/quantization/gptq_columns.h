// Rounding the columns of a layer one after another while the columns that are left make up for it:
// the core of GPTQ.
//
// Frantar et al. 2022 (arXiv:2210.17323), section 3. H = sum x x^T over the layer's inputs, damped
// by a share of the mean of its diagonal; H^-1 = U^T U with U upper triangular. For each row w, for
// i = 0, 1, ...: q_i = round(w_i), e = (w_i - q_i) / U_ii, w_j -= e U_ij for all j > i. (The
// paper's blocks of 128 columns change the order of memory accesses, not the result.) An input that
// is always 0 takes no part: its weights become 0. Cost: (2/3) cols^3 + rows cols^2 operations, in
// double.
#pragma once

#include <span>
#include <vector>

#include "algorithms/quantization/rounding.h"

namespace skiff {

// U, row-major cols x cols, with zeros below the diagonal. gram: cols x cols. Throws
// std::invalid_argument if no damping makes it positive definite.
std::vector<double> inverse_factor(std::span<const double> gram, int cols, double damping);

struct ColumnRounding {
  AffineFormat format;
  // Where the values of a row stand in the matrix (a mask leaves some out), ascending; empty: all.
  std::vector<std::vector<int>> kept;
  bool fixed_grids = false;  // from the weights as they were, not as they have become
};

// Codes of the matrix (row-major rows x cols, or its kept values one after another).
AffineCodes round_columns(std::span<const float> values, int rows, int cols,
                          std::span<const double> factor, const ColumnRounding& how);

}  // namespace skiff
