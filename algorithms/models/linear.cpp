#include "algorithms/models/linear.h"

#include <algorithm>

namespace skiff {

using kernels::ConstMatrixView;
using kernels::MatrixView;

Linear add_linear(Layout& layout, const std::string& name, int outputs, int inputs, bool bias,
                  Order order) {
  Linear layer;
  layer.weight = layout.add(name + ".weight", outputs, inputs, order);
  if (bias) layer.bias = layout.add(name + ".bias", outputs, 1);
  return layer;
}

void add_linear_cost(const Layout& shapes, const Linear& layer, std::int64_t rows, int products,
                     StepCost& cost) {
  const Slice& s = shapes.slices[layer.weight];
  cost.flops += Flops(2.0 * products * static_cast<double>(rows) * static_cast<double>(s.size()));
  if (products > 1) {
    cost.weight_gradients += Flops(2.0 * static_cast<double>(rows) * static_cast<double>(s.size()));
  }
  cost.rows = std::max(cost.rows, rows);
  const std::int64_t moved = static_cast<std::int64_t>(s.size()) + rows * (s.rows + s.cols);
  cost.dram += Bytes(4 * products * moved);
}

kernels::Rows rows_of(ConstMatrixView m, std::span<const float*> pointers) {
  for (int i = 0; i < m.rows; ++i) pointers[static_cast<std::size_t>(i)] = m[i];
  return {pointers.data(), m.rows, m.cols};
}

MatrixView rows_between(MatrixView m, int first, int count) {
  return {m[first], count, m.cols, m.stride};
}
ConstMatrixView rows_between(ConstMatrixView m, int first, int count) {
  return {m[first], count, m.cols, m.stride};
}

std::span<float> values_of(MatrixView m) {
  return {m.data, static_cast<std::size_t>(m.rows) * static_cast<std::size_t>(m.cols)};
}
std::span<const float> values_of(ConstMatrixView m) {
  return {m.data, static_cast<std::size_t>(m.rows) * static_cast<std::size_t>(m.cols)};
}

}  // namespace skiff
