#include "algorithms/models/cifg_lstm.h"

#include <algorithm>
#include <stdexcept>

#include "algorithms/kernels/cifg.h"
#include "algorithms/kernels/embedding.h"
#include "algorithms/kernels/reduce.h"
#include "algorithms/models/dense_network.h"
#include "algorithms/models/llama.h"
#include "algorithms/models/losses.h"
#include "algorithms/models/memory_plan.h"

namespace skiff {

using kernels::ConstMatrixView;
using kernels::MatrixView;

namespace {

constexpr int kSequencesAtOnce = 32;

std::span<float> row_of(MatrixView m, int i) { return {m[i], static_cast<std::size_t>(m.cols)}; }

}  // namespace

std::string CifgLstm::summary() const { return summary_of("cifg-lstm", *layout_); }

CifgLstm::CifgLstm(const TaskShape& task, const CifgShape& shape, double l2)
    : task_(task), l2_(l2) {
  if (task.kind != TaskKind::kNextToken || !task.is_text() || task.sequence_length < 1) {
    throw std::invalid_argument(
        "cifg-lstm predicts the next token of a text; this task is another");
  }
  Layout layout;
  embedding_ = layout.add("embedding.weight", task.vocabulary, shape.width);
  const int gates = 3 * shape.cells;
  input_.weight = layout.add("lstm.weight_ih_l0", gates, shape.width, Order::kInOut);
  recurrent_.weight = layout.add("lstm.weight_hh_l0", gates, shape.width, Order::kInOut);
  input_.bias = layout.add("lstm.bias_ih_l0", gates, 1);
  projection_.weight = layout.add("lstm.weight_hr_l0", shape.width, shape.cells, Order::kInOut);
  head_ = TokenHead(Linear{embedding_});
  layout_ = std::make_shared<const Layout>(std::move(layout));
}

void CifgLstm::initialise(Vector& weights, Stream stream) const {
  initialise_transformer(weights, stream, 1, {});
  const Slice& bias = layout_->slices[input_.bias];
  const auto begin = weights.values.begin() + static_cast<std::ptrdiff_t>(bias.offset);
  std::fill_n(begin, bias.rows, 0.0F);
  std::fill_n(begin, bias.rows / 3, 1.0F);
}

template <class Visitor>
void CifgLstm::visit(const Layout& shapes, int batch, bool training, Buffers& b,
                     Visitor visitor) const {
  const int count = std::min(batch, kSequencesAtOnce), length = task_.sequence_length;
  const int rows = count * length, width = input_.inputs(shapes);
  const int cells = projection_.inputs(shapes);
  visitor.array(b.ids, static_cast<std::size_t>(rows));
  visitor.array(b.targets, static_cast<std::size_t>(rows));
  visitor.matrix(b.x, rows, width);
  visitor.matrix(b.gates, rows, 3 * cells);
  visitor.matrix(b.p, rows + count, width);
  visitor.matrix(b.c, rows + count, cells);
  visitor.matrix(b.t, rows, cells);
  visitor.matrix(b.h, rows, cells);
  visitor.matrix(b.recurrent, count, 3 * cells);
  visitor.array(b.pointers, static_cast<std::size_t>(rows));
  if (!training) return;
  visitor.matrix(b.d, rows, width);
  visitor.matrix(b.dh, count, cells);
  visitor.matrix(b.dc, count, cells);
}

CifgLstm::Buffers CifgLstm::take(const Layout& shapes, int batch, bool training,
                                 Workspace& workspace) const {
  Buffers b{};
  visit(shapes, batch, training, b, MemoryTaker{workspace});
  b.head = head_.take(shapes, training, workspace);
  return b;
}

CifgLstm::Buffers CifgLstm::narrowed(const Buffers& b, int count, int length) {
  Buffers part = b;
  const int rows = count * length;
  for (MatrixView* m : {&part.x, &part.gates, &part.t, &part.h, &part.d}) {
    m->rows = std::min(m->rows, rows);
  }
  for (MatrixView* m : {&part.p, &part.c}) m->rows = rows + count;
  for (MatrixView* m : {&part.recurrent, &part.dh, &part.dc}) m->rows = std::min(m->rows, count);
  part.ids = b.ids.first(static_cast<std::size_t>(rows));
  part.targets = b.targets.first(static_cast<std::size_t>(rows));
  return part;
}

void CifgLstm::gather(const Batch& batch, int first, int count, const Buffers& b) const {
  for (int i = 0; i < count; ++i) {
    const std::int32_t* text = batch.tokens[static_cast<std::size_t>(first + i)];
    for (int t = 0; t < task_.sequence_length; ++t) {
      b.ids[static_cast<std::size_t>(t * count + i)] = text[t];
      b.targets[static_cast<std::size_t>(t * count + i)] = text[t + 1];
    }
  }
}

template <class Body>
void CifgLstm::groups(Weights& weights, const Batch& batch, const Buffers& b, Body body) const {
  for (int first = 0; first < batch.size(); first += kSequencesAtOnce) {
    const int count = std::min(kSequencesAtOnce, batch.size() - first);
    const Buffers part = narrowed(b, count, task_.sequence_length);
    gather(batch, first, count, part);
    forward(weights, count, part);
    body(part, count, first);
  }
}

void CifgLstm::forward(Weights& weights, int count, const Buffers& b) const {
  const Slice& s = weights.shapes().slices[embedding_];
  kernels::gather_rows(b.x, kernels::dense(weights.values(embedding_).data(), s.rows, s.cols),
                       b.ids);
  input_.forward(weights, rows_of(b.x, b.pointers), b.gates);
  for (const MatrixView m : {b.p, b.c}) {
    const std::span<float> before = values_of(rows_between(m, 0, count));
    std::fill(before.begin(), before.end(), 0.0F);
  }
  for (int t = 0; t < task_.sequence_length; ++t) {
    const int at = t * count;
    recurrent_.forward(weights, rows_of(rows_between(b.p, at, count), b.pointers), b.recurrent);
    const std::span<float> gates = values_of(rows_between(b.gates, at, count));
    kernels::add(gates, gates, values_of(b.recurrent));
    for (int i = 0; i < count; ++i) {
      kernels::cifg(row_of(b.gates, at + i), row_of(b.c, at + i),
                    {row_of(b.c, at + count + i), row_of(b.t, at + i), row_of(b.h, at + i)});
    }
    projection_.forward(weights, rows_of(rows_between(b.h, at, count), b.pointers),
                        rows_between(b.p, at + count, count));
  }
}

// From b.d, by the outputs, through time to all gradients.
void CifgLstm::backward(Weights& weights, int count, const Buffers& b) const {
  const ConstMatrixView no_mask{nullptr, 0, 0, 0};
  std::fill_n(b.dc.data, values_of(b.dc).size(), 0.0F);
  for (int t = task_.sequence_length; t-- > 0;) {
    const int at = t * count;
    weights.backward_input(projection_.weight, rows_between(b.d, at, count), no_mask, b.dh);
    for (int i = 0; i < count; ++i) {
      kernels::cifg_backward(row_of(b.gates, at + i), row_of(b.dc, i), row_of(b.dh, i),
                             row_of(b.gates, at + i), row_of(b.c, at + i), row_of(b.t, at + i));
    }
    if (t == 0) break;
    const MatrixView below{b.recurrent.data, count, b.p.cols, b.p.cols};
    weights.backward_input(recurrent_.weight, rows_between(b.gates, at, count), no_mask, below);
    const std::span<float> d = values_of(rows_between(b.d, at - count, count));
    kernels::add(d, d, values_of(below));
  }
  const int rows = b.x.rows;
  weights.backward_weight(projection_.weight, kNoTensor, rows_of(b.h, b.pointers), b.d);
  weights.backward_weight(recurrent_.weight, kNoTensor,
                          rows_of(rows_between(b.p, 0, rows), b.pointers), b.gates);
  // b.d is used up: it takes the gradient by the embedded tokens.
  weights.backward_input(input_.weight, b.gates, no_mask, b.d);
  weights.backward_weight(input_.weight, input_.bias, rows_of(b.x, b.pointers), b.gates);
  weights.add_row_gradients(embedding_, b.ids, b.d);
}

double CifgLstm::loss_and_gradient(Weights& weights, const Batch& batch,
                                   Workspace& workspace) const {
  const std::int64_t asked = predictions(task_, batch);
  const Buffers all = take(weights.shapes(), batch.size(), true, workspace);
  double loss = 0;
  if (asked > 0) {
    const float share = 1.0F / static_cast<float>(asked);
    groups(weights, batch, all, [&](const Buffers& b, int count, int) {
      loss += head_.loss_and_gradient(weights, outputs(b, count), b.targets, share, b.d, b.head);
      backward(weights, count, b);
    });
    loss /= static_cast<double>(asked);
  }
  return l2_ == 0 ? loss : loss + add_l2(weights, l2_);
}

Evaluation CifgLstm::evaluate(Weights& weights, const Batch& batch, Workspace& workspace) const {
  const Buffers all = take(weights.shapes(), batch.size(), false, workspace);
  Evaluation sum;
  groups(weights, batch, all, [&](const Buffers& b, int count, int) {
    head_.evaluate(weights, outputs(b, count), b.targets, b.head, sum);
  });
  return sum;
}

void CifgLstm::predict(Weights& weights, const Batch& batch, std::span<float> logits,
                       Workspace& workspace) const {
  const Buffers all = take(weights.shapes(), batch.size(), false, workspace);
  const int length = task_.sequence_length, outputs_each = task_.vocabulary;
  groups(weights, batch, all, [&](const Buffers& b, int count, int first) {
    for (int i = 0; i < count; ++i) {  // one sequence: every count-th row
      const MatrixView p = outputs(b, count);
      const ConstMatrixView rows{p[i], length, p.cols, count * p.stride};
      float* to = logits.data() + std::ptrdiff_t{first + i} * length * outputs_each;
      head_.predict(weights, rows, kernels::dense(to, length, outputs_each), b.head);
    }
  });
}

StepCost CifgLstm::cost(const Layout& shapes, int batch, bool training) const {
  StepCost cost;
  Buffers none{};
  visit(shapes, batch, training, none, MemoryCounter{cost.activations});
  cost.activations += head_.bytes(shapes, training);
  const std::int64_t rows = std::int64_t{batch} * task_.sequence_length;
  const int products = training ? 3 : 1;
  for (const Linear& layer : {input_, recurrent_, projection_}) {
    add_linear_cost(shapes, layer, rows, products, cost);
  }
  // The gradient by what was before the first step is not asked.
  if (training) {
    cost.flops +=
        Flops(-2.0 * batch * static_cast<double>(shapes.slices[recurrent_.weight].size()));
  }
  head_.add_cost(shapes, rows, products, cost);
  return cost;
}

}  // namespace skiff
