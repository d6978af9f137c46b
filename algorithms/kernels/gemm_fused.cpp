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

// A block of the right operand, read in place. While the second to fourth row tile of a panel are
// computed, the three cache lines of each row of the next panel are fetched into L2.
struct Ahead {
  ConstMatrixView block;  // as many rows as the block is deep

  tile::Prefetching at(int j, int next, int t) const noexcept {
    const std::ptrdiff_t below = std::ptrdiff_t{block.rows} * block.stride;
    const std::ptrdiff_t there = next < block.cols ? next : below;
    const bool useful = t >= 1 && t <= 3;
    return {block.data + j, block.stride, useful ? there - j + (t - 1) * 16 : 0};
  }
};

template <Finish kFinish, class Source>
void product(const Source& a, ConstMatrixView b, int k, const Edges& edges) noexcept {
  Edges e = edges;
  int p = 0;
  for (; p + kDepth < k; p += kDepth) {
    const Ahead block{{b[p], kDepth, b.cols, b.stride}};
    tile::walk<Finish::kStore>(tile::RowsOf<Source>{a, p}, block, 0, e.c.rows, kDepth, e);
    e.start = Start::kOld;
  }
  const Ahead block{{b[p], k - p, b.cols, b.stride}};
  tile::walk<kFinish>(tile::RowsOf<Source>{a, p}, block, 0, e.c.rows, k - p, e);
}

template <class Source>
void product(const Source& a, ConstMatrixView b, const Edges& e, Activation activation) noexcept {
  if (activation == Activation::kRelu) {
    product<Finish::kRelu>(a, b, a.cols, e);
  } else {
    product<Finish::kStore>(a, b, a.cols, e);
  }
}

// The output is walked by rows: it is the large operand, and is streamed once.
template <Finish kFinish, class Source>
void transposed_product(const Source& a, ConstMatrixView b, int k, const Edges& e) noexcept {
  constexpr int kChunk = simd::kWidth == 16 ? 14 : 12;
  for (int i = 0; i < e.c.rows; i += kChunk) {
    tile::walk<kFinish>(tile::ColumnsOf<Source>{a}, tile::Plain<ConstMatrixView>{b}, i,
                        std::min(i + kChunk, e.c.rows), k, e);
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

// b is transposed by strips into the stack; each strip serves all rows of a.
void gemm_nt(MatrixView c, ConstMatrixView a, ConstMatrixView b, Output output) noexcept {
  constexpr int kStrip = 3 * simd::kWidth;
  alignas(64) float strip[kDepth * kStrip];
  const int k = a.cols;
  for (int j = 0; j < c.cols; j += kStrip) {
    const int width = std::min(kStrip, c.cols - j);
    for (int p = 0; p == 0 || p < k; p += kDepth) {
      const int depth = std::min(kDepth, k - p);
      transpose({strip, depth, width, kStrip},
                {b.data + std::ptrdiff_t{j} * b.stride + p, width, depth, b.stride});
      const MatrixView part{c.data + j, c.rows, width, c.stride};
      const ConstMatrixView left{a.data + p, a.rows, depth, a.stride};
      product<Finish::kStore>(left, {strip, depth, width, kStrip}, depth,
                              edges_of(part, p > 0 ? Output::kAdd : output));
    }
  }
}

}  // namespace skiff::kernels
