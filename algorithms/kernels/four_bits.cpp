#include "algorithms/kernels/four_bits.h"

#include <algorithm>

#include "algorithms/kernels/simd.h"

namespace skiff::kernels {
namespace {

using simd::F8;

constexpr float kLast = 15;
constexpr std::size_t kStep = 16;  // values at once: 8 bytes of codes

int code_of(float x, float least, float unit) noexcept {
  if (!(unit > 0)) return 0;
  const float place = simd::greatest((x - least) / unit + 0.5F, 0.0F);
  return static_cast<int>(simd::least(place, kLast));
}

int code_at(const std::uint8_t* codes, std::size_t i) noexcept {
  return i % 2 == 0 ? codes[i / 2] >> 4 : codes[i / 2] & 15;
}

void put(std::uint8_t* codes, std::size_t i, int code) noexcept {
  std::uint8_t& byte = codes[i / 2];
  byte = static_cast<std::uint8_t>(i % 2 == 0 ? (byte & 15) | code << 4 : (byte & 240) | code);
}

float value_of(int code, float least, float unit) noexcept {
  return std::fma(static_cast<float>(code), unit, least);
}

// 16 codes, in order, of 8 bytes.
__m128i unpacked(const std::uint8_t* codes) noexcept {
  const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(codes));
  const __m128i half = _mm_set1_epi8(15);
  const __m128i upper = _mm_and_si128(_mm_srli_epi16(bytes, 4), half);
  return _mm_unpacklo_epi8(upper, _mm_and_si128(bytes, half));
}

// 8 bytes of two times 8 codes.
void pack(std::uint8_t* codes, __m256i a, __m256i b) noexcept {
  const __m256i words = _mm256_packs_epi32(a, b);  // 4 of a, 4 of b, in each half
  const __m256i bytes = _mm256_packus_epi16(words, words);
  const __m256i pairs = _mm256_maddubs_epi16(bytes, _mm256_set1_epi16(0x0110));
  const __m256i packed = _mm256_packus_epi16(pairs, pairs);
  const __m128i both =
      _mm_unpacklo_epi16(_mm256_castsi256_si128(packed), _mm256_extracti128_si256(packed, 1));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(codes), both);
}

float across(F8 v, bool greatest) noexcept {
  __m128 four = _mm256_castps256_ps128(v);
  const auto fold = [greatest](__m128 a, __m128 b) {
    return greatest ? _mm_max_ps(a, b) : _mm_min_ps(a, b);
  };
  four = fold(four, _mm256_extractf128_ps(v, 1));
  four = fold(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(fold(four, _mm_movehdup_ps(four)));
}

}  // namespace

Range range_of(std::span<const float> x) noexcept {
  float least = x[0], greatest = x[0];
  std::size_t i = 0;
  if (x.size() >= 8) {
    F8 low = simd::load8(x.data()), high = low;
    for (i = 8; i + 8 <= x.size(); i += 8) {
      const F8 v = simd::load8(x.data() + i);
      low = simd::least(v, low), high = simd::greatest(v, high);
    }
    least = across(low, false), greatest = across(high, true);
  }
  for (; i < x.size(); ++i) {
    least = simd::least(x[i], least);
    greatest = simd::greatest(x[i], greatest);
  }
  return {least + 0.0F, greatest + 0.0F};
}

void add_four_bits(std::span<float> out, const float* x, const std::uint8_t* codes,
                   std::size_t first, float least, float unit) noexcept {
  const auto one = [&](std::size_t i) {
    out[i] = x[i] + value_of(code_at(codes, first + i), least, unit);
  };
  std::size_t i = 0;
  if (first % 2 != 0) one(i++);
  const F8 low = simd::set8(least), step = simd::set8(unit);
  for (; i + kStep <= out.size(); i += kStep) {
    const __m128i sixteen = unpacked(codes + (first + i) / 2);
    float* to = out.data() + i;
    const F8 a = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(sixteen));
    const F8 b = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_unpackhi_epi64(sixteen, sixteen)));
    simd::store(to, simd::load8(x + i) + simd::fma(a, step, low));
    simd::store(to + 8, simd::load8(x + i + 8) + simd::fma(b, step, low));
  }
  for (; i < out.size(); ++i) one(i);
}

void take_four_bits(std::uint8_t* codes, std::span<float> x, std::size_t first, float least,
                    float unit) noexcept {
  const auto one = [&](std::size_t i) {
    const int code = code_of(x[i], least, unit);
    put(codes, first + i, code);
    x[i] += value_of(code, -least, -unit);
  };
  std::size_t i = 0;
  if (first % 2 != 0) one(i++);
  const F8 low = simd::set8(least), step = simd::set8(unit), zero = simd::set8(0);
  // Division by what is not positive: by infinity instead, which gives code 0.
  const F8 below = simd::set8(unit > 0 ? unit : INFINITY);
  for (; i + kStep <= x.size(); i += kStep) {
    float* from = x.data() + i;
    const auto coded = [&](float* at) {
      const F8 v = simd::load8(at);
      const F8 place = simd::greatest((v - low) / below + simd::set8(0.5F), zero);
      const __m256i code = _mm256_cvttps_epi32(simd::least(place, simd::set8(kLast)));
      simd::store(at, v + simd::fma(F8(_mm256_cvtepi32_ps(code)), -step, -low));
      return code;
    };
    const __m256i a = coded(from), b = coded(from + 8);
    pack(codes + (first + i) / 2, a, b);
  }
  for (; i < x.size(); ++i) one(i);
}

}  // namespace skiff::kernels
