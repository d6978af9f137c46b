// One block of a transformer: attention and a feed-forward layer, each with a residual and a norm.
//
//   norm first  s = x + o(attention(a(x)));  y = s + down(act(up(m(s))))        (Llama, ViT)
//   norm last   s = x + o(attention(x));  t = a(s) + down(act(up(a(s))));  y = m(t)      (BERT)
// with a the norm of the attention and m that of the feed-forward layer; act is SwiGLU where there
// is a gate, else GELU (erf). Rows are tokens: the sequences of a group one below the other, each
// attending to itself. Widths are those of the weights' shapes (heads too: rows of q over
// head_dim). Immutable, thread-safe.
#pragma once

#include <vector>

#include "algorithms/kernels/attention.h"
#include "algorithms/kernels/rope.h"
#include "algorithms/models/linear.h"
#include "algorithms/models/norm_layer.h"

namespace skiff {

// Sequences of one length. keys: of each sequence, how many tokens from its first on are seen (all,
// where empty; not with `causal`). past: tokens before these whose keys and values are there
// already (decoding; one sequence).
struct Sequences {
  int count = 1, length = 0, past = 0;
  std::span<const int> keys = {};
  int rows() const { return count * length; }
};

// Cosines and sines of rotary positions, from position 0 on; empty: none.
struct RopeTable {
  std::vector<float> cosine, sine;
};

class TransformerBlock {
 public:
  struct Layers {
    Linear q, k, v, o, gate, up, down;  // no gate: GELU
    NormLayer attention_norm, mlp_norm;
  };
  struct Shape {
    int head_dim;
    bool causal, norm_first;
    kernels::RopePairing pairing = kernels::RopePairing::kInterleaved;
  };
  // What a forward pass leaves for the backward pass. `y` may be `x` where none follows; k and v
  // may be rows in a longer cache, after Sequences::past others.
  struct Trace {
    kernels::MatrixView x, a, q, k, v, o, s, m, gate, up, h, t, y;
    std::span<float> a_statistics, m_statistics, log_sum;
  };
  struct Scratch {  // shared by all blocks
    kernels::MatrixView wide, first, second, dq, dk, dv;
    std::span<float> attention, norm;
    std::span<const float*> pointers;
  };

  TransformerBlock(const Layers& layers, const Shape& shape) : layers_(layers), shape_(shape) {}

  // Widths that a pruner may have narrowed in one block and not in another.
  struct Inner {
    int q = 0, kv = 0, hidden = 0;
  };
  Inner inner(const Layout& shapes) const;

  // Everything of a trace but x and y, for `rows` tokens; k and v only if not a cache's. `room`: at
  // least this block's own widths.
  void take_trace(const Layout& shapes, const Inner& room, int rows, bool training, Trace& trace,
                  Workspace& workspace, bool cached = false) const;
  Scratch take_scratch(const Layout& shapes, const Inner& room, int rows, int keys, bool training,
                       Workspace& workspace) const;
  // Memory that has room for this block, as matrices of its own widths.
  Trace fitted(const Layout& shapes, Trace trace) const;

  // whole = false: up to what the backward pass needs (a recomputation).
  void forward(Weights& weights, const Trace& trace, const Sequences& sequences,
               const RopeTable& rope, const Scratch& scratch, bool whole = true) const;
  // `d`: the gradient by y, and in its place that by x.
  void backward(Weights& weights, const Trace& trace, const Sequences& sequences,
                const RopeTable& rope, const Scratch& room, kernels::MatrixView d) const;

  Bytes trace_bytes(const Layout& shapes, const Inner& room, int rows, bool training) const;
  Bytes scratch_bytes(const Layout& shapes, const Inner& room, int rows, int keys,
                      bool training) const;
  // flops and dram alone. Attention counts visible pairs of full-length sequences.
  void add_forward_cost(const Layout& shapes, const Sequences& sequences, bool whole,
                        StepCost& cost) const;
  void add_backward_cost(const Layout& shapes, const Sequences& sequences, StepCost& cost) const;

  int width(const Layout& shapes) const { return layers_.q.inputs(shapes); }

 private:
  kernels::Attention attention(const Layout& shapes) const;
  void attend(Weights& weights, const Trace& trace, const Sequences& sequences,
              const RopeTable& rope, const Scratch& scratch) const;
  void feed_forward(Weights& weights, const Trace& trace, const Scratch& scratch,
                    kernels::MatrixView out) const;
  void turn(kernels::MatrixView x, const Sequences& sequences, const RopeTable& rope,
            kernels::Turn turn) const;
  void attend_backward(Weights& weights, const Trace& trace, const Sequences& sequences,
                       const RopeTable& rope, const Scratch& scratch,
                       kernels::ConstMatrixView d) const;
  void feed_backward(Weights& weights, const Trace& trace, const Scratch& scratch,
                     kernels::ConstMatrixView d) const;

  Layers layers_;
  Shape shape_;
};

}  // namespace skiff
