// Direct two-dimensional convolution of one image at a time: forward and both gradients.
//
// Layouts, all dense and channels last: image [height][width][in], output and its gradient
// [out_height][out_width][out], weights [ky][kx][in][out] (a row-major matrix "inputs x outputs").
// `kSame` pads (kernel - 1) / 2 rows and columns before the image and kernel / 2 after it.
//
// With a `stride` s > 1 the output takes every s-th pixel, from the first one on.
//
// Definition, bit by bit (rows outside an image are skipped, columns outside it count as zeros or
// are skipped, and columns between those of dy likewise, which differ in the sign of a zero and
// where a weight is not finite):
//   forward          y[p][o] = bias[o] or 0;
//                    for ky, kx, i ascending: fma(x[s p + (ky, kx)][i], w[ky][kx][i][o], .)
//   input gradient   dx[q][i] = 0; for ky, kx descending, o ascending, where s divides
//                    q - (ky, kx): fma(dy[(q - (ky, kx)) / s][o], w[ky][kx][i][o], .)
//   weight gradient  dw[ky][kx][i][o] = 0 or old; for output pixels p in row-major order:
//                    fma(x[s p + (ky, kx)][i], dy[p][o], .)
// (p + (ky, kx) means with the padding taken off.) Bias gradients are column_sum (gemm.h) over
// pixels. Thread-safe; nothing is allocated. Cost: 2 * out pixels * kernel^2 * in * out flops each,
// near the FMA peak for 8, 16 or 32 channels; input gradients of small images waste what they pad,
// strided ones multiply s - 1 zeros for every column of dy.
#pragma once

#include <cstddef>
#include <span>

#include "algorithms/kernels/gemm.h"

namespace skiff::kernels {

enum class Padding { kValid, kSame };

struct Convolution {
  int height, width, in, out, kernel;
  Padding padding = Padding::kValid;
  int stride = 1;

  constexpr int pad() const noexcept { return padding == Padding::kSame ? (kernel - 1) / 2 : 0; }
  constexpr int out_height() const noexcept { return shrunk(height); }
  constexpr int out_width() const noexcept { return shrunk(width); }
  constexpr std::size_t weights() const noexcept { return size(kernel, kernel, in) * size(out); }
  constexpr std::size_t inputs() const noexcept { return size(height, width, in); }
  constexpr std::size_t outputs() const noexcept { return size(out_height(), out_width(), out); }

  static constexpr std::size_t size(int a, int b = 1, int c = 1) noexcept {
    return static_cast<std::size_t>(a) * static_cast<std::size_t>(b) * static_cast<std::size_t>(c);
  }

 private:
  constexpr int shrunk(int length) const noexcept {
    return ((padding == Padding::kSame ? length : length - kernel + 1) + stride - 1) / stride;
  }
};

// Floats of scratch that any of the functions below needs.
std::size_t convolution_scratch(const Convolution& shape) noexcept;

// y = act(bias + x * w); an empty bias stands for zeros.
void convolution_forward(std::span<float> y, std::span<const float> x, std::span<const float> w,
                         std::span<const float> bias, const Convolution& shape,
                         std::span<float> scratch,
                         Activation activation = Activation::kNone) noexcept;

// Weights as the input gradient reads them, [kernel-1-ky][kernel-1-kx][out][in]: once per step.
void convolution_flip(std::span<float> flipped, std::span<const float> w,
                      const Convolution& shape) noexcept;

void convolution_input_gradient(std::span<float> dx, std::span<const float> dy,
                                std::span<const float> flipped, const Convolution& shape,
                                std::span<float> scratch) noexcept;

// kAdd continues the sums of the images before.
void convolution_weight_gradient(std::span<float> dw, std::span<const float> x,
                                 std::span<const float> dy, const Convolution& shape,
                                 std::span<float> scratch, Output output) noexcept;

}  // namespace skiff::kernels
