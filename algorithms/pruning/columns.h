// Thanos in its structured form: whole columns of one layer go at once, and some rows keep them.
// Ilin and Richtarik 2025 (arXiv:2504.05346), section on structured pruning and outlier rows.
//
//   rows:     the floor(alpha c) of the largest w H w^T (what they put out) stay whole
//   columns:  v_j = |W_.j|^2 |x_j|^2 over the other rows; the s = ceil(p b / (1 - alpha)) lowest go
//   update:   W -= W_q (H^-1_qq)^-1 H^-1_q.,  then W_q = 0: one solve for all rows
//
// The sparsity is (1 - alpha) s / b >= p; needs p <= 1 - alpha. The permutations of the paper only
// bring q to the front; index sets do without them.
#pragma once

#include <vector>

#include "algorithms/pruning/inverse_factor.h"
#include "algorithms/pruning/layers.h"

namespace skiff::pruning {

struct ColumnChoice {
  std::vector<int> gone;            // columns, ascending
  std::vector<std::uint8_t> whole;  // by row: 1 = keeps them
};

std::int64_t outlier_rows(std::int64_t rows, double alpha);
std::int64_t columns_removed(std::int64_t cols, double sparsity, double alpha);

ColumnChoice choose_columns(const Layer& layer, double sparsity, double alpha);
// v_j of the rows that are not whole.
std::vector<double> column_losses(const Layer& layer, const std::vector<std::uint8_t>& whole);

Mask mask_of(const ColumnChoice& choice, int rows, int cols);
// Moves what stays; the columns become 0 in all rows but the whole ones.
void remove_columns(Layer& layer, const InverseFactor& factor, const ColumnChoice& choice);

}  // namespace skiff::pruning
