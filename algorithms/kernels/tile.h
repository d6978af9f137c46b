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

// What the tiles of an output start from, and the operands of what happens to them at the end.
struct Edges {
  MatrixView c;
  Start start = Start::kZero;
  const float* bias = nullptr;                  // kBias: one row
  ConstMatrixView active = {nullptr, 0, 0, 0};  // kMask: zero where this is <= 0
  float rate = 0;                               // kUpdate: c = fma(-rate, sum, c)
};

// Cursors over an operand: where step p of a sum finds its factors. The right operand is a row of
// vectors; the left one is indexed by the row of the tile.
struct Strided {  // rows at a fixed distance
  const float* at;
  std::ptrdiff_t stride;

  const float* get() const noexcept { return at; }
  void next() noexcept { at += stride; }
};
struct Gathered {  // rows by pointer, from column `offset` on
  const float* const* row;
  std::ptrdiff_t offset;

  const float* get() const noexcept { return *row + offset; }
  void next() noexcept { ++row; }
};
struct Prefetching {  // rows at a fixed distance, fetching what will be wanted later into L2
  const float* at;
  std::ptrdiff_t stride, ahead;

  const float* get() const noexcept { return at; }
  void next() noexcept {
    __builtin_prefetch(at + ahead, 0, 2);
    at += stride;
  }
};
template <int R>
struct Along {  // the left operand read along its rows: R streams
  const float* row[R];
  std::ptrdiff_t p;

  struct Step {
    const Along& all;
    float operator[](int r) const noexcept { return all.row[r][all.p]; }
  };
  Step get() const noexcept { return {*this}; }
  void next() noexcept { ++p; }
};

// A cursor at row 0, column j of an operand.
inline Strided cursor(ConstMatrixView m, int j) noexcept { return {m.data + j, m.stride}; }
inline Gathered cursor(const Rows& m, int j) noexcept { return {m.row, j}; }

template <int V, bool kTail>
[[gnu::always_inline]] inline F load_column(const float* p, int v, simd::Mask tail) noexcept {
  return kTail && v == V - 1 ? simd::load(p + v * kWidth, tail) : simd::load(p + v * kWidth);
}

// R x V vectors of sums, and steps of theirs on rows [L, H): loops are unrolled, so that the sums
// live in registers.
template <int R, int V, bool kTail>
struct Sums {
  F acc[R][V];
  simd::Mask tail;

  template <int L, int H, class Body>
  [[gnu::always_inline]] void each(Body body) noexcept {
#pragma GCC unroll 16
    for (int r = L; r < H; ++r) {
#pragma GCC unroll 16
      for (int v = 0; v < V; ++v) body(r, v);
    }
  }

  F load(const float* row, int v) const noexcept { return load_column<V, kTail>(row, v, tail); }

  // From rows at a distance of `stride` (0: all the same one), or from zero.
  [[gnu::always_inline]] void begin(const float* from, std::ptrdiff_t stride) noexcept {
    if (from == nullptr) {
      each<0, R>([&](int r, int v) { acc[r][v] = F{}; });
    } else {
      each<0, R>([&](int r, int v) { acc[r][v] = load(from + r * stride, v); });
    }
  }

  // The next `steps` steps of the sums in rows [L, H); moves the cursors.
  template <int L, int H, class A, class B>
  [[gnu::always_inline]] void multiply(A& a, B& b, int steps) noexcept {
    for (int p = 0; p < steps; ++p) {
      const float* right = b.get();
      F column[V];
#pragma GCC unroll 16
      for (int v = 0; v < V; ++v) {
        column[v] = H - L > 1 ? simd::pinned(load(right, v)) : load(right, v);
      }
      const auto left = a.get();
#pragma GCC unroll 16
      for (int r = L; r < H; ++r) {
        const F x = simd::set(left[r]);
#pragma GCC unroll 16
        for (int v = 0; v < V; ++v) acc[r][v] = simd::fma(x, column[v], acc[r][v]);
      }
      a.next();
      b.next();
    }
  }

  // Finishes and stores rows [L, H).
  template <int L, int H, Finish kFinish>
  [[gnu::always_inline]] void end(MatrixView c, ConstMatrixView active, float rate) noexcept {
    each<L, H>([&](int r, int v) {
      F x = acc[r][v];
      if constexpr (kFinish == Finish::kRelu) x = simd::greatest(F{}, x);  // NaN stays NaN
      if constexpr (kFinish == Finish::kMask) x = load(active[r], v) > F{} ? x : F{};
      if constexpr (kFinish == Finish::kUpdate) x = simd::fma(simd::set(-rate), x, load(c[r], v));
      float* to = c[r] + v * kWidth;
      if (kTail && v == V - 1) {
        simd::store(to, x, tail);
      } else {
        simd::store(to, x);
      }
    });
  }

