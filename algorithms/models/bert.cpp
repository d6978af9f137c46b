#include "algorithms/models/bert.h"

#include "algorithms/kernels/embedding.h"
#include "algorithms/kernels/gelu.h"
#include "algorithms/kernels/reduce.h"
#include "algorithms/models/memory_plan.h"

namespace skiff {

using kernels::ConstMatrixView;
using kernels::MatrixView;
using kernels::Output;
using StackBuffers = TransformerStack::Buffers;

template <class Visitor>
void Bert::visit(const Layout& shapes, int batch, bool training, Buffers& b,
                 Visitor visitor) const {
  const int count = TransformerStack::group(batch, task_.sequence_length);
  const int rows = count * task_.sequence_length, d = shapes.slices[words_].cols;
  const auto n = static_cast<std::size_t>(rows);
  visitor.array(b.ids, n);
  visitor.array(b.places, n);
  visitor.array(b.keys, static_cast<std::size_t>(count));
  visitor.matrix(b.sum, rows, d);
  visitor.array(b.statistics, norm_.statistics(rows));
  if (masked()) {
    visitor.array(b.targets, n);
    visitor.matrix(b.inner, rows, d);
    visitor.matrix(b.active, rows, d);
    visitor.matrix(b.hidden, rows, d);
    visitor.array(b.inner_statistics, inner_norm_.statistics(rows));
  } else if (training) {
    visitor.matrix(b.d_first, count, d);
  }
}

Bert::Buffers Bert::take(const Layout& shapes, int batch, bool training,
                         Workspace& workspace) const {
  Buffers b{};
  visit(shapes, batch, training, b, MemoryTaker{workspace});
  const int count = TransformerStack::group(batch, task_.sequence_length);
  if (masked()) {
    b.token = token_.take(shapes, training, workspace);
  } else {
    b.classes = classes_.take(shapes, count, training, workspace);
  }
  return b;
}

Bytes Bert::bytes(const Layout& shapes, int batch, bool training) const {
  Bytes bytes{};
  Buffers none{};
  visit(shapes, batch, training, none, MemoryCounter{bytes});
  const int count = TransformerStack::group(batch, task_.sequence_length);
  return bytes +
         (masked() ? token_.bytes(shapes, training) : classes_.bytes(shapes, count, training));
}

Sequences Bert::gather(const Batch& batch, const Sequences& group, int first,
                       const Buffers& b) const {
  const int length = group.length;
  for (int s = 0; s < group.count; ++s) {
    const std::int32_t* text = batch.tokens[static_cast<std::size_t>(first + s)];
    std::copy_n(text, length, b.ids.data() + s * length);
    if (masked()) std::copy_n(text + length, length, b.targets.data() + s * length);
    int seen = length;
    while (seen > 1 && text[seen - 1] < 0) --seen;
    b.keys[static_cast<std::size_t>(s)] = seen;
    for (int t = 0; t < length; ++t) b.places[static_cast<std::size_t>(s * length + t)] = t;
  }
  return {group.count, length, 0, b.keys.first(static_cast<std::size_t>(group.count))};
}

void Bert::embed(Weights& weights, const StackBuffers& s, int rows, const Buffers& b) const {
  const MatrixView sum = rows_between(b.sum, 0, rows);
  kernels::gather_rows(sum, table(weights, words_), b.ids);
  const ConstMatrixView position = table(weights, positions_), type = table(weights, types_);
  const auto width = static_cast<std::size_t>(sum.cols);
  for (int i = 0; i < rows; ++i) {
    const std::span<float> row(sum[i], width);
    kernels::add(row, row, {position[b.places[static_cast<std::size_t>(i)]], width});
    kernels::add(row, row, {type[0], width});
  }
  norm_.forward(weights, sum, s.input(), b.statistics);
}

void Bert::embed_backward(Weights& weights, const StackBuffers& s, int rows,
                          const Buffers& b) const {
  const auto n = static_cast<std::size_t>(rows);
  norm_.backward(weights, s.d, s.d, rows_between(b.sum, 0, rows), b.statistics, s.scratch.norm,
                 Output::kOverwrite);
  weights.add_row_gradients(words_, b.ids.first(n), s.d);
  weights.add_row_gradients(positions_, b.places.first(n), s.d);
  std::fill_n(b.ids.begin(), n, 0);
  weights.add_row_gradients(types_, b.ids.first(n), s.d);
}

MatrixView Bert::transform(Weights& weights, const StackBuffers& s, int rows,
                           const Buffers& b) const {
  const auto part = [rows](MatrixView m) { return rows_between(m, 0, rows); };
  inner_.forward(weights, rows_of(s.output(), s.scratch.pointers), part(b.inner));
  kernels::gelu(values_of(part(b.active)), values_of(ConstMatrixView(part(b.inner))),
                kernels::Gelu::kErf);
  inner_norm_.forward(weights, part(b.active), part(b.hidden), b.inner_statistics);
  return part(b.hidden);
}

void Bert::transform_backward(Weights& weights, const StackBuffers& s, int rows,
                              const Buffers& b) const {
  const auto part = [rows](MatrixView m) { return rows_between(m, 0, rows); };
  inner_norm_.backward(weights, s.d, s.d, part(b.active), b.inner_statistics, s.scratch.norm,
                       Output::kOverwrite);
  kernels::gelu_backward(values_of(part(b.hidden)), values_of(ConstMatrixView(s.d)),
                         values_of(ConstMatrixView(part(b.inner))), kernels::Gelu::kErf);
  inner_.backward(weights, rows_of(s.output(), s.scratch.pointers), part(b.hidden), s.d);
}

double Bert::loss_and_gradient(Weights& weights, const Batch& batch, Workspace& workspace) const {
  const std::int64_t asked = predictions(task_, batch);
  const float share = 1.0F / static_cast<float>(std::max<std::int64_t>(1, asked));
  const Layout& shapes = weights.shapes();
  const StackPass pass(stack_, shapes, batch.size(), task_.sequence_length, true, workspace);
  const Buffers b = take(shapes, batch.size(), true, workspace);
  double loss = 0;
  pass.groups([&](const StackBuffers& s, const Sequences& group, int first) {
    const int rows = group.rows();
    const Sequences seen = gather(batch, group, first, b);
    embed(weights, s, rows, b);
    stack_.forward(weights, s, seen, {});
    if (masked()) {
      const auto targets = b.targets.first(static_cast<std::size_t>(rows));
      const MatrixView hidden = transform(weights, s, rows, b);
      loss += token_.loss_and_gradient(weights, hidden, targets, share, s.d, b.token);
      transform_backward(weights, s, rows, b);
    } else {
      const auto labels = batch.labels.subspan(static_cast<std::size_t>(first),
                                               static_cast<std::size_t>(group.count));
      const MatrixView d = rows_between(b.d_first, 0, group.count);
      loss += classes_.loss_and_gradient(weights, firsts(s.output(), group), labels, share, d,
                                         b.classes);
      std::fill_n(s.d.data, values_of(s.d).size(), 0.0F);
      for (int i = 0; i < group.count; ++i) std::copy_n(d[i], d.cols, s.d[i * group.length]);
    }
    stack_.backward(weights, s, seen, {});
    embed_backward(weights, s, rows, b);
  });
  loss *= asked > 0 ? 1.0 / static_cast<double>(asked) : 0;
  return l2_ == 0 ? loss : loss + add_l2(weights, l2_);
}

Evaluation Bert::evaluate(Weights& weights, const Batch& batch, Workspace& workspace) const {
  const Layout& shapes = weights.shapes();
  const StackPass pass(stack_, shapes, batch.size(), task_.sequence_length, false, workspace);
  const Buffers b = take(shapes, batch.size(), false, workspace);
  Evaluation sum;
  pass.groups([&](const StackBuffers& s, const Sequences& group, int first) {
    const int rows = group.rows();
    const Sequences seen = gather(batch, group, first, b);
    embed(weights, s, rows, b);
    stack_.forward(weights, s, seen, {});
    if (masked()) {
      const auto targets = b.targets.first(static_cast<std::size_t>(rows));
      token_.evaluate(weights, transform(weights, s, rows, b), targets, b.token, sum);
    } else {
      const auto labels = batch.labels.subspan(static_cast<std::size_t>(first),
                                               static_cast<std::size_t>(group.count));
      classes_.evaluate(weights, firsts(s.output(), group), labels, b.classes, sum);
    }
  });
  return sum;
}

void Bert::predict(Weights& weights, const Batch& batch, std::span<float> logits,
                   Workspace& workspace) const {
  const Layout& shapes = weights.shapes();
  const StackPass pass(stack_, shapes, batch.size(), task_.sequence_length, false, workspace);
  const Buffers b = take(shapes, batch.size(), false, workspace);
  const int outputs = masked() ? task_.vocabulary : outputs_of(task_);
  const int a_sample = masked() ? task_.sequence_length : 1;
  const MatrixView all = kernels::dense(logits.data(), batch.size() * a_sample, outputs);
  pass.groups([&](const StackBuffers& s, const Sequences& group, int first) {
    const Sequences seen = gather(batch, group, first, b);
    embed(weights, s, group.rows(), b);
    stack_.forward(weights, s, seen, {});
    const MatrixView out = rows_between(all, first * a_sample, group.count * a_sample);
    if (masked()) {
      token_.predict(weights, transform(weights, s, group.rows(), b), out, b.token);
    } else {
      classes_.predict(weights, firsts(s.output(), group), out, b.classes);
    }
  });
}

}  // namespace skiff
