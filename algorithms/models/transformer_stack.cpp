#include "algorithms/models/transformer_stack.h"

#include <algorithm>

#include "algorithms/models/dense_layers.h"

namespace skiff {

using kernels::MatrixView;
using Trace = TransformerBlock::Trace;

namespace {

MatrixView first_rows(MatrixView m, int rows) {
  return {m.data, std::min(rows, m.rows), m.cols, m.stride};
}

Trace first_rows(const Trace& t, int rows) {
  Trace part = t;
  for (MatrixView* m : {&part.x, &part.a, &part.q, &part.k, &part.v, &part.o, &part.s, &part.m,
                        &part.gate, &part.up, &part.h, &part.t, &part.y}) {
    *m = first_rows(*m, rows);
  }
  return part;
}

}  // namespace

TransformerStack::Buffers TransformerStack::Buffers::narrowed(int rows,
                                                              Workspace& workspace) const {
  Buffers part = *this;
  part.traces = workspace.take<Trace>(traces.size());
  for (std::size_t l = 0; l < traces.size(); ++l) part.traces[l] = first_rows(traces[l], rows);
  for (MatrixView* m : {&part.scratch.wide, &part.scratch.first, &part.scratch.second,
                        &part.scratch.dq, &part.scratch.dk, &part.scratch.dv, &part.d}) {
    *m = first_rows(*m, rows);
  }
  return part;
}

TransformerBlock::Inner TransformerStack::widest(const Layout& shapes) const {
  TransformerBlock::Inner widest;
  for (const TransformerBlock& block : blocks_) {
    const TransformerBlock::Inner own = block.inner(shapes);
    widest = {std::max(widest.q, own.q), std::max(widest.kv, own.kv),
              std::max(widest.hidden, own.hidden)};
  }
  return widest;
}

TransformerStack::Buffers TransformerStack::take(const Layout& shapes, int rows, int length,
                                                 bool training, Workspace& workspace) const {
  Buffers b{workspace.take<Trace>(blocks_.size()), {}, {}};
  std::fill(b.traces.begin(), b.traces.end(), Trace{});
  const int width = blocks_.front().width(shapes);
  const TransformerBlock::Inner room = widest(shapes);
  MatrixView x = take_matrix(rows, width, workspace);
  Trace shared{};
  for (std::size_t l = 0; l < blocks_.size(); ++l) {
    Trace& t = b.traces[l];
    if (training && !checkpointing_) {
      blocks_[l].take_trace(shapes, blocks_[l].inner(shapes), rows, training, t, workspace);
    } else {
      if (l == 0) blocks_[l].take_trace(shapes, room, rows, training, shared, workspace);
      t = blocks_[l].fitted(shapes, shared);
    }
    t.x = x;
    if (training) x = take_matrix(rows, width, workspace);
    t.y = x;
  }
  b.scratch = blocks_.front().take_scratch(shapes, room, rows, length, training, workspace);
  if (training) b.d = take_matrix(rows, width, workspace);
  return b;
}

void TransformerStack::forward(Weights& weights, const Buffers& buffers, const Sequences& sequences,
                               const RopeTable& rope) const {
  for (std::size_t l = 0; l < blocks_.size(); ++l) {
    blocks_[l].forward(weights, buffers.traces[l], sequences, rope, buffers.scratch);
  }
}

void TransformerStack::backward(Weights& weights, const Buffers& buffers,
                                const Sequences& sequences, const RopeTable& rope) const {
  for (std::size_t l = blocks_.size(); l-- > 0;) {
    const Trace& trace = buffers.traces[l];
    if (checkpointing_ && l + 1 < blocks_.size()) {
      blocks_[l].forward(weights, trace, sequences, rope, buffers.scratch, false);
    }
    blocks_[l].backward(weights, trace, sequences, rope, buffers.scratch, buffers.d);
  }
}

void TransformerStack::add_training_cost(const Layout& shapes, int batch, int length,
                                         StepCost& cost) const {
  const auto depth = static_cast<std::int64_t>(blocks_.size());
  const int at_once = group(batch, length), rows = at_once * length;
  const int width = blocks_.front().width(shapes);
  cost.activations += taken_bytes<Trace>(depth) * (batch % at_once == 0 ? 1 : 2);
  cost.activations += matrix_bytes(rows, width) * (depth + 2);
  const TransformerBlock::Inner room = widest(shapes);
  cost.activations += blocks_.front().scratch_bytes(shapes, room, rows, length, true);
  for (std::size_t l = 0; l < blocks_.size(); ++l) {
    const TransformerBlock& block = blocks_[l];
    if (l == 0 || !checkpointing_) {
      const TransformerBlock::Inner own = checkpointing_ ? room : block.inner(shapes);
      cost.activations += block.trace_bytes(shapes, own, rows, true);
    }
    const Sequences all{batch, length};
    block.add_forward_cost(shapes, all, true, cost);
    block.add_backward_cost(shapes, all, cost);
    if (checkpointing_ && l + 1 < blocks_.size()) block.add_forward_cost(shapes, all, false, cost);
  }
}

void TransformerStack::add_inference_cost(const Layout& shapes, int batch, int length,
                                          StepCost& cost) const {
  const int at_once = group(batch, length), rows = at_once * length;
  cost.activations += taken_bytes<Trace>(static_cast<std::int64_t>(blocks_.size())) *
                      (batch % at_once == 0 ? 1 : 2);
  cost.activations += matrix_bytes(rows, blocks_.front().width(shapes));
  const TransformerBlock::Inner room = widest(shapes);
  cost.activations += blocks_.front().trace_bytes(shapes, room, rows, false);
  cost.activations += blocks_.front().scratch_bytes(shapes, room, rows, length, false);
  for (const TransformerBlock& block : blocks_) {
    block.add_forward_cost(shapes, {batch, length}, true, cost);
  }
}

}  // namespace skiff
