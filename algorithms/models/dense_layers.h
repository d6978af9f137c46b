// A chain of fully connected layers: y = relu(x W^T + b) but for the last, which gives logits.
//
// Networks are such a chain (mlp, logistic regression) or end in one (cnn). Every product goes
// through the Weights seam; activations and deltas live in the Workspace, batch x width, row-major.
// The input gradient of the first layer is taken only where the caller wants it. Thread-safe.
#pragma once

#include <cstddef>
#include <vector>

#include "algorithms/models/architecture.h"

namespace skiff {

class DenseLayers {
 public:
  struct Layer {
    std::size_t weight;
    std::size_t bias = kNoTensor;
  };
  // What backward needs of a forward pass: the input of every layer.
  struct Trace {
    std::span<kernels::Rows> inputs;
    std::span<kernels::MatrixView> outputs;  // the last one: logits
  };

  void add(std::size_t weight, std::size_t bias) { layers_.push_back({weight, bias}); }

  Trace forward(Weights& weights, const kernels::Rows& x, Workspace& workspace) const;
  // Of the logits alone: two buffers for all layers.
  void predict(Weights& weights, const kernels::Rows& x, kernels::MatrixView logits,
               Workspace& workspace) const;
  // From d(loss)/d(logits) in trace.outputs.back() to all gradients; also that of the input, into
  // `dx`, if it has rows.
  void backward(Weights& weights, const Trace& trace, Workspace& workspace,
                kernels::MatrixView dx = {nullptr, 0, 0, 0}) const;

  // Adds these layers' share; `input_gradient`: backward is called with dx.
  void add_training_cost(const Layout& shapes, int batch, bool input_gradient,
                         StepCost& cost) const;
  void add_inference_cost(const Layout& shapes, int batch, StepCost& cost) const;

 private:
  int widest_hidden(const Layout& shapes) const;
  std::vector<Layer> layers_;
};

// Row pointers of a matrix, in the workspace.
kernels::Rows rows_of(kernels::ConstMatrixView m, Workspace& workspace);
kernels::MatrixView take_matrix(int rows, int cols, Workspace& workspace);
// What these two take of it.
Bytes rows_bytes(int rows);
Bytes matrix_bytes(int rows, int cols);

}  // namespace skiff
