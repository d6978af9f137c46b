#include "algorithms/models/weights.h"

#include <vector>

#include "algorithms/kernels/embedding.h"

namespace skiff {

void Weights::add_row_gradients(std::size_t tensor, std::span<const std::int32_t> ids,
                                kernels::ConstMatrixView rows) {
  const Slice& s = shapes().slices[tensor];
  std::vector<float> dense(s.size());
  kernels::scatter_add_rows(kernels::dense(dense.data(), s.rows, s.cols), ids, rows);
  add_gradient(tensor, dense);
}

}  // namespace skiff
