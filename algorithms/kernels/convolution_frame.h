// Internal: an image as the tiles of a convolution read it, with zeros beside and between columns.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>

#include "algorithms/kernels/convolution.h"

namespace skiff::kernels {

// An image whose rows are surrounded by zeros, so that tiles never ask where they are.
struct Padded {
  const float* data;
  int height, stride;  // floats from row to row

  const float* operator[](int y) const noexcept { return data + std::ptrdiff_t{y} * stride; }
};

// A convolution as the tiles see it: the padding of columns is in the image, rows may fall outside.
// Of an input gradient with a stride the image is dy with zeros between its columns, and between
// its rows there is nothing: only every `between`-th one is there.
struct Frame {
  Padded image;
  int rows, width;  // of the output
  int in, out, kernel;
  int above;  // rows of padding before the image
  int stride = 1, between = 1;

  // The first row of the kernel that meets the image at a row of the output, the end of them (they
  // lie `between` apart), and what it meets.
  int first(int row) const noexcept {
    const int top = std::max(0, above - row * stride);
    return top + (between - (row * stride + top - above) % between) % between;
  }
  int last(int row) const noexcept {
    return std::min(kernel, (image.height - 1) * between + 1 + above - row * stride);
  }
  const float* met(int row, int ky) const noexcept {
    return image[(row * stride + ky - above) / between];
  }
};

inline Padded spread(const float* x, int height, int width, int channels, int before, int after,
                     std::span<float> scratch, int between) noexcept {
  const int stride = (before + (width - 1) * between + 1 + after) * channels;
  std::fill_n(scratch.data(), std::ptrdiff_t{height} * stride, 0.0F);
  for (int y = 0; y < height; ++y) {
    float* to = scratch.data() + std::ptrdiff_t{y} * stride + before * channels;
    for (int c = 0; c < width; ++c, to += between * channels, x += channels) {
      std::memcpy(to, x, static_cast<std::size_t>(channels) * sizeof(float));
    }
  }
  return {scratch.data(), height, stride};
}

// `between` columns lie between the starts of two of x: zeros are put in.
inline Padded padded(const float* x, int height, int width, int channels, int before, int after,
                     std::span<float> scratch, int between = 1) noexcept {
  if (between > 1) return spread(x, height, width, channels, before, after, scratch, between);
  const int row = width * channels;
  if (before + after == 0) return {x, height, row};
  const int stride = (before + width + after) * channels;
  for (int y = 0; y < height; ++y) {
    float* to = scratch.data() + std::ptrdiff_t{y} * stride;
    std::fill_n(to, before * channels, 0.0F);
    std::memcpy(to + before * channels, x + std::ptrdiff_t{y} * row,
                static_cast<std::size_t>(row) * sizeof(float));
    std::fill_n(to + before * channels + row, after * channels, 0.0F);
  }
  return {scratch.data(), height, stride};
}

// The image of a convolution with the padding of its columns, and all sizes.
inline Frame frame_of(const float* x, const Convolution& s, std::span<float> scratch) noexcept {
  const int after = s.padding == Padding::kSame ? s.kernel / 2 : 0;
  return {.image = padded(x, s.height, s.width, s.in, s.pad(), after, scratch),
          .rows = s.out_height(),
          .width = s.out_width(),
          .in = s.in,
          .out = s.out,
          .kernel = s.kernel,
          .above = s.pad(),
          .stride = s.stride};
}

}  // namespace skiff::kernels
