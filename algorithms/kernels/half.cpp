#include "algorithms/kernels/half.h"

#include <cstddef>

#include "algorithms/kernels/simd.h"

namespace skiff::kernels {

void to_half(std::span<std::uint16_t> out, std::span<const float> x) noexcept {
  std::size_t i = 0;
  for (; i + 8 <= x.size(); i += 8) {
    const __m128i h = _mm256_cvtps_ph(_mm256_loadu_ps(x.data() + i), _MM_FROUND_TO_NEAREST_INT);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out.data() + i), h);
  }
  for (; i < x.size(); ++i) out[i] = to_half(x[i]);
}

void from_half(std::span<float> out, std::span<const std::uint16_t> h) noexcept {
  std::size_t i = 0;
  for (; i + 8 <= h.size(); i += 8) {
    const __m128i bits = _mm_loadu_si128(reinterpret_cast<const __m128i*>(h.data() + i));
    _mm256_storeu_ps(out.data() + i, _mm256_cvtph_ps(bits));
  }
  for (; i < h.size(); ++i) out[i] = from_half(h[i]);
}

std::uint16_t to_half(float x) noexcept {
  const auto bits = static_cast<std::uint32_t>(simd::bits(x));
  const std::uint32_t sign = bits >> 16 & 0x8000U;
  const std::uint32_t size = bits & 0x7fffffffU;
  if (size > 0x7f800000U) return static_cast<std::uint16_t>(sign | 0x7e00U | (size >> 13 & 0x3ffU));
  if (size >= 0x477ff000U) return static_cast<std::uint16_t>(sign | 0x7c00U);  // 65520 and above
  if (size >= 0x38800000U) {  // normal: 2^-14 and above; a carry out of the mantissa is right
    const std::uint32_t rounded = size + 0xfffU + (size >> 13 & 1U);
    return static_cast<std::uint16_t>(sign | ((rounded - 0x38000000U) >> 13));
  }
  if (size < 0x33000000U) return static_cast<std::uint16_t>(sign);  // below 2^-25
  const std::uint32_t mantissa = (size & 0x7fffffU) | 0x800000U;
  const std::uint32_t shift = 126U - (size >> 23);  // to units of 2^-24
  const std::uint32_t half = 1U << (shift - 1);
  const std::uint32_t rounded = mantissa + half - 1 + (mantissa >> shift & 1U);
  return static_cast<std::uint16_t>(sign | rounded >> shift);
}

float from_half(std::uint16_t h) noexcept {
  const std::uint32_t sign = (h & 0x8000U) << 16;
  const std::uint32_t exponent = h >> 10 & 0x1fU;
  const std::uint32_t mantissa = h & 0x3ffU;
  std::uint32_t bits = sign | (exponent + 112U) << 23 | mantissa << 13;
  if (exponent == 31) {
    bits = sign | 0x7f800000U | (mantissa == 0 ? 0 : 0x400000U | mantissa << 13);
  } else if (exponent == 0) {
    const float size = static_cast<float>(mantissa) * 0x1p-24F;
    bits = sign | static_cast<std::uint32_t>(simd::bits(size));
  }
  return simd::from_bits(static_cast<std::int32_t>(bits));
}

}  // namespace skiff::kernels
