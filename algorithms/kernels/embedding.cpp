#include "algorithms/kernels/embedding.h"

#include <algorithm>

namespace skiff::kernels {

void gather_rows(MatrixView out, ConstMatrixView table,
                 std::span<const std::int32_t> ids) noexcept {
  for (int i = 0; i < out.rows; ++i) {
    const float* row = table[std::max(0, ids[static_cast<std::size_t>(i)])];
    std::copy_n(row, out.cols, out[i]);
  }
}

void scatter_add_rows(MatrixView table, std::span<const std::int32_t> ids,
                      ConstMatrixView rows) noexcept {
  for (int i = 0; i < rows.rows; ++i) {
    float* to = table[std::max(0, ids[static_cast<std::size_t>(i)])];
    const float* from = rows[i];
    for (int j = 0; j < rows.cols; ++j) to[j] += from[j];
  }
}

}  // namespace skiff::kernels
