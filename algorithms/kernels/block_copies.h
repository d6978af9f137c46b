// Internal: how blocked.h copies blocks of the operands of a product.
//
// Left: [group][step][kBlockGroup], as tiles of kBlockGroup rows read them. Right: a strip of
// kBlockStrip columns as dense rows, [step][kBlockStrip]. What pads an odd end is never read.
#pragma once

#include <algorithm>

#include "algorithms/kernels/gemm.h"
#include "algorithms/kernels/tile.h"

namespace skiff::kernels::tile {

inline constexpr int kBlockGroup = kRows[2];
inline constexpr int kBlockStrip = 2 * kWidth;
inline constexpr int kBlockDepth = kWidth == 16 ? 192 : 288;
inline constexpr int kBlockRows = 192 / kBlockGroup * kBlockGroup;
// Of sums that are so short: more rows (256 tokens and some) then share a copied strip.
inline constexpr int kShortDepth = kWidth == 16 ? 144 : 208;
inline constexpr int kShortRows = 264 / kBlockGroup * kBlockGroup;
inline constexpr int kBlockFloats =
    std::max(kBlockRows * kBlockDepth, kShortRows* kShortDepth) + kWidth;  // copies overshoot

// The copies of the two operands.
struct Block {
  alignas(64) float strip[kBlockDepth * kBlockStrip];
  alignas(64) float groups[kBlockFloats];
};
static_assert(sizeof(Block) <= kProductStack);

// Left operand stored by its rows: steps [p, p + depth) of `count` <= kBlockGroup rows from i on,
// turned by blocks of 8 x 8. Rows that do not exist repeat the last one: no tile looks at them.
// Stores overshoot into what is written after them.
template <class Source>
struct CopiedRows {
  Source source;

  void copy(float* to, int i, int count, int p, int depth) const noexcept {
    constexpr int kOctets = (kBlockGroup + 7) / 8;
    for (int q = 0; q < depth; q += 8) {
      const int steps = std::min(8, depth - q);
      const simd::I8 mask = simd::mask8(steps);
      simd::F8 turned[kOctets][8];
#pragma GCC unroll 2
      for (int o = 0; o < kOctets; ++o) {
#pragma GCC unroll 8
        for (int r = 0; r < 8; ++r) {
          const int row = o * 8 + r;
          if (row >= kBlockGroup) {
            turned[o][r] = simd::F8{};
            continue;
          }
          const float* from = source[i + std::min(row, count - 1)] + p + q;
          turned[o][r] = steps == 8 ? simd::load8(from) : simd::load8(from, mask);
        }
        simd::transpose8(turned[o]);
      }
      for (int s = 0; s < steps; ++s, to += kBlockGroup) {
#pragma GCC unroll 2
        for (int o = 0; o < kOctets; ++o) simd::store(to + 8 * o, turned[o][s]);
      }
    }
  }
};

// Left operand stored by its columns: row p of the source holds step p.
template <class Source>
struct CopiedColumns {
  Source source;

  void copy(float* to, int i, int count, int p, int depth) const noexcept {
    const simd::Mask mask = simd::mask(count);
    for (int q = 0; q < depth; ++q, to += kBlockGroup) {
      simd::store(to, simd::load(source[p + q] + i, mask));
    }
  }
};

// Right operands: steps [p, p + depth) of `count` <= kBlockStrip columns from j on; `fetch` brings
// what step q of as many is to a strip into L2.
struct CopiedStrip {
  ConstMatrixView b;

  void fetch(int j, int p, int q) const noexcept {
    for (int v = 0; v < kBlockStrip; v += 16) __builtin_prefetch(b[p + q] + j + v, 0, 2);
  }
  void copy(float* to, int j, int count, int p, int depth) const noexcept {
    const simd::Mask first = simd::mask(count), second = simd::mask(count - kWidth);
    for (int q = 0; q < depth; ++q, to += kBlockStrip) {
      const float* from = b[p + q] + j;
      const bool whole = count == kBlockStrip;
      simd::store(to, whole ? simd::load(from) : simd::load(from, first));
      simd::store(to + kWidth,
                  whole ? simd::load(from + kWidth) : simd::load(from + kWidth, second));
    }
  }
};
struct TurnedStrip {  // the operand is stored transposed
  ConstMatrixView b;

  void fetch(int j, int p, int q) const noexcept {
    for (int v = 0; v < kBlockStrip; v += 16) {
      __builtin_prefetch(b[std::min(j + v + q % 16, b.rows - 1)] + p + q / 16 * 16, 0, 2);
    }
  }
  void copy(float* to, int j, int count, int p, int depth) const noexcept {
    transpose({to, depth, count, kBlockStrip}, {b[j] + p, count, depth, b.stride});
  }
};

}  // namespace skiff::kernels::tile
