#include "algorithms/kernels/coded_product.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "algorithms/kernels/simd.h"

namespace skiff::kernels {
namespace {

using simd::F8;

// Eight codes from four bytes: each lane shifts its own to the bottom; a permutation looks at the
// lowest three bits, the fourth, moved to the sign, chooses between the halves of the table.
[[gnu::always_inline]] inline F8 values_of(std::uint32_t word, F8 low, F8 high) noexcept {
  const __m256i places = _mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28);
  const __m256i tops = _mm256_setr_epi32(28, 24, 20, 16, 12, 8, 4, 0);
  const __m256i all = _mm256_set1_epi32(static_cast<std::int32_t>(word));
  const __m256i code = _mm256_srlv_epi32(all, places);
  return F8(_mm256_blendv_ps(_mm256_permutevar8x32_ps(low, code),
                             _mm256_permutevar8x32_ps(high, code),
                             _mm256_castsi256_ps(_mm256_sllv_epi32(all, tops))));
}

float group_sum(const std::uint8_t* codes, const float* x, std::size_t count, F8 low,
                F8 high) noexcept {
  F8 sum[4] = {};
  for (std::size_t i = 0; i < count; i += 32) {
    std::uint32_t words[4];
    std::memcpy(words, codes + i / 2, sizeof words);
#pragma GCC unroll 4
    for (std::size_t k = 0; k < 4; ++k) {
      sum[k] = simd::fma(values_of(words[k], low, high), simd::load8(x + i + 8 * k), sum[k]);
    }
  }
  return simd::tree((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

}  // namespace

void coded_product(std::span<float> y, std::span<const std::uint8_t> codes,
                   std::span<const float> scales, std::span<const float> points,
                   std::span<const float> x, int group) noexcept {
  float table[16] = {};
  std::copy_n(points.begin(), std::min<std::size_t>(16, points.size()), table);
  const F8 low = simd::load8(table), high = simd::load8(table + 8);
  const auto g = static_cast<std::size_t>(group);
  const std::size_t groups = x.size() / g;
  for (std::size_t r = 0; r < y.size(); ++r) {
    const std::uint8_t* row = codes.data() + r * (x.size() / 2);
    float sum = 0;
    for (std::size_t k = 0; k < groups; ++k) {
      const float s = group_sum(row + k * (g / 2), x.data() + k * g, g, low, high);
      sum = simd::fma(scales[r * groups + k], s, sum);
    }
    y[r] = sum;
  }
}

}  // namespace skiff::kernels
