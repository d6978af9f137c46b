#include "algorithms/kernels/blocked.h"
#include "algorithms/kernels/gemm.h"

namespace skiff::kernels {
namespace {

using tile::Edges;
using tile::Finish;
using tile::Start;

// The k steps are taken in blocks so that a strip of the right operand stays in L1 while all rows
// pass over it. Storing and reloading a float is exact: blocks change no bit.
constexpr int kDepth = 128;
// Rows of an output that is streamed: whole tiles of any width.
constexpr int kRowsAtOnce = tile::kRowsAhead;
// From so many rows, columns and steps on copies of both operands pay; fewer rows if the right
// operand's stride puts a strip of it into few sets of L1.
constexpr int kManyRows = 128;
constexpr int kSomeRows = 48;
constexpr int kManyColumns = 2 * simd::kWidth;
constexpr int kManySteps = 129;

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
  const int many = b.stride % 128 == 0 ? kSomeRows : kManyRows;
  if (e.c.rows >= many && e.c.cols >= kManyColumns) {
    return tile::blocked<kFinish>(tile::CopiedRows<Source>{a}, tile::CopiedStrip{b}, k, e);
  }
  blocks<kFinish>(a, k, kDepth, e, [b](int p, int n) {
    return InPlace{{b[p], n, b.cols, b.stride}};
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

// Short sums: the output is the large operand, and is walked by rows so that it is streamed once.
template <Finish kFinish, class Source>
void transposed_product(const Source& a, ConstMatrixView b, int k, const Edges& e) noexcept {
  if constexpr (kFinish == Finish::kStore) {
    if (k >= kManySteps && e.c.rows >= kSomeRows && e.c.cols >= kManyColumns) {
      return tile::blocked<kFinish>(tile::CopiedColumns<Source>{a}, tile::CopiedStrip{b}, k, e);
    }
  }
  for (int i = 0; i < e.c.rows; i += kRowsAtOnce) {
    tile::walk<kFinish>(tile::ColumnsOf<Source>{a}, tile::Plain<ConstMatrixView>{b}, i,
                        std::min(i + kRowsAtOnce, e.c.rows), k, e);
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
  tile::blocked<Finish::kStore>(tile::CopiedRows<ConstMatrixView>{a}, tile::TurnedStrip{b}, a.cols,
                                edges_of(c, output));
}

}  // namespace skiff::kernels
