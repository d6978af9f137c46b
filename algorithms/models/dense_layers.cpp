#include "algorithms/models/dense_layers.h"

#include <algorithm>
#include <utility>

namespace skiff {
namespace {

using kernels::MatrixView;
using kernels::Rows;

std::size_t count(int n) { return static_cast<std::size_t>(n); }

template <class T>
Bytes taken(std::size_t n) {
  return Bytes(static_cast<std::int64_t>(Workspace::footprint(n * sizeof(T))));
}

int width(const Layout& shapes, std::size_t tensor) { return shapes.slices[tensor].rows; }

}  // namespace

Rows rows_of(kernels::ConstMatrixView m, Workspace& workspace) {
  const std::span<const float*> row = workspace.take<const float*>(count(m.rows));
  for (int i = 0; i < m.rows; ++i) row[i] = m[i];
  return {row.data(), m.rows, m.cols};
}

MatrixView take_matrix(int rows, int cols, Workspace& workspace) {
  return kernels::dense(workspace.take<float>(count(rows) * count(cols)).data(), rows, cols);
}

Bytes rows_bytes(int rows) { return taken<const float*>(count(rows)); }
Bytes matrix_bytes(int rows, int cols) { return taken<float>(count(rows) * count(cols)); }

DenseLayers::Trace DenseLayers::forward(Weights& weights, const Rows& x,
                                        Workspace& workspace) const {
  const std::size_t depth = layers_.size();
  const Trace trace{workspace.take<Rows>(depth), workspace.take<MatrixView>(depth)};
  for (std::size_t l = 0; l < depth; ++l) {
    const bool last = l + 1 == depth;
    trace.inputs[l] = l == 0 ? x : rows_of(trace.outputs[l - 1], workspace);
    trace.outputs[l] = take_matrix(x.rows, width(weights.shapes(), layers_[l].weight), workspace);
    weights.forward(layers_[l].weight, layers_[l].bias,
                    last ? Activation::kNone : Activation::kRelu, trace.inputs[l],
                    trace.outputs[l]);
  }
  return trace;
}

int DenseLayers::widest_hidden(const Layout& shapes) const {
  int widest = 0;
  for (std::size_t l = 0; l + 1 < layers_.size(); ++l) {
    widest = std::max(widest, width(shapes, layers_[l].weight));
  }
  return widest;
}

void DenseLayers::predict(Weights& weights, const Rows& x, MatrixView logits,
                          Workspace& workspace) const {
  const int widest = widest_hidden(weights.shapes());
  MatrixView buffers[2] = {};
  for (std::size_t i = 0; i < std::min<std::size_t>(layers_.size() - 1, 2); ++i) {
    buffers[i] = take_matrix(x.rows, widest, workspace);
  }
  Rows input = x;
  for (std::size_t l = 0; l + 1 < layers_.size(); ++l) {
    const int n = width(weights.shapes(), layers_[l].weight);
    const MatrixView output = kernels::dense(buffers[l % 2].data, x.rows, n);
    weights.forward(layers_[l].weight, layers_[l].bias, Activation::kRelu, input, output);
    input = rows_of(output, workspace);
  }
  weights.forward(layers_.back().weight, layers_.back().bias, Activation::kNone, input, logits);
}

void DenseLayers::backward(Weights& weights, const Trace& trace, Workspace& workspace,
                           MatrixView dx) const {
  const kernels::ConstMatrixView no_mask{nullptr, 0, 0, 0};
  const int batch = trace.inputs.front().rows;
  const int widest = widest_hidden(weights.shapes());
  MatrixView spare[2] = {};
  for (std::size_t i = 0; i < std::min<std::size_t>(layers_.size() - 1, 2); ++i) {
    spare[i] = take_matrix(batch, widest, workspace);
  }
  MatrixView dy = trace.outputs.back();
  for (std::size_t l = layers_.size(); l-- > 0;) {
    const Layer& layer = layers_[l];
    MatrixView below = dx;
    if (l > 0) {
      const MatrixView& active = trace.outputs[l - 1];
      below = kernels::dense(spare[(l - 1) % 2].data, batch, active.cols);
      weights.backward_input(layer.weight, dy, active, below);
    } else if (dx.rows > 0) {
      weights.backward_input(layer.weight, dy, no_mask, dx);
    }
    weights.backward_weight(layer.weight, layer.bias, trace.inputs[l], dy);
    dy = below;
  }
}

void DenseLayers::add_training_cost(const Layout& shapes, int batch, bool input_gradient,
                                    StepCost& cost) const {
  const std::size_t depth = layers_.size();
  cost.activations += taken<Rows>(depth) + taken<MatrixView>(depth);
  const auto deltas = static_cast<std::int64_t>(std::min<std::size_t>(depth - 1, 2));
  cost.activations += matrix_bytes(batch, widest_hidden(shapes)) * deltas;
  for (std::size_t l = 0; l < depth; ++l) {
    const Slice& s = shapes.slices[layers_[l].weight];
    const int products = l > 0 || input_gradient ? 3 : 2;
    cost.flops += Flops(2.0 * products * batch * static_cast<double>(s.size()));
    cost.weight_gradients += Flops(2.0 * batch * static_cast<double>(s.size()));
    cost.rows = std::max<std::int64_t>(cost.rows, batch);
    const auto moved =
        static_cast<std::int64_t>(s.size()) + static_cast<std::int64_t>(batch) * (s.rows + s.cols);
    cost.dram += Bytes(4 * products * moved);
    cost.activations += matrix_bytes(batch, s.rows);
    if (l > 0) cost.activations += rows_bytes(batch);
    if (l > 0 && s.order == Order::kInOut) {  // behind a ReLU
      cost.scratch = std::max(cost.scratch, Bytes(static_cast<std::int64_t>(4 * s.size())));
    }
  }
}

void DenseLayers::add_inference_cost(const Layout& shapes, int batch, StepCost& cost) const {
  const std::size_t depth = layers_.size();
  const auto buffers = static_cast<std::int64_t>(std::min<std::size_t>(depth - 1, 2));
  cost.activations += matrix_bytes(batch, widest_hidden(shapes)) * buffers;
  cost.activations += rows_bytes(batch) * static_cast<std::int64_t>(depth - 1);
  for (const Layer& layer : layers_) {
    const Slice& s = shapes.slices[layer.weight];
    cost.flops += Flops(2.0 * batch * static_cast<double>(s.size()));
    const auto moved =
        static_cast<std::int64_t>(s.size()) + static_cast<std::int64_t>(batch) * (s.rows + s.cols);
    cost.dram += Bytes(4 * moved);
  }
}

}  // namespace skiff
