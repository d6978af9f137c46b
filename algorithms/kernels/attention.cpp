#include "algorithms/kernels/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "algorithms/kernels/exp.h"
#include "algorithms/kernels/gemm.h"
#include "algorithms/kernels/reduce.h"
#include "algorithms/kernels/simd.h"

namespace skiff::kernels {
namespace {

constexpr int kBlock = 32;

// Rows of a few KB at odd multiples of a cache line: powers of two fall into few sets of L1.
int padded(int keys) noexcept { return (keys + 15) / 16 * 16 + 16; }

MatrixView columns(MatrixView m, int first, int count) noexcept {
  return {m.data + first, m.rows, count, m.stride};
}
ConstMatrixView columns(ConstMatrixView m, int first, int count) noexcept {
  return {m.data + first, m.rows, count, m.stride};
}
MatrixView rows(MatrixView m, int first, int count) noexcept {
  return {m[first], count, m.cols, m.stride};
}
ConstMatrixView rows(ConstMatrixView m, int first, int count) noexcept {
  return {m[first], count, m.cols, m.stride};
}

float greatest_of(const float* s, int n) noexcept {
  float most = -std::numeric_limits<float>::infinity();
  int i = 0;
  if (n >= simd::kWidth) {
    simd::F top = simd::load(s);
    for (i = simd::kWidth; i + simd::kWidth <= n; i += simd::kWidth) {
      top = simd::greatest(top, simd::load(s + i));
    }
    float lanes[simd::kWidth];
    simd::store(lanes, top);
    for (const float v : lanes) most = most > v ? most : v;
  }
  for (; i < n; ++i) most = most > s[i] ? most : s[i];
  return most;
}

// s = exp(s * scale - shift), and zeros behind the visible ones
void exponentials(float* s, int visible, int n, float scale_by, float shift) noexcept {
  for (int j = 0; j < visible; ++j) s[j] = s[j] * scale_by - shift;
  const std::span<float> seen(s, static_cast<std::size_t>(visible));
  vexp(seen, seen);
  std::fill(s + visible, s + n, 0.0F);
}

// A block of queries of one head, and the keys that its last row sees.
struct Block {
  int first, count, seen;
};

struct Sight {
  int queries, keys;
  bool causal;
  Block block(int first) const noexcept {
    const int count = std::min(kBlock, queries - first);
    return {first, count, visible(first + count - 1)};
  }
  int visible(int query) const noexcept {
    return causal ? std::min(keys, query + 1 + keys - queries) : keys;
  }
};

}  // namespace

std::size_t attention_scratch(const Attention& shape, int keys) noexcept {
  return static_cast<std::size_t>(2 * (shape.head_dim + kBlock)) *
         static_cast<std::size_t>(padded(keys));
}

void attention_forward(MatrixView o, std::span<float> log_sum, ConstMatrixView q, ConstMatrixView k,
                       ConstMatrixView v, const Attention& shape,
                       std::span<float> scratch) noexcept {
  const int width = shape.head_dim, stride = padded(k.rows);
  const int group = shape.heads / shape.kv_heads;
  const float scale_by = 1.0F / std::sqrt(static_cast<float>(width));
  const Sight sight{q.rows, k.rows, shape.causal};
  const MatrixView turned{scratch.data(), width, k.rows, stride};
  float* scores = scratch.data() + std::ptrdiff_t{width} * stride;
  for (int h = 0; h < shape.heads; ++h) {
    if (h % group == 0) transpose(turned, columns(k, h / group * width, width));
    const ConstMatrixView values = columns(v, h / group * width, width);
    for (int first = 0; first < q.rows; first += kBlock) {
      const Block b = sight.block(first);
      const MatrixView s{scores, b.count, b.seen, stride};
      gemm_nn(s, columns(rows(q, first, b.count), h * width, width), columns(turned, 0, b.seen));
      for (int i = 0; i < b.count; ++i) {
        const int visible = sight.visible(first + i);
        const std::span<float> row(s[i], static_cast<std::size_t>(visible));
        const float most = greatest_of(s[i], visible) * scale_by;
        exponentials(s[i], visible, b.seen, scale_by, most);
        const float sum = sum16(row);
        scale(row, 1.0F / sum, row);
        if (log_sum.empty()) continue;
        log_sum[static_cast<std::size_t>((first + i) * shape.heads + h)] = most + vlog(sum);
      }
      gemm_nn(columns(rows(o, first, b.count), h * width, width), s, rows(values, 0, b.seen));
    }
  }
}

namespace {

struct Gradients {  // of one block of queries and its head
  MatrixView dq, dk, dv;
  ConstMatrixView d_o, q, k, o;
  const float* log_sum;  // of the first query, and those of the next ones `heads` further each
  int heads;
};

// p: recomputed scores in, probabilities out; ds: d_o v^T in, gradients of the scores out.
void backward_rows(MatrixView p, MatrixView ds, const Gradients& g, const Sight& sight,
                   const Block& b, float scale_by) noexcept {
  for (int i = 0; i < b.count; ++i) {
    const auto width = static_cast<std::size_t>(g.o.cols);
    exponentials(p[i], sight.visible(b.first + i), b.seen, scale_by,
                 g.log_sum[std::ptrdiff_t{i} * g.heads]);
    const float mean = dot16({g.d_o[i], width}, {g.o[i], width});
    const float* share = p[i];
    float* to = ds[i];
    for (int j = 0; j < b.seen; ++j) to[j] = share[j] * (to[j] - mean) * scale_by;
  }
  gemm_tn(rows(g.dv, 0, b.seen), p, g.d_o, Output::kAdd);
  gemm_nn(g.dq, ds, rows(g.k, 0, b.seen));
  gemm_tn(rows(g.dk, 0, b.seen), ds, g.q, Output::kAdd);
}

void clear(MatrixView m) noexcept {
  for (int i = 0; i < m.rows; ++i) std::fill_n(m[i], m.cols, 0.0F);
}

}  // namespace

void attention_backward(MatrixView dq, MatrixView dk, MatrixView dv, ConstMatrixView d_o,
                        const AttentionInputs& forward, const Attention& shape,
                        std::span<float> scratch) noexcept {
  const int width = shape.head_dim, keys = forward.k.rows, stride = padded(keys);
  const float scale_by = 1.0F / std::sqrt(static_cast<float>(width));
  const Sight sight{forward.q.rows, keys, shape.causal};
  const MatrixView k_turned{scratch.data(), width, keys, stride};
  const MatrixView v_turned{scratch.data() + std::ptrdiff_t{width} * stride, width, keys, stride};
  float* scores = scratch.data() + 2 * std::ptrdiff_t{width} * stride;
  float* d_scores = scores + std::ptrdiff_t{kBlock} * stride;
  clear(dk);
  clear(dv);
  for (int h = 0; h < shape.heads; ++h) {
    const int at = h * width, kv = h / (shape.heads / shape.kv_heads) * width;
    const ConstMatrixView k = columns(forward.k, kv, width);
    transpose(k_turned, k);
    transpose(v_turned, columns(forward.v, kv, width));
    for (int first = 0; first < forward.q.rows; first += kBlock) {
      const Block b = sight.block(first);
      const auto part = [&](auto m) { return columns(rows(m, first, b.count), at, width); };
      const Gradients g{part(dq),
                        columns(dk, kv, width),
                        columns(dv, kv, width),
                        part(d_o),
                        part(forward.q),
                        k,
                        part(forward.o),
                        &forward.log_sum[static_cast<std::size_t>(first * shape.heads + h)],
                        shape.heads};
      const MatrixView p{scores, b.count, b.seen, stride}, ds{d_scores, b.count, b.seen, stride};
      gemm_nn(p, g.q, columns(k_turned, 0, b.seen));
      gemm_nn(ds, g.d_o, columns(v_turned, 0, b.seen));
      backward_rows(p, ds, g, sight, b, scale_by);
    }
  }
}

}  // namespace skiff::kernels
