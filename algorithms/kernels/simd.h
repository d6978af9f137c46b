// Internal: the vector types that the kernels are written in, with the few operations that the
// language's own operators lack. Elementwise operations mean the same for float, F8 and F16, so
// one template serves the scalar twin, the tails and every lane of every instruction set.
//
// F8 is 8 floats (AVX2). F16 is 16 floats: one register with AVX-512, a pair of F8 without; the
// same bits. F is the widest single register: gemm tiles and elementwise kernels use it.
#pragma once

#include <immintrin.h>

#include <cmath>
#include <cstdint>
#include <cstring>

namespace skiff::kernels::simd {

using F8 = float __attribute__((vector_size(32)));
using I8 = std::int32_t __attribute__((vector_size(32)));

inline constexpr std::int32_t kMaskTable[32] = {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
                                                -1, -1, -1, -1, -1, 0,  0,  0,  0,  0,  0,
                                                0,  0,  0,  0,  0,  0,  0,  0,  0,  0};

// --- 8 lanes --------------------------------------------------------------------------------
inline F8 load8(const float* p) noexcept { return _mm256_loadu_ps(p); }
inline I8 mask8(int count) noexcept {  // the first `count` lanes; any count, negative: none
  const int n = count < 0 ? 0 : count > 8 ? 8 : count;
  I8 m;
  std::memcpy(&m, kMaskTable + 16 - n, sizeof m);
  return m;
}
inline F8 load8(const float* p, I8 mask) noexcept {
  return _mm256_maskload_ps(p, reinterpret_cast<__m256i>(mask));
}
inline void store(float* p, F8 v) noexcept { _mm256_storeu_ps(p, v); }
inline void store(float* p, F8 v, I8 mask) noexcept {
  _mm256_maskstore_ps(p, reinterpret_cast<__m256i>(mask), v);
}
inline F8 set8(float x) noexcept { return _mm256_set1_ps(x); }
inline F8 fma(F8 a, F8 b, F8 c) noexcept { return _mm256_fmadd_ps(a, b, c); }
// The second operand where either is NaN, as `a < b ? a : b`.
inline F8 least(F8 a, F8 b) noexcept { return _mm256_min_ps(a, b); }
inline F8 greatest(F8 a, F8 b) noexcept { return _mm256_max_ps(a, b); }
inline I8 bits(F8 v) noexcept { return reinterpret_cast<I8>(v); }
inline F8 from_bits(I8 v) noexcept { return reinterpret_cast<F8>(v); }
inline F8 to_float(I8 v) noexcept { return _mm256_cvtepi32_ps(reinterpret_cast<__m256i>(v)); }
inline F8 square_root(F8 v) noexcept { return _mm256_sqrt_ps(v); }

// --- one lane -------------------------------------------------------------------------------
inline float fma(float a, float b, float c) noexcept { return std::fma(a, b, c); }
inline float least(float a, float b) noexcept { return a < b ? a : b; }
inline float greatest(float a, float b) noexcept { return a > b ? a : b; }
inline std::int32_t bits(float v) noexcept { return __builtin_bit_cast(std::int32_t, v); }
inline float from_bits(std::int32_t v) noexcept { return __builtin_bit_cast(float, v); }
inline float to_float(std::int32_t v) noexcept { return static_cast<float>(v); }
inline float square_root(float v) noexcept { return std::sqrt(v); }

// --- 16 lanes, and the widest register -------------------------------------------------------
#ifdef __AVX512F__
using F16 = float __attribute__((vector_size(64)));
using I16 = std::int32_t __attribute__((vector_size(64)));
using Mask16 = __mmask16;
// The zero-masking forms with every lane kept: GCC 12 warns of its own headers for the plain ones.
inline constexpr Mask16 kAll = 0xffff;

inline F16 load16(const float* p) noexcept { return _mm512_loadu_ps(p); }
inline Mask16 mask16(int count) noexcept {
  return count <= 0 ? Mask16{0} : static_cast<Mask16>(0xffffu >> (count >= 16 ? 0 : 16 - count));
}
inline F16 load16(const float* p, Mask16 mask) noexcept { return _mm512_maskz_loadu_ps(mask, p); }
inline void store(float* p, F16 v) noexcept { _mm512_storeu_ps(p, v); }
inline void store(float* p, F16 v, Mask16 mask) noexcept { _mm512_mask_storeu_ps(p, mask, v); }
inline F16 set16(float x) noexcept { return _mm512_set1_ps(x); }
inline F16 fma(F16 a, F16 b, F16 c) noexcept { return _mm512_fmadd_ps(a, b, c); }
inline F16 least(F16 a, F16 b) noexcept { return _mm512_maskz_min_ps(kAll, a, b); }
inline F16 greatest(F16 a, F16 b) noexcept { return _mm512_maskz_max_ps(kAll, a, b); }
inline I16 bits(F16 v) noexcept { return reinterpret_cast<I16>(v); }
inline F16 from_bits(I16 v) noexcept { return reinterpret_cast<F16>(v); }
inline F16 to_float(I16 v) noexcept { return __builtin_convertvector(v, F16); }
inline F16 square_root(F16 v) noexcept { return _mm512_maskz_sqrt_ps(kAll, v); }
inline F8 fold(F16 v) noexcept {  // lanes (l, l+8)
  return __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) +
         __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
}

