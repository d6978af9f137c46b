// A fully connected layer by the indices of its tensors, and what its products take.
#pragma once

#include <cstddef>

#include "algorithms/models/architecture.h"

namespace skiff {

struct Linear {
  std::size_t weight = kNoTensor;
  std::size_t bias = kNoTensor;

  bool exists() const { return weight != kNoTensor; }
  int outputs(const Layout& shapes) const { return shapes.slices[weight].rows; }
  int inputs(const Layout& shapes) const { return shapes.slices[weight].cols; }

  void forward(Weights& weights, const kernels::Rows& x, kernels::MatrixView y) const {
    weights.forward(weight, bias, Activation::kNone, x, y);
  }
  // Both gradients, that of the input first (Weights' rule).
  void backward(Weights& weights, const kernels::Rows& x, kernels::ConstMatrixView dy,
                kernels::MatrixView dx) const {
    weights.backward_input(weight, dy, {nullptr, 0, 0, 0}, dx);
    weights.backward_weight(weight, bias, x, dy);
  }
};

// Appends NAME.weight and, if wanted, NAME.bias.
Linear add_linear(Layout& layout, const std::string& name, int outputs, int inputs, bool bias,
                  Order order = Order::kInOut);

// Adds `products` products of `rows` rows: 1 forward, 3 of a training step, 2 without the input's
// gradient.
void add_linear_cost(const Layout& shapes, const Linear& layer, std::int64_t rows, int products,
                     StepCost& cost);

// Row pointers of a matrix, into an array that has room for them.
kernels::Rows rows_of(kernels::ConstMatrixView m, std::span<const float*> pointers);
// The rows [first, first + count) of a matrix.
kernels::MatrixView rows_between(kernels::MatrixView m, int first, int count);
kernels::ConstMatrixView rows_between(kernels::ConstMatrixView m, int first, int count);
// All values of a dense matrix.
std::span<float> values_of(kernels::MatrixView m);
std::span<const float> values_of(kernels::ConstMatrixView m);

// What the workspace gives for n values of a type.
template <class T>
Bytes taken_bytes(std::int64_t n) {
  const auto size = static_cast<std::size_t>(n) * sizeof(T);
  return Bytes(static_cast<std::int64_t>(Workspace::footprint(size)));
}

}  // namespace skiff
