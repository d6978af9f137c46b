#include <algorithm>

#include "algorithms/kernels/gemm.h"
#include "algorithms/kernels/simd.h"

namespace skiff::kernels {
namespace {

// The halves of rows i and i + 4 in one register, so that no lane has to cross at the end.
__m256 two_halves(const float* low, const float* high) noexcept {
  return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(low)), _mm_loadu_ps(high), 1);
}

void block8(float* out, int out_stride, const float* in, int in_stride) noexcept {
  for (int half = 0; half < 2; ++half) {
    const float* p = in + 4 * half;
    __m256 r[4];
    for (int i = 0; i < 4; ++i) {
      r[i] = two_halves(p + std::ptrdiff_t{i} * in_stride, p + std::ptrdiff_t{i + 4} * in_stride);
    }
    const __m256 a = _mm256_unpacklo_ps(r[0], r[1]);
    const __m256 b = _mm256_unpackhi_ps(r[0], r[1]);
    const __m256 c = _mm256_unpacklo_ps(r[2], r[3]);
    const __m256 d = _mm256_unpackhi_ps(r[2], r[3]);
    float* q = out + std::ptrdiff_t{4 * half} * out_stride;
    _mm256_storeu_ps(q, _mm256_shuffle_ps(a, c, 0x44));
    _mm256_storeu_ps(q + out_stride, _mm256_shuffle_ps(a, c, 0xee));
    _mm256_storeu_ps(q + 2 * std::ptrdiff_t{out_stride}, _mm256_shuffle_ps(b, d, 0x44));
    _mm256_storeu_ps(q + 3 * std::ptrdiff_t{out_stride}, _mm256_shuffle_ps(b, d, 0xee));
  }
}

}  // namespace

void transpose(MatrixView out, ConstMatrixView in) noexcept {
  for (int i = 0; i < in.rows; i += 8) {
    const int rows = std::min(8, in.rows - i);
    for (int j = 0; j < in.cols; j += 8) {
      const int cols = std::min(8, in.cols - j);
      if (rows == 8 && cols == 8) {
        block8(out[j] + i, out.stride, in[i] + j, in.stride);
        continue;
      }
      for (int r = 0; r < rows; ++r) {
        for (int c = 0; c < cols; ++c) out[j + c][i + r] = in[i + r][j + c];
      }
    }
  }
}

}  // namespace skiff::kernels