inline constexpr int kWidth = 16;
using F = F16;
using I = I16;
using Mask = Mask16;
inline F load(const float* p) noexcept { return load16(p); }
inline F load(const float* p, Mask m) noexcept { return load16(p, m); }
inline Mask mask(int count) noexcept { return mask16(count); }
inline F set(float x) noexcept { return set16(x); }
#else
struct F16 {
  F8 lo, hi;
};
struct Mask16 {
  I8 lo, hi;
};

inline F16 load16(const float* p) noexcept { return {load8(p), load8(p + 8)}; }
inline Mask16 mask16(int count) noexcept { return {mask8(count), mask8(count - 8)}; }
inline F16 load16(const float* p, Mask16 m) noexcept {
  return {load8(p, m.lo), load8(p + 8, m.hi)};
}
inline F16 set16(float x) noexcept { return {set8(x), set8(x)}; }
inline F16 fma(F16 a, F16 b, F16 c) noexcept {
  return {fma(a.lo, b.lo, c.lo), fma(a.hi, b.hi, c.hi)};
}
inline F16 operator+(F16 a, F16 b) noexcept { return {a.lo + b.lo, a.hi + b.hi}; }
inline F8 fold(F16 v) noexcept { return v.lo + v.hi; }

inline constexpr int kWidth = 8;
using F = F8;
using I = I8;
using Mask = I8;
inline F load(const float* p) noexcept { return load8(p); }
inline F load(const float* p, Mask m) noexcept { return load8(p, m); }
inline Mask mask(int count) noexcept { return mask8(count); }
inline F set(float x) noexcept { return set8(x); }
#endif

// Pins a loaded vector to a register: GCC would rather load it anew for every product it is in.
template <class V>
[[gnu::always_inline]] inline V pinned(V v) noexcept {
#ifdef __AVX512F__
  __asm__("" : "+v"(v));
#else
  __asm__("" : "+x"(v));
#endif
  return v;
}

// The fixed tree that ends every 16-lane reduction: (l, l+8), (l, l+4), (l, l+2), (l, l+1).
inline float tree(F8 v) noexcept {
  const __m128 four = _mm256_castps256_ps128(v) + _mm256_extractf128_ps(v, 1);
  const __m128 two = four + _mm_movehl_ps(four, four);
  return two[0] + two[1];
}
inline float tree(F16 v) noexcept { return tree(fold(v)); }

// The trees of 8 vectors at once, in order.
inline F8 trees(const F8 (&v)[8]) noexcept {
  const auto halves = [&v](int a, int b) {  // (l, l+4) of a below, of b above
    return F8(_mm256_permute2f128_ps(v[a], v[b], 0x20)) +
           F8(_mm256_permute2f128_ps(v[a], v[b], 0x31));
  };
  const auto pairs = [](F8 a, F8 b) {  // (l, l+2)
    return F8(_mm256_shuffle_ps(a, b, 0x44)) + F8(_mm256_shuffle_ps(a, b, 0xee));
  };
  const F8 low = pairs(halves(0, 4), halves(1, 5));
  const F8 high = pairs(halves(2, 6), halves(3, 7));
  return F8(_mm256_shuffle_ps(low, high, 0x88)) + F8(_mm256_shuffle_ps(low, high, 0xdd));
}

// v[i][j] and v[j][i] change places.
inline void transpose8(F8 (&v)[8]) noexcept {
  F8 pair[8], quad[8];
  for (int i = 0; i < 8; i += 2) {
    pair[i] = _mm256_unpacklo_ps(v[i], v[i + 1]);
    pair[i + 1] = _mm256_unpackhi_ps(v[i], v[i + 1]);
  }
  for (int i = 0; i < 8; i += 4) {
    for (int h = 0; h < 2; ++h) {
      quad[i + 2 * h] = _mm256_shuffle_ps(pair[i + h], pair[i + 2 + h], 0x44);
      quad[i + 2 * h + 1] = _mm256_shuffle_ps(pair[i + h], pair[i + 2 + h], 0xee);
    }
  }
  for (int i = 0; i < 4; ++i) {
    v[i] = _mm256_permute2f128_ps(quad[i], quad[i + 4], 0x20);
    v[i + 4] = _mm256_permute2f128_ps(quad[i], quad[i + 4], 0x31);
  }
}

// The first `count` lanes; faster than a masked store on cores where that is microcode.
inline void store_first(float* p, F8 v, int count) noexcept {
  if (count >= 8) return store(p, v);
  __m128 rest = _mm256_castps256_ps128(v);
  if ((count & 4) != 0) {
    _mm_storeu_ps(p, rest);
    rest = _mm256_extractf128_ps(v, 1);
    p += 4;
  }
  if ((count & 2) != 0) {
    _mm_storel_pi(reinterpret_cast<__m64*>(p), rest);
    rest = _mm_movehl_ps(rest, rest);
    p += 2;
  }
  if ((count & 1) != 0) _mm_store_ss(p, rest);
}

}  // namespace skiff::kernels::simd
