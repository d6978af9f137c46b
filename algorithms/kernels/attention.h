// Scaled dot-product attention of one sequence, with grouped queries (Vaswani et al. 2017,
// arXiv:1706.03762; Ainslie et al. 2023, arXiv:2305.13245), forward and backward.
//
// q, o: queries x heads*head_dim; k, v: keys x kv_heads*head_dim; head h reads the keys of head
// h / (heads / kv_heads). Causal: query i sees keys 0..i + (keys - queries), so one query at the
// end of a cache sees all. Definition, per head, over the visible keys j:
//   s[j] = dot of q and k[j], d ascending by fma from 0;  scale = 1 / sqrt(head_dim)
//   m = max s * scale;  e[j] = exp(s[j] * scale - m);  z = sum16(e);  p[j] = e[j] * (1 / z)
//   o = sum over j ascending of fma(p[j], v[j], .);  log_sum = m + log(z)
// Backward: p[j] = exp(s[j] * scale - log_sum); dv[j] += p[j] do; dp[j] = dot of do and v[j];
//   ds[j] = p[j] (dp[j] - dot16(do, o)) scale; dq = sum over j of ds[j] k[j]; dk[j] += ds[j] q;
//   dk and dv add over the heads of a group, then over queries, both ascending, by fma.
// Queries go by blocks of 32, which changes no bit; never more than a block of scores is held:
// memory is linear in the keys. Thread-safe; nothing is allocated. Cost: 4 (forward) and 10
// (backward) flops a visible pair and value of a head.
#pragma once

#include <cstddef>
#include <span>

#include "algorithms/kernels/matrix.h"

namespace skiff::kernels {

struct Attention {
  int heads, kv_heads, head_dim;
  bool causal;
};

// Floats of scratch that either function needs.
std::size_t attention_scratch(const Attention& shape, int keys) noexcept;

// log_sum: queries x heads; may be empty if no backward follows.
void attention_forward(MatrixView o, std::span<float> log_sum, ConstMatrixView q, ConstMatrixView k,
                       ConstMatrixView v, const Attention& shape,
                       std::span<float> scratch) noexcept;

struct AttentionInputs {
  ConstMatrixView q, k, v, o;
  std::span<const float> log_sum;
};
// Overwrites dq, dk and dv.
void attention_backward(MatrixView dq, MatrixView dk, MatrixView dv, ConstMatrixView d_o,
                        const AttentionInputs& forward, const Attention& shape,
                        std::span<float> scratch) noexcept;

}  // namespace skiff::kernels
