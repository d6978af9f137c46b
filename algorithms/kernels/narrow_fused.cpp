#include "algorithms/kernels/narrow.h"
#include "algorithms/kernels/tile.h"

namespace skiff::kernels {
namespace {

using simd::F16;
using tile::Edges;
using tile::Finish;
using tile::Start;

// Samples and classes of one tile of dot products.
constexpr int kSamples = simd::kWidth == 16 ? 5 : 2;
constexpr int kClasses = simd::kWidth == 16 ? 5 : 2;

template <int S, int C>
void dots(float (&out)[S][C], const float* const (&x)[S], const float* const (&w)[C],
          int n) noexcept {
  F16 acc[S][C];
  for (int s = 0; s < S; ++s) {
    for (int c = 0; c < C; ++c) acc[s][c] = simd::set16(0);
  }
  int i = 0;
  for (; i + 16 <= n; i += 16) {
    F16 right[C];
    for (int c = 0; c < C; ++c) right[c] = simd::load16(w[c] + i);
    for (int s = 0; s < S; ++s) {
      const F16 left = simd::load16(x[s] + i);
      for (int c = 0; c < C; ++c) acc[s][c] = simd::fma(left, right[c], acc[s][c]);
    }
  }
  if (i < n) {
    const simd::Mask16 tail = simd::mask16(n - i);
    for (int s = 0; s < S; ++s) {
      const F16 left = simd::load16(x[s] + i, tail);
      for (int c = 0; c < C; ++c) {
        acc[s][c] = simd::fma(left, simd::load16(w[c] + i, tail), acc[s][c]);
      }
    }
  }
  for (int s = 0; s < S; ++s) {
    for (int c = 0; c < C; ++c) out[s][c] = simd::tree(acc[s][c]);
  }
}

template <class Source>
void forward_tiles(MatrixView y, const Source& x, ConstMatrixView w,
                   std::span<const float> bias) noexcept {
  for (int b = 0; b < y.rows; b += kSamples) {
    const float* sample[kSamples];  // past the end: the last one again, its results dropped
    for (int s = 0; s < kSamples; ++s) sample[s] = x[std::min(b + s, y.rows - 1)];
    for (int c = 0; c < y.cols; c += kClasses) {
      const float* weights[kClasses];
      for (int q = 0; q < kClasses; ++q) weights[q] = w[std::min(c + q, y.cols - 1)];
      float out[kSamples][kClasses];
      dots(out, sample, weights, w.cols);
      for (int s = 0; s < kSamples && b + s < y.rows; ++s) {
        for (int q = 0; q < kClasses && c + q < y.cols; ++q) {
          y[b + s][c + q] = bias.empty() ? out[s][q] : bias[c + q] + out[s][q];
        }
      }
    }
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
