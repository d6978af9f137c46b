// Internal: long matrix products, with both operands copied in blocks that fit the caches.
//
// A block of the left operand, kBlockRows x kBlockDepth, is copied into L2 as groups of rows,
// [group][step][kBlockGroup]; for each strip of kBlockStrip columns the same steps of the right
// operand are copied into L1 as dense rows, and all groups pass over the strip. Sums that are
// longer than a block go on from the stored output, which is exact: no bit depends on the blocks
// (gemm.h). Copies cost about one vector move for every kBlockGroup (left: for every n / 8) fmas.
//
// The copies live on the stack (kProductStack of gemm.h). Sizes are for 32 KB of L1 and 512 KB of
// L2: the strip is at most 18 KB of L1, the left block 220 KB of L2. Measured on Zen 3 and 4.
#pragma once

#include <algorithm>

#include "algorithms/kernels/block_copies.h"
#include "algorithms/kernels/gemm.h"
#include "algorithms/kernels/tile.h"

namespace skiff::kernels::tile {

// The length of each of the fewest equal pieces of at most `most` (a multiple of `unit`).
inline int piece_of(int total, int most, int unit) noexcept {
  const int pieces = std::max(1, (total + most - 1) / most);
  const int each = (total + pieces - 1) / pieces;
  return (each + unit - 1) / unit * unit;
}

// Left operand of the tile that starts at row i of a block, a multiple of kBlockGroup.
struct Grouped {
  const float* data;
  int depth;

  template <int R>
  Strided at(int i) const noexcept {
    return {data + std::ptrdiff_t{i} * depth, kBlockGroup};
  }
};

// All groups of a block on one strip at column j. While a tile runs, the output of the next one and
// a share of the next strip are fetched.
template <int V, bool kTail, Finish kFinish, class Right>
inline void strip_tiles(const Block& block, const Right& right, int p, int depth, const Edges& e,
                        int j) noexcept {
  const int last = std::min(e.c.cols, j + V * kWidth) - 1;
  const int to_fetch = j + kBlockStrip < e.c.cols ? depth : 0;
  for (int i = 0, fetched = 0; i < e.c.rows; i += kBlockGroup) {
    const int next = std::min(e.c.rows, i + kBlockGroup);
    for (int r = next; r < std::min(e.c.rows, next + kBlockGroup); ++r) {
      __builtin_prefetch(e.c[r] + j, 1);
      __builtin_prefetch(e.c[r] + last, 1);
    }
    for (const int until = to_fetch * next / e.c.rows; fetched < until; ++fetched)
      right.fetch(j + kBlockStrip, p, fetched);
    select<kBlockGroup, V, kTail, kFinish>(next - i, Grouped{block.groups, depth},
                                           Strided{block.strip, kBlockStrip}, depth, e, i, j);
  }
}

// The rows of e.c, at most kBlockRows, on steps [p, p + depth) of the right operand.
template <Finish kFinish, class Right>
inline void block_strips(Block& block, const Right& right, int p, int depth,
                         const Edges& e) noexcept {
  for (int j = 0; j < e.c.cols; j += kBlockStrip) {
    const int count = std::min(kBlockStrip, e.c.cols - j);
    right.copy(block.strip, j, count, p, depth);
    if (count == kBlockStrip) {
      strip_tiles<2, false, kFinish>(block, right, p, depth, e, j);
    } else if (count > kWidth) {
      strip_tiles<2, true, kFinish>(block, right, p, depth, e, j);
    } else {
      strip_tiles<1, true, kFinish>(block, right, p, depth, e, j);
    }
  }
}

// c = sums of k steps. Not kUpdate, which has no place for part sums.
template <Finish kFinish, class Left, class Right>
[[gnu::noinline]] void blocked(const Left& left, const Right& right, int k,
                               const Edges& edges) noexcept {
  static_assert(kFinish != Finish::kUpdate);
  Block block;
  const int most_rows = k <= kShortDepth ? kShortRows : kBlockRows;
  const int height = piece_of(edges.c.rows, most_rows, kBlockGroup);
  const int length = piece_of(k, kBlockDepth, 8);
  Edges e = edges;
  for (int p = 0; p == 0 || p < k; p += std::max(length, 1)) {  // also without any step
    const int depth = std::min(length, k - p);
    for (int i = 0; i < edges.c.rows; i += height) {
      const int rows = std::min(height, edges.c.rows - i);
      for (int g = 0; g < rows; g += kBlockGroup) {
        left.copy(block.groups + std::ptrdiff_t{g} * depth, i + g, std::min(kBlockGroup, rows - g),
                  p, depth);
      }
      e.c = {edges.c[i], rows, edges.c.cols, edges.c.stride};
      if (kFinish == Finish::kMask) e.active.data = edges.active[i];
      if (p + depth < k) {
        block_strips<Finish::kStore>(block, right, p, depth, e);
      } else {
        block_strips<kFinish>(block, right, p, depth, e);
      }
    }
    e.start = Start::kOld;
  }
}

}  // namespace skiff::kernels::tile
