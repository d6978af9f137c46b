#include "algorithms/kernels/gemm.h"
#include "algorithms/kernels/tile.h"

namespace skiff::kernels {
namespace {

using tile::Edges;
using tile::Finish;
using tile::Start;

// The k steps are taken in blocks so that a strip of the right operand stays in L1 while all rows
// pass over it. Storing and reloading a float is exact: blocks change no bit.
constexpr int kDepth = 128;
constexpr int kPackedDepth = 192;
constexpr int kStrip = 3 * simd::kWidth;

// A block of the right operand, read in place. While the second to fourth row tile of a panel are
// computed, the three cache lines of each row of the next panel are fetched into L2.
struct InPlace {
  ConstMatrixView block;  // as many rows as the block is deep

  tile::Prefetching at(int j, int next, int t) const noexcept {
    const std::ptrdiff_t below = std::ptrdiff_t{block.rows} * block.stride;
    const std::ptrdiff_t there = next < block.cols ? next : below;
    const bool useful = t >= 1 && t <= 3;
    return {block.data + j, block.stride, useful ? there - j + (t - 1) * 16 : 0};
  }
};

// A block that is copied strip by strip into dense rows, before the first tile of a panel: pays
// when many rows pass over it, or when its stride puts a strip into few sets of L1.
struct Packed {
  ConstMatrixView block;
  float* strip;

  tile::Prefetching at(int j, int next, int t) const noexcept {
    const int width = std::min(next, block.cols) - j;
    for (int p = 0; t == 0 && p < block.rows; ++p) {
      for (int v = 0; v < width; v += simd::kWidth) {
        const float* from = block[p] + j + v;
        float* to = strip + p * kStrip + v;
        if (v + simd::kWidth <= width) {
          simd::store(to, simd::load(from));
        } else {
          simd::store(to, simd::load(from, simd::mask(width - v)));
        }
      }
    }
    return {strip, kStrip, 0};
  }
};

// The same for an operand that is stored transposed (`block` as stored: a row for each column).
struct PackedTransposed {
  ConstMatrixView block;
  float* strip;

