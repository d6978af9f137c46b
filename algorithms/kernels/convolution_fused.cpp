#include "algorithms/kernels/convolution.h"
#include "algorithms/kernels/convolution_frame.h"
#include "algorithms/kernels/convolution_rows.h"
#include "algorithms/kernels/tile.h"

namespace skiff::kernels {
namespace {

using simd::kWidth;
using tile::Finish;
using tile::Start;
using tile::Strided;

// The most pixels (or weights) of a tile of 1, 2 vectors of output channels.
constexpr int kHeight[3] = {0, 12, kWidth == 16 ? 12 : 6};

// Left operand of R neighbouring pixels: `kStep` channels apart (0: known at run time only). One
// channel stands for a kernel of 5 as well, so that its short runs have a known length.
template <int kStep>
struct Pixels {
  const float* at;
  std::ptrdiff_t step;

  struct Values {
    const float* at;
    std::ptrdiff_t step;
    float operator[](int r) const noexcept { return at[r * (kStep > 0 ? kStep : step)]; }
  };
  Values get() const noexcept { return {at, step}; }
  void next() noexcept {
    ++at;
    __asm__("" : "+r"(at));  // or neighbours' shared values are kept from step to step, and spilled
  }
};

template <int R, int V, bool kTail, int kStep, Finish kFinish>
[[gnu::noinline]] void pixels(MatrixView y, const Frame& f, const float* w, const float* bias,
                              int row, int column, int j) noexcept {
  tile::Sums<R, V, kTail> sums;
  sums.tail = simd::mask(f.out - j - (V - 1) * kWidth);
  sums.begin(bias == nullptr ? nullptr : bias + j, 0);
  const int last = f.last(row);
  const int run = kStep == 1 ? 5 : f.kernel * f.in;
  const std::ptrdiff_t step = std::ptrdiff_t{f.in} * f.stride;
  const MatrixView c{y[row * f.width + column] + j, R, 0, y.stride};
  int ky = f.first(row);
  if (ky >= last) sums.template end<0, R, kFinish>(c, {nullptr, 0, 0, 0}, 0);
  for (; ky < last; ky += f.between) {
    Pixels<kStep> left{f.met(row, ky) + column * step, step};
    Strided right{w + std::ptrdiff_t{ky} * run * f.out + j, f.out};
    if (ky + f.between < last) {
      sums.template multiply<0, R>(left, right, run);
    } else {
      sums.template finish<kFinish>(left, right, run, c, {nullptr, 0, 0, 0}, 0);
    }
  }
}

template <int R, int V, bool kTail, int kStep, Finish kFinish>
void select_pixels(int count, MatrixView y, const Frame& f, const float* w, const float* bias,
                   int row, int column, int j) noexcept {
  if (count == R) {
    pixels<R, V, kTail, kStep, kFinish>(y, f, w, bias, row, column, j);
  } else if constexpr (R > 1) {
    select_pixels<R - 1, V, kTail, kStep, kFinish>(count, y, f, w, bias, row, column, j);
  }
}

template <int V, bool kTail, int kStep, Finish kFinish>
void channels(MatrixView y, const Frame& f, const float* w, const float* bias, int j) noexcept {
  const int tiles = (f.width + kHeight[V] - 1) / kHeight[V];
  for (int row = 0; row < f.rows; ++row) {
    for (int t = 0, column = 0; t < tiles; ++t) {
      const int count = (f.width - column + tiles - t - 1) / (tiles - t);
      select_pixels<kHeight[V], V, kTail, kStep, kFinish>(count, y, f, w, bias, row, column, j);
      column += count;
    }
  }
}

template <int kStep, Finish kFinish>
void convolve(MatrixView y, const Frame& f, const float* w, const float* bias) noexcept {
  int j = 0;
  for (; j + 2 * kWidth <= f.out; j += 2 * kWidth)
    channels<2, false, kStep, kFinish>(y, f, w, bias, j);
  if (j + kWidth == f.out) {
    channels<1, false, kStep, kFinish>(y, f, w, bias, j);
  } else if (f.out - j > kWidth) {
    channels<2, true, 0, kFinish>(y, f, w, bias, j);
  } else if (j < f.out) {
    channels<1, true, 0, kFinish>(y, f, w, bias, j);
  }
}

template <Finish kFinish>
void convolve(float* y, const Frame& f, const float* w, const float* bias) noexcept {
  const MatrixView out{y, f.rows * f.width, f.out, f.out};
  if (f.stride > 1) return convolve<0, kFinish>(out, f, w, bias);
  if (f.in == 1 && f.kernel == 5) return convolve<1, kFinish>(out, f, w, bias);
  if (f.in == 8) return convolve<8, kFinish>(out, f, w, bias);
  if (f.in == 16) return convolve<16, kFinish>(out, f, w, bias);
  if (f.in == 32) return convolve<32, kFinish>(out, f, w, bias);
  convolve<0, kFinish>(out, f, w, bias);
}

// Left operand of weights: R neighbours of the run [kx][in] of one ky, or of two rows ky of five.
struct Run {
  const float* at;
  std::ptrdiff_t step;

