// Internal: the gemm micro-kernel and the walk over its tiles.
//
// A tile is R rows by V vectors of the output, kept in registers while k runs: per k it loads V
// vectors of the right operand and broadcasts R scalars of the left one. Each output element is
// therefore `c = start; for k ascending: c = fma(a[k], b[k], c)` whatever the tile, so shapes,
// instruction sets and batch sizes cannot change a bit. Tile shapes are chosen so that
// R*V + V + 1 registers exist (16 with AVX2, 32 with AVX-512).
#pragma once

#include <algorithm>
#include <type_traits>

#include "algorithms/kernels/matrix.h"
#include "algorithms/kernels/simd.h"

namespace skiff::kernels::tile {

using simd::F;
using simd::kWidth;

enum class Start { kZero, kBias, kOld };
enum class Finish { kStore, kRelu, kMask, kUpdate };

// What a tile starts from and what happens to it at the end.
struct Edges {
  MatrixView c;
  Start start = Start::kZero;
  Finish finish = Finish::kStore;
  const float* bias = nullptr;                  // kBias: one row
  ConstMatrixView active = {nullptr, 0, 0, 0};  // kMask: zero where this is <= 0
  float rate = 0;                               // kUpdate: c = fma(-rate, sum, c)
};

// Left operands: the scalar that row r of the tile multiplies with at step p.
template <int R>
struct ByRow {  // a(r, p) = row r [p]
  const float* row[R];
  template <class Source>
  ByRow(const Source& source, int i) noexcept {
    for (int r = 0; r < R; ++r) row[r] = source[i + r];
  }
  float operator()(int r, int p) const noexcept { return row[r][p]; }
};
template <class Source>
struct ByColumn {  // a(r, p) = row p [i + r]: the transposed operand, read in place
  Source source;
  int i;
  float operator()(int r, int p) const noexcept { return source[p][i + r]; }
};

template <int V, bool kTail>
[[gnu::always_inline]] inline F load_column(const float* p, int v, simd::Mask tail) noexcept {
  return kTail && v == V - 1 ? simd::load(p + v * kWidth, tail) : simd::load(p + v * kWidth);
}

template <int R, int V, bool kTail>
[[gnu::always_inline]] inline void begin(F (&acc)[R][V], const Edges& e, int i, int j,
                                         simd::Mask tail) noexcept {
  const bool zero = e.start == Start::kZero;
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
    const float* from = zero ? nullptr : (e.start == Start::kOld ? e.c[i + r] : e.bias) + j;
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) {
      acc[r][v] = zero ? simd::set(0.0F) : load_column<V, kTail>(from, v, tail);
    }
  }
}

template <int R, int V, bool kTail>
[[gnu::always_inline]] inline void end(F (&acc)[R][V], const Edges& e, int i, int j,
                                       simd::Mask tail) noexcept {
  const F zero = simd::set(0.0F);
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
    float* to = e.c[i + r] + j;
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) {
      F x = acc[r][v];
      if (e.finish == Finish::kRelu) {
        x = simd::greatest(zero, x);  // NaN stays NaN
      } else if (e.finish == Finish::kMask) {
        x = load_column<V, kTail>(e.active[i + r] + j, v, tail) > zero ? x : zero;
      } else if (e.finish == Finish::kUpdate) {
        x = simd::fma(simd::set(-e.rate), x, load_column<V, kTail>(to, v, tail));
      }
      if (kTail && v == V - 1) {
        simd::store(to + v * kWidth, x, tail);
      } else {
        simd::store(to + v * kWidth, x);
      }
    }
  }
}

// One tile at (i, j): k steps of a(r, p) * b[p][j...].
template <int R, int V, bool kTail, class A, class B>
[[gnu::noinline]] void compute(const A& a, const B& b, int k, const Edges& e, int i,
                               int j) noexcept {
  const simd::Mask tail = simd::mask(e.c.cols - j - (V - 1) * kWidth);
  F acc[R][V];
  begin<R, V, kTail>(acc, e, i, j, tail);
  for (int p = 0; p < k; ++p) {
    const float* right = b[p] + j;
    F column[V];
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) column[v] = load_column<V, kTail>(right, v, tail);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const F x = simd::set(a(r, p));
#pragma GCC unroll 16
      for (int v = 0; v < V; ++v) acc[r][v] = simd::fma(x, column[v], acc[r][v]);
    }
  }
  end<R, V, kTail>(acc, e, i, j, tail);
}

// The most rows of a tile of 1, 2, 3 vectors.
inline constexpr int kRows[4] = {0, kWidth == 16 ? 14 : 8, kWidth == 16 ? 10 : 6,
                                 kWidth == 16 ? 7 : 4};

template <int R, int V, bool kTail, class Left, class Right>
inline void select(int rows, const Left& a, const Right& b, int k, const Edges& e, int i,
                   int j) noexcept {
  if (rows == R) {
    compute<R, V, kTail>(a.template at<R>(i), b, k, e, i, j);
  } else if constexpr (R > 1) {
    select<R - 1, V, kTail>(rows, a, b, k, e, i, j);
  }
}

// Rows [first, last) of V vectors of columns at j, in tiles of nearly equal heights.
template <int V, bool kTail, class Left, class Right>
inline void panel(const Left& a, const Right& b, int first, int last, int k, const Edges& e,
                  int j) noexcept {
  int tiles = (last - first + kRows[V] - 1) / kRows[V];
  for (int i = first; i < last; --tiles) {
    const int rows = (last - i + tiles - 1) / tiles;
    select<kRows[V], V, kTail>(rows, a, b, k, e, i, j);
    i += rows;
  }
}

// Rows [first, last) of the whole width of the output. Widths of 4 vectors go as 2 + 2: a single
// vector has too few independent sums to hide the latency of an fma.
template <class Left, class Right>
inline void walk(const Left& a, const Right& b, int first, int last, int k,
                 const Edges& e) noexcept {
  const int n = e.c.cols;
  for (int j = 0, v; j < n; j += v * kWidth) {
    const int left = (n - j + kWidth - 1) / kWidth;
    v = left == 4 ? 2 : std::min(left, 3);
    const bool tail = n - j < v * kWidth;
    if (v == 3) {
      tail ? panel<3, true>(a, b, first, last, k, e, j)
           : panel<3, false>(a, b, first, last, k, e, j);
    } else if (v == 2) {
      tail ? panel<2, true>(a, b, first, last, k, e, j)
           : panel<2, false>(a, b, first, last, k, e, j);
    } else {
      tail ? panel<1, true>(a, b, first, last, k, e, j)
           : panel<1, false>(a, b, first, last, k, e, j);
    }
  }
}

// Left operands as `walk` wants them: row i of a source, or column i of it.
template <class Source>
struct RowsOf {
  Source source;
  template <int R>
  ByRow<R> at(int i) const noexcept {
    return ByRow<R>(source, i);
  }
};
template <class Source>
struct ColumnsOf {
  Source source;
  template <int R>
  ByColumn<Source> at(int i) const noexcept {
    return {source, i};
  }
};

}  // namespace skiff::kernels::tile
