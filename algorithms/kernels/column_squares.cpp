#include "algorithms/kernels/column_squares.h"

#include <algorithm>

namespace skiff::kernels {

void column_squares(std::span<double> out, ConstMatrixView m) noexcept {
  std::fill(out.begin(), out.end(), 0.0);
  for (int i = 0; i < m.rows; ++i) {
    const float* row = m[i];
    for (std::size_t j = 0; j < out.size(); ++j) out[j] += double{row[j]} * double{row[j]};
  }
}

}  // namespace skiff::kernels