  // The last `steps` steps, and the end. The very last of them are taken by one half of the rows
  // and then by the other: cores that buffer few vector stores (Zen 3: measured 15 % at 20 steps)
  // stall on a burst of all stores at once, and so lose the overlap with the next tile.
  template <Finish kFinish, class A, class B>
  [[gnu::always_inline]] void finish(A a, B b, int steps, MatrixView c, ConstMatrixView active,
                                     float rate) noexcept {
    constexpr int kHalf = R >= 4 ? R / 2 : R;
    constexpr int kApart = 4;
    if (kHalf == R || steps < kApart) {
      multiply<0, R>(a, b, steps);
      end<0, R, kFinish>(c, active, rate);
      return;
    }
    multiply<0, R>(a, b, steps - kApart);
    A left_again = a;
    B right_again = b;
    multiply<0, kHalf>(a, b, kApart);
    end<0, kHalf, kFinish>(c, active, rate);
    multiply<kHalf, R>(left_again, right_again, kApart);
    end<kHalf, R, kFinish>(c, active, rate);
  }
};

// How many rows later the weights lie that an updating tile fetches: the next rows to be walked.
inline constexpr int kRowsAhead = kWidth == 16 ? 14 : 12;

// One tile at (i, j).
template <int R, int V, bool kTail, Finish kFinish, class A, class B>
[[gnu::noinline]] void compute(A a, B b, int k, const Edges& e, int i, int j) noexcept {
  const MatrixView c{e.c[i] + j, R, 0, e.c.stride};
  const ConstMatrixView active{kFinish == Finish::kMask ? e.active[i] + j : nullptr, R, 0,
                               e.active.stride};
  const float rate = e.rate;
  if constexpr (kFinish == Finish::kUpdate) {  // weights outgrow the L2: fetch those of later tiles
    for (int r = 0; r < R; ++r) {
      const float* later = c[r] + kRowsAhead * std::ptrdiff_t{c.stride};
      __builtin_prefetch(later, 1);
      __builtin_prefetch(later + V * kWidth - 1, 1);
    }
  }
  Sums<R, V, kTail> sums;
  sums.tail = simd::mask(e.c.cols - j - (V - 1) * kWidth);
  sums.begin(e.start == Start::kZero  ? nullptr
             : e.start == Start::kOld ? c.data
                                      : e.bias + j,
             e.start == Start::kOld ? c.stride : 0);
  sums.template finish<kFinish>(a, b, k, c, active, rate);
}

// The most rows of a tile of 1, 2, 3 vectors.
inline constexpr int kRows[4] = {0, kWidth == 16 ? 14 : 8, kWidth == 16 ? 10 : 6,
                                 kWidth == 16 ? 7 : 4};

template <int R, int V, bool kTail, Finish kFinish, class Left, class B>
inline void select(int rows, const Left& a, const B& b, int k, const Edges& e, int i,
                   int j) noexcept {
  if (rows == R) {
    compute<R, V, kTail, kFinish>(a.template at<R>(i), b, k, e, i, j);
  } else if constexpr (R > 1) {
    select<R - 1, V, kTail, kFinish>(rows, a, b, k, e, i, j);
  }
}

// Rows [first, last) of V vectors of columns at j, in tiles of nearly equal heights.
template <int V, bool kTail, Finish kFinish, class Left, class Right>
inline void panel(const Left& a, const Right& b, int first, int last, int k, const Edges& e,
                  int j) noexcept {
  const int tiles = (last - first + kRows[V] - 1) / kRows[V];
  for (int t = 0, i = first; t < tiles; ++t) {
    const int rows = (last - i + tiles - t - 1) / (tiles - t);
    select<kRows[V], V, kTail, kFinish>(rows, a, b.at(j, j + V * kWidth, t), k, e, i, j);
    i += rows;
  }
}

// Vectors of the next panel when `left` remain. Four go as 2 + 2: a single one has too few
// independent sums to hide the latency of an fma.
inline int panel_width(int left) noexcept { return left == 4 ? 2 : std::min(left, 3); }

// Rows [first, last) of the whole width of the output.
template <Finish kFinish, class Left, class Right>
inline void walk(const Left& a, const Right& b, int first, int last, int k,
                 const Edges& e) noexcept {
  const int n = e.c.cols;
  for (int j = 0, v; j < n; j += v * kWidth) {
    v = panel_width((n - j + kWidth - 1) / kWidth);
    const bool tail = n - j < v * kWidth;
    if (v == 3 && !tail) {
      panel<3, false, kFinish>(a, b, first, last, k, e, j);
    } else if (v == 3) {
      panel<3, true, kFinish>(a, b, first, last, k, e, j);
    } else if (v == 2 && !tail) {
      panel<2, false, kFinish>(a, b, first, last, k, e, j);
    } else if (v == 2) {
      panel<2, true, kFinish>(a, b, first, last, k, e, j);
    } else {
      panel<1, true, kFinish>(a, b, first, last, k, e, j);
    }
  }
}

// Left operands as `walk` wants them: row i of a source, or column i of it.
template <class Source>
struct RowsOf {
  Source source;
  int first = 0;  // column that step 0 is at

  template <int R>
  Along<R> at(int i) const noexcept {
    Along<R> rows;
    for (int r = 0; r < R; ++r) rows.row[r] = source[i + r];
    rows.p = first;
    return rows;
  }
};
template <class Source>
struct ColumnsOf {
  Source source;

  template <int R>
  auto at(int i) const noexcept {
    return cursor(source, i);
  }
};

// Right operands as `walk` wants them: the cursor of tile t of the panel at columns [j, next).
template <class Source>
struct Plain {
  Source source;

  auto at(int j, int, int) const noexcept { return cursor(source, j); }
};

}  // namespace skiff::kernels::tile
