#include "algorithms/models/token_head.h"

#include <algorithm>

#include "algorithms/kernels/softmax.h"
#include "algorithms/models/dense_layers.h"

namespace skiff {

using kernels::ConstMatrixView;
using kernels::MatrixView;

namespace {

int chunk_of(int vocabulary) { return std::clamp((1 << 20) / vocabulary, 32, 256); }

MatrixView first_rows(MatrixView m, int rows) { return {m.data, rows, m.cols, m.stride}; }

}  // namespace

TokenHead::Buffers TokenHead::take(const Layout& shapes, bool training,
                                   Workspace& workspace) const {
  const int rows = chunk_of(layer_.outputs(shapes)), width = layer_.inputs(shapes);
  const auto n = static_cast<std::size_t>(rows);
  Buffers b{};
  b.logits = take_matrix(rows, layer_.outputs(shapes), workspace);
  b.asked = take_matrix(rows, width, workspace);
  if (training) b.d_asked = take_matrix(rows, width, workspace);
  b.targets = workspace.take<std::int32_t>(n);
  b.places = workspace.take<int>(n);
  b.pointers = workspace.take<const float*>(n);
  return b;
}

Bytes TokenHead::bytes(const Layout& shapes, bool training) const {
  const int rows = chunk_of(layer_.outputs(shapes)), width = layer_.inputs(shapes);
  return matrix_bytes(rows, layer_.outputs(shapes)) +
         matrix_bytes(rows, width) * (training ? 2 : 1) + taken_bytes<std::int32_t>(rows) +
         taken_bytes<int>(rows) + rows_bytes(rows);
}

void TokenHead::add_cost(const Layout& shapes, std::int64_t rows, int products,
                         StepCost& cost) const {
  add_linear_cost(shapes, layer_, rows, products, cost);
  const int outputs = layer_.outputs(shapes);
  cost.logits += matrix_bytes(chunk_of(outputs), outputs);
}

int TokenHead::gather(ConstMatrixView hidden, std::span<const std::int32_t> targets, int& first,
                      const Buffers& b) const {
  int taken = 0;
  for (; first < hidden.rows && taken < b.asked.rows; ++first) {
    const std::int32_t target = targets[static_cast<std::size_t>(first)];
    if (target == kNoToken) continue;
    std::copy_n(hidden[first], hidden.cols, b.asked[taken]);
    b.targets[static_cast<std::size_t>(taken)] = target;
    b.places[static_cast<std::size_t>(taken)] = first;
    ++taken;
  }
  return taken;
}

double TokenHead::loss_and_gradient(Weights& weights, ConstMatrixView hidden,
                                    std::span<const std::int32_t> targets, float share,
                                    MatrixView d, const Buffers& b) const {
  double loss = 0;
  for (int i = 0; i < d.rows; ++i) std::fill_n(d[i], d.cols, 0.0F);
  for (int first = 0; first < hidden.rows;) {
    const int taken = gather(hidden, targets, first, b);
    if (taken == 0) break;
    const MatrixView logits = first_rows(b.logits, taken), dx = first_rows(b.d_asked, taken);
    const kernels::Rows x = rows_of(first_rows(b.asked, taken), b.pointers);
    layer_.forward(weights, x, logits);
    loss += kernels::softmax_cross_entropy(logits, logits,
                                           b.targets.first(static_cast<std::size_t>(taken)), share);
    layer_.backward(weights, x, logits, dx);
    for (int i = 0; i < taken; ++i) {
      std::copy_n(dx[i], dx.cols, d[b.places[static_cast<std::size_t>(i)]]);
    }
  }
  return loss;
}

void TokenHead::evaluate(Weights& weights, ConstMatrixView hidden,
                         std::span<const std::int32_t> targets, const Buffers& b,
                         Evaluation& sum) const {
  for (int first = 0; first < hidden.rows;) {
    const int taken = gather(hidden, targets, first, b);
    if (taken == 0) break;
    const MatrixView logits = first_rows(b.logits, taken);
    const auto labels = b.targets.first(static_cast<std::size_t>(taken));
    layer_.forward(weights, rows_of(first_rows(b.asked, taken), b.pointers), logits);
    sum.rows += taken;
    sum.correct += kernels::count_correct(logits, labels);
    sum.loss += kernels::cross_entropy(logits, labels);
  }
}

void TokenHead::predict(Weights& weights, ConstMatrixView hidden, MatrixView logits,
                        const Buffers& b) const {
  for (int first = 0; first < hidden.rows; first += b.asked.rows) {
    const int count = std::min(b.asked.rows, hidden.rows - first);
    layer_.forward(weights, rows_of(rows_between(hidden, first, count), b.pointers),
                   rows_between(logits, first, count));
  }
}

}  // namespace skiff
