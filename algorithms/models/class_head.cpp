#include "algorithms/models/class_head.h"

#include <algorithm>

#include "algorithms/kernels/exp.h"
#include "algorithms/kernels/softmax.h"
#include "algorithms/models/memory_plan.h"

namespace skiff {

using kernels::ConstMatrixView;
using kernels::MatrixView;

template <class Visitor>
void ClassHead::visit(const Layout& shapes, int rows, bool training, Buffers& b,
                      Visitor visitor) const {
  const auto n = static_cast<std::size_t>(rows);
  if (pooler_.exists()) visitor.matrix(b.pooled, rows, pooler_.outputs(shapes));
  if (pooler_.exists() && training) visitor.matrix(b.d_pooled, rows, pooler_.outputs(shapes));
  visitor.matrix(b.logits, rows, classifier_.outputs(shapes));
  if (kind_ == TaskKind::kBinaryLogistic) visitor.array(b.signs, n);
  visitor.array(b.pointers, n);
}

ClassHead::Buffers ClassHead::take(const Layout& shapes, int rows, bool training,
                                   Workspace& workspace) const {
  Buffers b{};
  visit(shapes, rows, training, b, MemoryTaker{workspace});
  return b;
}

Bytes ClassHead::bytes(const Layout& shapes, int rows, bool training) const {
  Bytes bytes{};
  Buffers none{};
  visit(shapes, rows, training, none, MemoryCounter{bytes});
  return bytes;
}

ClassHead::Buffers ClassHead::Buffers::first(int rows) const {
  Buffers part = *this;
  for (MatrixView* m : {&part.pooled, &part.d_pooled, &part.logits}) {
    m->rows = std::min(m->rows, rows);
  }
  return part;
}

void ClassHead::predict(Weights& weights, ConstMatrixView features, MatrixView logits,
                        const Buffers& b) const {
  kernels::Rows x = rows_of(features, b.pointers);
  if (pooler_.exists()) {
    const MatrixView pooled = rows_between(b.pooled, 0, features.rows);
    pooler_.forward(weights, x, pooled);
    kernels::vtanh(values_of(pooled), values_of(ConstMatrixView(pooled)));
    x = rows_of(pooled, b.pointers);
  }
  classifier_.forward(weights, x, logits);
}

double ClassHead::loss_and_gradient(Weights& weights, ConstMatrixView features,
                                    std::span<const std::int32_t> labels, float share, MatrixView d,
                                    const Buffers& buffers) const {
  const Buffers b = buffers.first(features.rows);
  predict(weights, features, b.logits, b);
  const std::span<float> z = values_of(b.logits);
  double loss = 0;
  if (kind_ == TaskKind::kBinaryLogistic) {
    const std::span<float> signs = b.signs.first(z.size());
    std::copy(labels.begin(), labels.end(), signs.begin());
    loss = kernels::binary_logistic(z, z, signs, share);
  } else {
    loss = kernels::softmax_cross_entropy(b.logits, b.logits, labels, share);
  }
  if (!pooler_.exists()) {
    classifier_.backward(weights, rows_of(features, b.pointers), b.logits, d);
    return loss;
  }
  classifier_.backward(weights, rows_of(b.pooled, b.pointers), b.logits, b.d_pooled);
  const std::span<float> slope = values_of(b.d_pooled), t = values_of(b.pooled);
  for (std::size_t i = 0; i < slope.size(); ++i) slope[i] *= 1.0F - t[i] * t[i];
  pooler_.backward(weights, rows_of(features, b.pointers), b.d_pooled, d);
  return loss;
}

void ClassHead::evaluate(Weights& weights, ConstMatrixView features,
                         std::span<const std::int32_t> labels, const Buffers& buffers,
                         Evaluation& sum) const {
  const Buffers b = buffers.first(features.rows);
  predict(weights, features, b.logits, b);
  sum.rows += features.rows;
  if (kind_ == TaskKind::kClassification) {
    sum.correct += kernels::count_correct(b.logits, labels);
    sum.loss += kernels::cross_entropy(b.logits, labels);
    return;
  }
  const std::span<const float> z = values_of(ConstMatrixView(b.logits));
  const std::span<float> signs = b.signs.first(z.size());
  std::copy(labels.begin(), labels.end(), signs.begin());
  for (std::size_t i = 0; i < z.size(); ++i) sum.correct += z[i] * signs[i] > 0 ? 1 : 0;
  sum.loss += kernels::binary_logistic(z, signs);
}

void ClassHead::add_cost(const Layout& shapes, std::int64_t rows, int products,
                         StepCost& cost) const {
  if (pooler_.exists()) add_linear_cost(shapes, pooler_, rows, products, cost);
  add_linear_cost(shapes, classifier_, rows, products, cost);
}

}  // namespace skiff
