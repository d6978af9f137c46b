#include "algorithms/models/transformer_block.h"

#include "algorithms/kernels/gelu.h"
#include "algorithms/kernels/reduce.h"
#include "algorithms/kernels/silu.h"

namespace skiff {

using kernels::ConstMatrixView;
using kernels::MatrixView;
using kernels::Output;
using kernels::Rows;

namespace {

void add_to(MatrixView out, ConstMatrixView x, ConstMatrixView y) {
  kernels::add(values_of(out), values_of(x), values_of(y));
}

// Rows of one sequence, with those of its past before them.
MatrixView piece(MatrixView m, const Sequences& sequences, int sequence, int count) {
  return rows_between(m, sequence * sequences.length - sequences.past, count);
}

}  // namespace

kernels::Attention TransformerBlock::attention(const Layout& shapes) const {
  return {layers_.q.outputs(shapes) / shape_.head_dim, layers_.k.outputs(shapes) / shape_.head_dim,
          shape_.head_dim, shape_.causal};
}

void TransformerBlock::turn(MatrixView x, const Sequences& sequences, const RopeTable& rope,
                            kernels::Turn turn) const {
  if (rope.cosine.empty()) return;
  const auto skip = static_cast<std::size_t>(sequences.past * shape_.head_dim / 2);
  for (int s = 0; s < sequences.count; ++s) {
    kernels::rope(rows_between(x, s * sequences.length, sequences.length), shape_.head_dim,
                  std::span(rope.cosine).subspan(skip), std::span(rope.sine).subspan(skip),
                  shape_.pairing, turn);
  }
}

void TransformerBlock::attend(Weights& weights, const Trace& trace, const Sequences& sequences,
                              const RopeTable& rope, const Scratch& scratch) const {
  const kernels::Attention heads = attention(weights.shapes());
  const Rows input = rows_of(shape_.norm_first ? trace.a : trace.x, scratch.pointers);
  layers_.q.forward(weights, input, trace.q);
  layers_.k.forward(weights, input, trace.k);
  layers_.v.forward(weights, input, trace.v);
  turn(trace.q, sequences, rope, kernels::Turn::kForth);
  turn(trace.k, sequences, rope, kernels::Turn::kForth);
  for (int s = 0; s < sequences.count; ++s) {
    const int first = s * sequences.length;
    const int keys = sequences.keys.empty() ? sequences.past + sequences.length
                                            : sequences.keys[static_cast<std::size_t>(s)];
    std::span<float> log_sum;
    if (!trace.log_sum.empty()) {
      log_sum = trace.log_sum.subspan(static_cast<std::size_t>(first * heads.heads));
    }
    kernels::attention_forward(rows_between(trace.o, first, sequences.length), log_sum,
                               rows_between(trace.q, first, sequences.length),
                               piece(trace.k, sequences, s, keys),
                               piece(trace.v, sequences, s, keys), heads, scratch.attention);
  }
}

void TransformerBlock::feed_forward(Weights& weights, const Trace& trace, const Scratch& scratch,
                                    MatrixView out) const {
  const Rows input = rows_of(trace.m, scratch.pointers);
  layers_.up.forward(weights, input, trace.up);
  if (layers_.gate.exists()) {
    layers_.gate.forward(weights, input, trace.gate);
    kernels::swiglu(values_of(trace.h), values_of(trace.gate), values_of(trace.up));
  } else {
    kernels::gelu(values_of(trace.h), values_of(trace.up), kernels::Gelu::kErf);
  }
  if (out.rows == 0) return;
  layers_.down.forward(weights, rows_of(trace.h, scratch.pointers), out);
  add_to(out, out, shape_.norm_first ? trace.s : trace.m);
}

void TransformerBlock::forward(Weights& weights, const Trace& trace, const Sequences& sequences,
                               const RopeTable& rope, const Scratch& scratch, bool whole) const {
  const NormLayer &a = layers_.attention_norm, &m = layers_.mlp_norm;
  if (shape_.norm_first) a.forward(weights, trace.x, trace.a, trace.a_statistics);
  attend(weights, trace, sequences, rope, scratch);
  layers_.o.forward(weights, rows_of(trace.o, scratch.pointers), trace.s);
  add_to(trace.s, trace.s, trace.x);
  if (shape_.norm_first) {
    m.forward(weights, trace.s, trace.m, trace.m_statistics);
    feed_forward(weights, trace, scratch, whole ? trace.y : MatrixView{nullptr, 0, 0, 0});
  } else {  // the second norm's statistics are asked for: all of it is recomputed
    a.forward(weights, trace.s, trace.m, trace.a_statistics);
    feed_forward(weights, trace, scratch, trace.t);
    m.forward(weights, trace.t, trace.y, trace.m_statistics);
  }
}

// From d, by the output of `down`, to scratch.first, by its input m.
void TransformerBlock::feed_backward(Weights& weights, const Trace& trace, const Scratch& scratch,
                                     ConstMatrixView d) const {
  const MatrixView dh = scratch.wide;
  layers_.down.backward(weights, rows_of(trace.h, scratch.pointers), d, dh);
  const std::span<const float> up = values_of(ConstMatrixView(trace.up));
  const Rows input = rows_of(trace.m, scratch.pointers);
  if (!layers_.gate.exists()) {
    kernels::gelu_backward(values_of(dh), values_of(dh), up, kernels::Gelu::kErf);
    return layers_.up.backward(weights, input, dh, scratch.first);
  }
  // The trace is used up: its gate and up become their gradients.
  kernels::swiglu_backward(values_of(trace.gate), values_of(trace.up), values_of(dh),
                           values_of(trace.gate), up);
  layers_.up.backward(weights, input, trace.up, scratch.first);
  layers_.gate.backward(weights, input, trace.gate, scratch.second);
  add_to(scratch.first, scratch.first, scratch.second);
}

// From d, by the output of `o`, to scratch.first, by the input of q, k and v.
void TransformerBlock::attend_backward(Weights& weights, const Trace& trace,
                                       const Sequences& sequences, const RopeTable& rope,
                                       const Scratch& scratch, ConstMatrixView d) const {
  const kernels::Attention heads = attention(weights.shapes());
  const MatrixView d_o{scratch.second.data, trace.o.rows, trace.o.cols, trace.o.cols};
  layers_.o.backward(weights, rows_of(trace.o, scratch.pointers), d, d_o);
  for (int s = 0; s < sequences.count; ++s) {
    const int first = s * sequences.length, length = sequences.length;
    const int keys = sequences.keys.empty() ? length : sequences.keys[static_cast<std::size_t>(s)];
    const auto part = [&](MatrixView m) { return rows_between(m, first, length); };
    const auto seen = [&](MatrixView m) { return rows_between(m, first, keys); };
    for (MatrixView unseen : {scratch.dk, scratch.dv}) {
      const std::span<float> rest = values_of(rows_between(unseen, first + keys, length - keys));
      std::fill(rest.begin(), rest.end(), 0.0F);
    }
    const std::span<const float> log_sum =
        std::span<const float>(trace.log_sum)
            .subspan(static_cast<std::size_t>(first * heads.heads));
    kernels::attention_backward(
        part(scratch.dq), seen(scratch.dk), seen(scratch.dv), part(d_o),
        {part(trace.q), seen(trace.k), seen(trace.v), part(trace.o), log_sum}, heads,
        scratch.attention);
  }
  turn(scratch.dq, sequences, rope, kernels::Turn::kBack);
  turn(scratch.dk, sequences, rope, kernels::Turn::kBack);
  const Rows input = rows_of(shape_.norm_first ? trace.a : trace.x, scratch.pointers);
  layers_.q.backward(weights, input, scratch.dq, scratch.first);
  layers_.k.backward(weights, input, scratch.dk, scratch.second);
  add_to(scratch.first, scratch.first, scratch.second);
  layers_.v.backward(weights, input, scratch.dv, scratch.second);
  add_to(scratch.first, scratch.first, scratch.second);
}

void TransformerBlock::backward(Weights& weights, const Trace& trace, const Sequences& sequences,
                                const RopeTable& rope, const Scratch& room, MatrixView d) const {
  const Inner own = inner(weights.shapes());
  Scratch scratch = room;
  for (const auto& [matrix, width] : {std::pair{&scratch.wide, own.hidden},
                                      {&scratch.dq, own.q},
                                      {&scratch.dk, own.kv},
                                      {&scratch.dv, own.kv}}) {
    matrix->cols = matrix->stride = width;
  }
  const NormLayer &a = layers_.attention_norm, &m = layers_.mlp_norm;
  if (shape_.norm_first) {
    feed_backward(weights, trace, scratch, d);
    m.backward(weights, d, scratch.first, trace.s, trace.m_statistics, scratch.norm, Output::kAdd);
    attend_backward(weights, trace, sequences, rope, scratch, d);
    a.backward(weights, d, scratch.first, trace.x, trace.a_statistics, scratch.norm, Output::kAdd);
  } else {
    m.backward(weights, d, d, trace.t, trace.m_statistics, scratch.norm, Output::kOverwrite);
    feed_backward(weights, trace, scratch, d);
    add_to(d, d, scratch.first);
    a.backward(weights, d, d, trace.s, trace.a_statistics, scratch.norm, Output::kOverwrite);
    attend_backward(weights, trace, sequences, rope, scratch, d);
    add_to(d, d, scratch.first);
  }
}

}  // namespace skiff