  const float* get() const noexcept { return at; }
  void next() noexcept { at += step; }
};
struct TwoRuns {
  const float *at, *below;

  struct Values {
    const float *at, *below;
    float operator[](int r) const noexcept { return r < 5 ? at[r] : below[r - 5]; }
  };
  Values get() const noexcept { return {at, below}; }
  void next() noexcept { ++at, ++below; }
};

// R weights from (ky, q) on: all pixels of the output, row by row.
template <int R, int V, bool kTail>
[[gnu::noinline]] void weights(MatrixView dw, const Frame& f, const float* dy, Start start, int ky,
                               int q, int j) noexcept {
  const MatrixView c{dw[ky * f.kernel * f.in + q] + j, R, 0, dw.stride};
  tile::Sums<R, V, kTail> sums;
  sums.tail = simd::mask(f.out - j - (V - 1) * kWidth);
  sums.begin(start == Start::kZero ? nullptr : c.data, c.stride);
  const int first = (std::max(0, f.above - ky) + f.stride - 1) / f.stride;
  const int reach = f.image.height - 1 + f.above - ky;
  const int last = reach < 0 ? 0 : std::min(f.rows, reach / f.stride + 1);
  for (int row = first; row < last; ++row) {
    Run left{f.met(row, ky) + q, std::ptrdiff_t{f.in} * f.stride};
    Strided right{dy + std::ptrdiff_t{row} * f.width * f.out + j, f.out};
    sums.template multiply<0, R>(left, right, f.width);
  }
  sums.template end<0, R, Finish::kStore>(c, {nullptr, 0, 0, 0}, 0);
}

template <int R, int V, bool kTail>
void select_weights(int count, MatrixView dw, const Frame& f, const float* dy, Start start, int ky,
                    int q, int j) noexcept {
  if (count == R) {
    weights<R, V, kTail>(dw, f, dy, start, ky, q, j);
  } else if constexpr (R > 1) {
    select_weights<R - 1, V, kTail>(count, dw, f, dy, start, ky, q, j);
  }
}

template <int V, bool kTail>
void weight_panel(MatrixView dw, const Frame& f, const float* dy, Start start, int j) noexcept {
  const int run = f.kernel * f.in;
  const int tiles = (run + kHeight[V] - 1) / kHeight[V];
  for (int ky = 0; ky < f.kernel; ++ky) {
    for (int t = 0, q = 0; t < tiles; ++t) {
      const int count = (run - q + tiles - t - 1) / (tiles - t);
      select_weights<kHeight[V], V, kTail>(count, dw, f, dy, start, ky, q, j);
      q += count;
    }
  }
}

// 5 x 5 on one channel: two rows of the kernel at once, for a run of 5 has too few independent
// sums. Only where every row of the image is inside.
void weight_pair(MatrixView dw, const Frame& f, const float* dy, Start start, int ky) noexcept {
  tile::Sums<10, 1, true> sums;
  sums.tail = simd::mask(f.out);
  const MatrixView c{dw[ky * 5], 10, 0, dw.stride};
  sums.begin(start == Start::kZero ? nullptr : c.data, c.stride);
  for (int row = 0; row < f.rows; ++row) {
    TwoRuns left{f.image[row + ky], f.image[row + ky + 1]};
    Strided right{dy + std::ptrdiff_t{row} * f.width * f.out, f.out};
    sums.template multiply<0, 10>(left, right, f.width);
  }
  sums.template end<0, 10, Finish::kStore>(c, {nullptr, 0, 0, 0}, 0);
}

void weight_sums(MatrixView dw, const Frame& f, const float* dy, Start start) noexcept {
  if (f.kernel == 5 && f.in == 1 && f.out <= kWidth && f.above == 0 && f.stride == 1) {
    weight_pair(dw, f, dy, start, 0);
    weight_pair(dw, f, dy, start, 2);
    select_weights<5, 1, true>(5, dw, f, dy, start, 4, 0, 0);
    return;
  }
  int j = 0;
  for (; j + 2 * kWidth <= f.out; j += 2 * kWidth) weight_panel<2, false>(dw, f, dy, start, j);
  if (f.out - j > kWidth) {
    weight_panel<2, true>(dw, f, dy, start, j);
  } else if (j < f.out) {
    weight_panel<1, true>(dw, f, dy, start, j);
  }
}

}  // namespace

std::size_t convolution_scratch(const Convolution& s) noexcept {
  const std::size_t image = Convolution::size(s.height, s.width + s.kernel, s.in);
  const int width = s.out_width() * s.stride + 2 * s.kernel;  // with what lies between the columns
  return std::max(image, Convolution::size(s.out_height(), width, s.out));
}

void convolution_forward(std::span<float> y, std::span<const float> x, std::span<const float> w,
                         std::span<const float> bias, const Convolution& shape,
                         std::span<float> scratch, Activation activation) noexcept {
  const Frame f = frame_of(x.data(), shape, scratch);
  const float* start = bias.empty() ? nullptr : bias.data();
  if (activation == Activation::kRelu) {
    convolve<Finish::kRelu>(y.data(), f, w.data(), start);
  } else {
    convolve<Finish::kStore>(y.data(), f, w.data(), start);
  }
}

void convolution_flip(std::span<float> flipped, std::span<const float> w,
                      const Convolution& shape) noexcept {
  const int taps = shape.kernel * shape.kernel;
  const std::ptrdiff_t size = std::ptrdiff_t{shape.in} * shape.out;
  for (int t = 0; t < taps; ++t) {
    transpose(dense(flipped.data() + (taps - 1 - t) * size, shape.out, shape.in),
              dense(w.data() + t * size, shape.in, shape.out));
  }
}

// The forward form on the padded gradient: pads and channels change places.
void convolution_input_gradient(std::span<float> dx, std::span<const float> dy,
                                std::span<const float> flipped, const Convolution& shape,
                                std::span<float> scratch) noexcept {
  if (shape.kernel == 5 && shape.pad() == 0 && shape.in == 8 && shape.out == 16 &&
      shape.stride == 1) {
    const auto image = shape.width == 12   ? reached_image<8, 16>
                       : shape.width == 14 ? reached_image<10, 16>
                                           : nullptr;
    if (image != nullptr) return image(dx.data(), dy.data(), flipped.data(), shape.height);
  }
  const int before = shape.kernel - 1 - shape.pad();
  const int spread_width = (shape.out_width() - 1) * shape.stride + 1;
  const int after = shape.width + shape.kernel - 1 - spread_width - before;
  const Frame f{.image = padded(dy.data(), shape.out_height(), shape.out_width(), shape.out, before,
                                after, scratch, shape.stride),
                .rows = shape.height,
                .width = shape.width,
                .in = shape.out,
                .out = shape.in,
                .kernel = shape.kernel,
                .above = before,
                .between = shape.stride};
  convolve<Finish::kStore>(dx.data(), f, flipped.data(), nullptr);
}

void convolution_weight_gradient(std::span<float> dw, std::span<const float> x,
                                 std::span<const float> dy, const Convolution& shape,
                                 std::span<float> scratch, Output output) noexcept {
  const Frame f = frame_of(x.data(), shape, scratch);
  const MatrixView out{dw.data(), shape.kernel * shape.kernel * shape.in, shape.out, shape.out};
  weight_sums(out, f, dy.data(), output == Output::kAdd ? Start::kOld : Start::kZero);
}

}  // namespace skiff::kernels
