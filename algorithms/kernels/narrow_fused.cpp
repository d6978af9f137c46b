#include <algorithm>

#include "algorithms/kernels/narrow.h"
#include "algorithms/kernels/tile.h"

namespace skiff::kernels {
namespace {

using simd::F8;
using tile::Edges;
using tile::Finish;
using tile::Start;

// A tile is S samples by C classes, C <= 6, of 16 lanes each. Where 16 lanes are two registers, the
// lower and the upper halves are two passes over the inputs: twice as large tiles fit.
#ifdef __AVX512F__
using Lanes = simd::F16;
constexpr int kSamples[7] = {0, 16, 10, 8, 6, 5, 4};
Lanes load(const float* p) noexcept { return simd::load16(p); }
Lanes load_tail(const float* p, int count) noexcept { return simd::load16(p, simd::mask16(count)); }
#else
using Lanes = F8;
constexpr int kSamples[7] = {0, 8, 6, 4, 3, 2, 2};
Lanes load(const float* p) noexcept { return simd::load8(p); }
Lanes load_tail(const float* p, int count) noexcept { return simd::load8(p, simd::mask8(count)); }
#endif
constexpr int kClasses = 6;

template <int S, int C>
struct Operands {
  const float* x[S];
  const float* w[C];
  const float* next[S];  // samples of the next tile: fetched meanwhile, for shards outgrow the L2
};

template <bool kFirst>
[[gnu::always_inline]] inline const float* either(const float* first, const float* second) {
  return kFirst ? first : second;
}

// acc[s][c] += x[s][i...] * w[c][i...]: the smaller side is held, the larger one streamed.
template <int S, int C, class Load>
[[gnu::always_inline]] inline void step(Lanes (&acc)[S][C], const Operands<S, C>& o, int i,
                                        Load get) noexcept {
  constexpr int kHeld = std::min(S, C);
  constexpr int kStreamed = std::max(S, C);
  Lanes held[kHeld];
#pragma GCC unroll 16
  for (int h = 0; h < kHeld; ++h) held[h] = get(either<(S <= C)>(o.x[h % S], o.w[h % C]) + i);
#pragma GCC unroll 16
  for (int q = 0; q < kStreamed; ++q) {
    const Lanes streamed = simd::pinned(get(either<(S <= C)>(o.w[q % C], o.x[q % S]) + i));
#pragma GCC unroll 16
    for (int h = 0; h < kHeld; ++h) {
      Lanes& sum = S <= C ? acc[h % S][q % C] : acc[q % S][h % C];
      sum = simd::fma(held[h], streamed, sum);
    }
  }
}

// One pass from lane `first` of each group of 16 on.
template <int S, int C>
[[gnu::always_inline]] inline void pass(Lanes (&acc)[S][C], const Operands<S, C>& o, int n,
                                        int first) noexcept {
#pragma GCC unroll 32
  for (int s = 0; s < S; ++s) {
#pragma GCC unroll 16
    for (int c = 0; c < C; ++c) acc[s][c] = Lanes{};
  }
  int i = 0;
  for (; i + 16 <= n; i += 16) {
    if (first == 0) {
#pragma GCC unroll 16
      for (int s = 0; s < S; ++s) __builtin_prefetch(o.next[s] + i);
    }
    step<S, C>(acc, o, i + first, [](const float* p) { return load(p); });
  }
  if (i == n) return;
  const int count = n - i - first;
  step<S, C>(acc, o, i + first, [count](const float* p) { return load_tail(p, count); });
}

template <int S, int C>
[[gnu::noinline]] void dots(const Operands<S, C>& o, MatrixView y, const float* bias,
                            int n) noexcept {
  F8 sums[(S * C + 7) / 8 * 8] = {};
  Lanes acc[S][C];
  pass<S, C>(acc, o, n, 0);
#ifdef __AVX512F__
#pragma GCC unroll 32
  for (int q = 0; q < S * C; ++q) sums[q] = simd::fold(acc[q / C][q % C]);
#else
#pragma GCC unroll 32
  for (int q = 0; q < S * C; ++q) sums[q] = acc[q / C][q % C];
  pass<S, C>(acc, o, n, 8);
#pragma GCC unroll 32
  for (int q = 0; q < S * C; ++q) sums[q] += acc[q / C][q % C];
#endif
  float out[(S * C + 7) / 8 * 8];
  for (int q = 0; q < S * C; q += 8) {
    const F8 eight[8] = {sums[q],     sums[q + 1], sums[q + 2], sums[q + 3],
                         sums[q + 4], sums[q + 5], sums[q + 6], sums[q + 7]};
    simd::store(out + q, simd::trees(eight));
  }
  for (int s = 0; s < S; ++s) {
    for (int c = 0; c < C; ++c) {
      y[s][c] = bias == nullptr ? out[s * C + c] : bias[c] + out[s * C + c];
    }
  }
}

template <int S, int C, class Source>
void select(int samples, MatrixView y, const Source& x, ConstMatrixView w, const float* bias, int b,
            int c) noexcept {
  if (samples == S) {
    Operands<S, C> o;
    for (int s = 0; s < S; ++s) o.x[s] = x[b + s];
    for (int s = 0; s < S; ++s) o.next[s] = x[std::min(b + S + s, y.rows - 1)];
    for (int q = 0; q < C; ++q) o.w[q] = w[c + q];
    dots<S, C>(o, {y[b] + c, S, C, y.stride}, bias == nullptr ? nullptr : bias + c, w.cols);
  } else if constexpr (S > 1) {
    select<S - 1, C>(samples, y, x, w, bias, b, c);
  }
}

// All samples of C classes from c on, in tiles of nearly equal heights.
template <int C, class Source>
void classes(int count, MatrixView y, const Source& x, ConstMatrixView w, const float* bias,
             int c) noexcept {
  if (count != C) {
    if constexpr (C > 1) classes<C - 1>(count, y, x, w, bias, c);
    return;
  }
  const int tiles = (y.rows + kSamples[C] - 1) / kSamples[C];
  for (int t = 0, b = 0; t < tiles; ++t) {
    const int samples = (y.rows - b + tiles - t - 1) / (tiles - t);
    select<kSamples[C], C>(samples, y, x, w, bias, b, c);
    b += samples;
  }
}

template <class Source>
void forward_tiles(MatrixView y, const Source& x, ConstMatrixView w,
                   std::span<const float> bias) noexcept {
  const int tiles = (y.cols + kClasses - 1) / kClasses;
  for (int t = 0, c = 0; t < tiles; ++t) {
    const int count = (y.cols - c + tiles - t - 1) / (tiles - t);
    classes<kClasses>(count, y, x, w, bias.empty() ? nullptr : bias.data(), c);
    c += count;
  }
}

// dy^T x: the classes are the rows of the output, the inputs its columns.
template <Finish kFinish, class Source>
void outer(const Source& x, ConstMatrixView dy, const Edges& e) noexcept {
  tile::walk<kFinish>(tile::ColumnsOf<ConstMatrixView>{dy}, tile::Plain<Source>{x}, 0, e.c.rows,
                      dy.rows, e);
}

Edges edges_of(MatrixView c, Output output) noexcept {
  return {.c = c, .start = output == Output::kAdd ? Start::kOld : Start::kZero};
}

}  // namespace

void narrow_forward(MatrixView y, Rows x, ConstMatrixView w, std::span<const float> bias) noexcept {
  forward_tiles(y, x, w, bias);
}
void narrow_forward(MatrixView y, ConstMatrixView x, ConstMatrixView w,
                    std::span<const float> bias) noexcept {
  forward_tiles(y, x, w, bias);
}

void narrow_input_gradient(MatrixView dx, ConstMatrixView dy, ConstMatrixView w) noexcept {
  gemm_nn(dx, dy, w);
}
void narrow_input_gradient_relu(MatrixView dx, ConstMatrixView dy, ConstMatrixView w,
                                ConstMatrixView activation) noexcept {
  input_gradient_relu(dx, dy, w, activation);  // [class][input] is the transposed layout already
}

void narrow_weight_gradient(MatrixView dw, Rows x, ConstMatrixView dy, Output output) noexcept {
  outer<Finish::kStore>(x, dy, edges_of(dw, output));
}
void narrow_weight_gradient(MatrixView dw, ConstMatrixView x, ConstMatrixView dy,
                            Output output) noexcept {
  outer<Finish::kStore>(x, dy, edges_of(dw, output));
}
void narrow_weight_update(MatrixView w, Rows x, ConstMatrixView dy, float rate) noexcept {
  outer<Finish::kUpdate>(x, dy, {.c = w, .rate = rate});
}
void narrow_weight_update(MatrixView w, ConstMatrixView x, ConstMatrixView dy,
                          float rate) noexcept {
  outer<Finish::kUpdate>(x, dy, {.c = w, .rate = rate});
}

}  // namespace skiff::kernels