  tile::Prefetching at(int j, int next, int t) const noexcept {
    const int width = std::min(next, block.rows) - j;
    if (t == 0) {
      transpose({strip, block.cols, width, kStrip}, {block[j], width, block.cols, block.stride});
    }
    return {strip, kStrip, 0};
  }
};

// c = sums over k in blocks of at most `depth`; block(p, n) is the right operand of steps [p, p +
// n).
template <Finish kFinish, class Source, class Block>
void blocks(const Source& a, int k, int depth, const Edges& edges, Block block) noexcept {
  Edges e = edges;
  int p = 0;
  for (; p + depth < k; p += depth) {
    tile::walk<Finish::kStore>(tile::RowsOf<Source>{a, p}, block(p, depth), 0, e.c.rows, depth, e);
    e.start = Start::kOld;
  }
  tile::walk<kFinish>(tile::RowsOf<Source>{a, p}, block(p, k - p), 0, e.c.rows, k - p, e);
}

template <Finish kFinish, class Source>
void product(const Source& a, ConstMatrixView b, int k, const Edges& e) noexcept {
  if (e.c.rows < 48 || b.stride % 128 != 0) {
    return blocks<kFinish>(a, k, kDepth, e, [b](int p, int n) {
      return InPlace{{b[p], n, b.cols, b.stride}};
    });
  }
  alignas(64) float strip[kPackedDepth * kStrip];
  blocks<kFinish>(a, k, kPackedDepth, e, [b, &strip](int p, int n) {
    return Packed{{b[p], n, b.cols, b.stride}, strip};
  });
}

template <class Source>
void product(const Source& a, ConstMatrixView b, const Edges& e, Activation activation) noexcept {
  if (activation == Activation::kRelu) {
    product<Finish::kRelu>(a, b, a.cols, e);
  } else {
    product<Finish::kStore>(a, b, a.cols, e);
  }
}

// Long sums, both operands copied: columns of `a` lie far apart, often in few sets of L1.
template <class Source>
void packed_columns(const Source& a, ConstMatrixView b, int k, const Edges& edges) noexcept {
  constexpr int kChunk = 8 * tile::kGroup;
  alignas(64) float strip[kDepth * kStrip];
  alignas(64) float columns[kDepth * kChunk];
  Edges e = edges;
  for (int p = 0; p < k; p += kDepth) {
    const int depth = std::min(kDepth, k - p);
    const Packed right{{b[p], depth, b.cols, b.stride}, strip};
    for (int i = 0; i < edges.c.rows; i += kChunk) {
      const int count = std::min(kChunk, edges.c.rows - i);
      float* to = columns;
      for (int g = 0; g < count; g += tile::kGroup) {
        const int width = std::min(tile::kGroup, count - g);
        for (int q = 0; q < depth; ++q, to += tile::kGroup)
          std::copy_n(a[p + q] + i + g, width, to);
      }
      e.c = {edges.c[i], count, edges.c.cols, edges.c.stride};
      tile::walk<Finish::kStore>(tile::GroupedColumns{columns, depth}, right, 0, count, depth, e);
    }
    e.start = Start::kOld;
  }
}

// Short sums: the output is the large operand, and is walked by rows so that it is streamed once.
template <Finish kFinish, class Source>
void transposed_product(const Source& a, ConstMatrixView b, int k, const Edges& e) noexcept {
  if (kFinish == Finish::kStore && k > kDepth && e.c.rows >= 4 * tile::kGroup) {
    return packed_columns(a, b, k, e);
  }
  for (int i = 0; i < e.c.rows; i += tile::kGroup) {
    tile::walk<kFinish>(tile::ColumnsOf<Source>{a}, tile::Plain<ConstMatrixView>{b}, i,
                        std::min(i + tile::kGroup, e.c.rows), k, e);
  }
}

Edges edges_of(MatrixView c, Output output) noexcept {
  return {.c = c, .start = output == Output::kAdd ? Start::kOld : Start::kZero};
}

Edges edges_of(MatrixView y, std::span<const float> bias) noexcept {
  return {.c = y, .start = bias.empty() ? Start::kZero : Start::kBias, .bias = bias.data()};
}

}  // namespace

void forward(MatrixView y, Rows x, ConstMatrixView w, std::span<const float> bias,
             Activation activation) noexcept {
  product(x, w, edges_of(y, bias), activation);
}
void forward(MatrixView y, ConstMatrixView x, ConstMatrixView w, std::span<const float> bias,
             Activation activation) noexcept {
  product(x, w, edges_of(y, bias), activation);
}
void forward_add(MatrixView y, Rows x, ConstMatrixView w, Activation activation) noexcept {
  product(x, w, {.c = y, .start = Start::kOld}, activation);
}
void forward_add(MatrixView y, ConstMatrixView x, ConstMatrixView w,
                 Activation activation) noexcept {
  product(x, w, {.c = y, .start = Start::kOld}, activation);
}

void input_gradient(MatrixView dx, ConstMatrixView dy, ConstMatrixView w_transposed) noexcept {
  product<Finish::kStore>(dy, w_transposed, dy.cols, {.c = dx});
}
void input_gradient_relu(MatrixView dx, ConstMatrixView dy, ConstMatrixView w_transposed,
                         ConstMatrixView activation) noexcept {
  product<Finish::kMask>(dy, w_transposed, dy.cols, {.c = dx, .active = activation});
}

void weight_gradient(MatrixView dw, Rows x, ConstMatrixView dy, Output output) noexcept {
  transposed_product<Finish::kStore>(x, dy, dy.rows, edges_of(dw, output));
}
void weight_gradient(MatrixView dw, ConstMatrixView x, ConstMatrixView dy, Output output) noexcept {
  transposed_product<Finish::kStore>(x, dy, dy.rows, edges_of(dw, output));
}
void weight_update(MatrixView w, Rows x, ConstMatrixView dy, float rate) noexcept {
  transposed_product<Finish::kUpdate>(x, dy, dy.rows, {.c = w, .rate = rate});
}
void weight_update(MatrixView w, ConstMatrixView x, ConstMatrixView dy, float rate) noexcept {
  transposed_product<Finish::kUpdate>(x, dy, dy.rows, {.c = w, .rate = rate});
}

void gemm_nn(MatrixView c, ConstMatrixView a, ConstMatrixView b, Output output) noexcept {
  product<Finish::kStore>(a, b, a.cols, edges_of(c, output));
}
void gemm_tn(MatrixView c, ConstMatrixView a, ConstMatrixView b, Output output) noexcept {
  transposed_product<Finish::kStore>(a, b, a.rows, edges_of(c, output));
}
void gemm_nt(MatrixView c, ConstMatrixView a, ConstMatrixView b, Output output) noexcept {
  alignas(64) float strip[kPackedDepth * kStrip];
  blocks<Finish::kStore>(a, a.cols, kPackedDepth, edges_of(c, output), [b, &strip](int p, int n) {
    return PackedTransposed{{b.data + p, b.rows, n, b.stride}, strip};
  });
}

}  // namespace skiff::kernels
