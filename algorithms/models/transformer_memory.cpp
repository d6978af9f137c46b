// What a block of a transformer takes: its memory, and what it is said to cost.
#include <algorithm>
#include <utility>

#include "algorithms/models/memory_plan.h"
#include "algorithms/models/transformer_block.h"

namespace skiff {

namespace {

struct Widths {
  int token, q, kv, hidden, heads;
  bool gated, norm_first;
};

template <class Visitor>
void visit_trace(const Widths& w, const NormLayer& norm, int rows, bool training, bool cached,
                 TransformerBlock::Trace& t, Visitor visit) {
  if (w.norm_first) visit.matrix(t.a, rows, w.token);
  visit.matrix(t.q, rows, w.q);
  if (!cached) visit.matrix(t.k, rows, w.kv);
  if (!cached) visit.matrix(t.v, rows, w.kv);
  visit.matrix(t.o, rows, w.q);
  visit.matrix(t.s, rows, w.token);
  visit.matrix(t.m, rows, w.token);
  if (w.gated) visit.matrix(t.gate, rows, w.hidden);
  visit.matrix(t.up, rows, w.hidden);
  visit.matrix(t.h, rows, w.hidden);
  if (!w.norm_first) visit.matrix(t.t, rows, w.token);
  visit.array(t.a_statistics, norm.statistics(rows));
  visit.array(t.m_statistics, norm.statistics(rows));
  if (training) visit.array(t.log_sum, static_cast<std::size_t>(rows * w.heads));
}

template <class Visitor>
void visit_scratch(const Widths& w, const kernels::Attention& heads, int rows, int keys,
                   bool training, TransformerBlock::Scratch& s, Visitor visit) {
  visit.array(s.pointers, static_cast<std::size_t>(rows));
  visit.array(s.attention, kernels::attention_scratch(heads, keys));
  if (!training) return;
  visit.matrix(s.wide, rows, w.hidden);
  visit.matrix(s.first, rows, w.token);
  visit.matrix(s.second, rows, std::max(w.token, w.q));
  visit.matrix(s.dq, rows, w.q);
  visit.matrix(s.dk, rows, w.kv);
  visit.matrix(s.dv, rows, w.kv);
  visit.array(s.norm, static_cast<std::size_t>(2 * w.token));
}

Widths widths_of(const TransformerBlock::Layers& l, const TransformerBlock::Shape& shape,
                 const TransformerBlock::Inner& room, const Layout& shapes) {
  return {l.q.inputs(shapes),      room.q,          room.kv,         room.hidden,
          room.q / shape.head_dim, l.gate.exists(), shape.norm_first};
}
kernels::Attention heads_of(const TransformerBlock::Shape& shape,
                            const TransformerBlock::Inner& room) {
  return {room.q / shape.head_dim, room.kv / shape.head_dim, shape.head_dim, shape.causal};
}

}  // namespace

TransformerBlock::Inner TransformerBlock::inner(const Layout& shapes) const {
  return {layers_.q.outputs(shapes), layers_.k.outputs(shapes), layers_.up.outputs(shapes)};
}

TransformerBlock::Trace TransformerBlock::fitted(const Layout& shapes, Trace trace) const {
  const Inner own = inner(shapes);
  for (const auto& [matrix, width] : {std::pair{&trace.q, own.q},
                                      {&trace.o, own.q},
                                      {&trace.k, own.kv},
                                      {&trace.v, own.kv},
                                      {&trace.gate, own.hidden},
                                      {&trace.up, own.hidden},
                                      {&trace.h, own.hidden}}) {
    matrix->cols = matrix->stride = width;
  }
  return trace;
}

void TransformerBlock::take_trace(const Layout& shapes, const Inner& room, int rows, bool training,
                                  Trace& trace, Workspace& workspace, bool cached) const {
  const Widths w = widths_of(layers_, shape_, room, shapes);
  visit_trace(w, layers_.mlp_norm, rows, training, cached, trace, MemoryTaker{workspace});
}

Bytes TransformerBlock::trace_bytes(const Layout& shapes, const Inner& room, int rows,
                                    bool training) const {
  Trace none{};
  Bytes bytes{};
  const Widths w = widths_of(layers_, shape_, room, shapes);
  visit_trace(w, layers_.mlp_norm, rows, training, false, none, MemoryCounter{bytes});
  return bytes;
}

TransformerBlock::Scratch TransformerBlock::take_scratch(const Layout& shapes, const Inner& room,
                                                         int rows, int keys, bool training,
                                                         Workspace& workspace) const {
  Scratch scratch{};
  const Widths w = widths_of(layers_, shape_, room, shapes);
  visit_scratch(w, heads_of(shape_, room), rows, keys, training, scratch, MemoryTaker{workspace});
  scratch.second.cols = scratch.second.stride = w.token;
  return scratch;
}

Bytes TransformerBlock::scratch_bytes(const Layout& shapes, const Inner& room, int rows, int keys,
                                      bool training) const {
  Scratch none{};
  Bytes bytes{};
  const Widths w = widths_of(layers_, shape_, room, shapes);
  visit_scratch(w, heads_of(shape_, room), rows, keys, training, none, MemoryCounter{bytes});
  return bytes;
}

namespace {

// Multiply-adds of one of attention's products, over all heads, and its operands in bytes.
double visible_products(const kernels::Attention& a, const Sequences& s) {
  const double length = s.length;
  const double pairs =
      a.causal ? length * (length + 1) / 2 + length * s.past : length * (length + s.past);
  return pairs * s.count * a.heads * a.head_dim;
}
Bytes operands(const kernels::Attention& a, const Sequences& s) {
  return Bytes(4LL * s.rows() * a.head_dim * (2 * a.heads + 2 * a.kv_heads));
}

}  // namespace

void TransformerBlock::add_forward_cost(const Layout& shapes, const Sequences& sequences,
                                        bool whole, StepCost& cost) const {
  const int rows = sequences.rows();
  for (const Linear* l : {&layers_.q, &layers_.k, &layers_.v, &layers_.o, &layers_.gate,
                          &layers_.up, &layers_.down}) {
    const bool left_out = l == &layers_.down && !whole && shape_.norm_first;
    if (l->exists() && !left_out) add_linear_cost(shapes, *l, rows, 1, cost);
  }
  const kernels::Attention heads = attention(shapes);
  cost.flops += Flops(2 * 2 * visible_products(heads, sequences));
  cost.dram += operands(heads, sequences);
}

void TransformerBlock::add_backward_cost(const Layout& shapes, const Sequences& sequences,
                                         StepCost& cost) const {
  for (const Linear* l : {&layers_.q, &layers_.k, &layers_.v, &layers_.o, &layers_.gate,
                          &layers_.up, &layers_.down}) {
    if (l->exists()) add_linear_cost(shapes, *l, sequences.rows(), 2, cost);
  }
  const kernels::Attention heads = attention(shapes);
  cost.flops += Flops(2 * 5 * visible_products(heads, sequences));
  cost.dram += operands(heads, sequences) * 2;
}

}  // namespace skiff
