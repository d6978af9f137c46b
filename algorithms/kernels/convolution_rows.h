// Internal: the input gradient of a 5 x 5 convolution on 8 channels, a row of the image at a time.
//
// All columns of a row of dx are in registers, one vector of channels each; every factor of dy is
// added to the five of them that it reaches. The form of convolution_fused.cpp for any shape reads
// dy with zeros around it instead, and multiplies these: half as much again for 12 columns from 8.
#pragma once

#include <cstddef>

#include "algorithms/kernels/simd.h"

namespace skiff::kernels {

inline constexpr int kReach = 5;

// One row of kColumns + 4 columns: dx = dy * w over the rows of the kernel [first, last), where row
// ky meets the row `dy + ky * kColumns * out` of the gradient; w is [ky][kx][out][8], flipped.
template <int kColumns, int kOut>
[[gnu::noinline]] void reached_row(float* dx, const float* dy, const float* w, int first,
                                   int last) noexcept {
  simd::F8 sum[kColumns + kReach - 1] = {};
  for (int ky = first; ky < last; ++ky) {
    const float* row = dy + std::ptrdiff_t{ky} * kColumns * kOut;
    const float* taps = w + std::ptrdiff_t{ky} * kReach * kOut * 8;
#pragma GCC unroll 5
    for (int kx = 0; kx < kReach; ++kx) {
      for (int o = 0; o < kOut; ++o) {
        const simd::F8 weight = simd::load8(taps + (kx * kOut + o) * 8);
#pragma GCC unroll 16
        for (int x = 0; x < kColumns; ++x) {
          simd::F8& to = sum[x + kReach - 1 - kx];
          to = simd::fma(simd::set8(row[x * kOut + o]), weight, to);
        }
      }
    }
  }
#pragma GCC unroll 16
  for (int x = 0; x < kColumns + kReach - 1; ++x) simd::store(dx + 8 * x, sum[x]);
}

// The whole image: `height` rows of dx from height - 4 rows of dy.
template <int kColumns, int kOut>
void reached_image(float* dx, const float* dy, const float* w, int height) noexcept {
  constexpr int kAbove = kReach - 1;
  for (int y = 0; y < height; ++y) {
    const int first = y < kAbove ? kAbove - y : 0;
    const int last = y + 1 <= height - kAbove ? kReach : height - y;
    reached_row<kColumns, kOut>(dx + std::ptrdiff_t{y} * (kColumns + kAbove) * 8,
                                dy + std::ptrdiff_t{y - kAbove} * kColumns * kOut, w, first, last);
  }
}

}  // namespace skiff::kernels
