#include "algorithms/kernels/fwht.h"

#include <cstddef>
#include <limits>

#include "algorithms/kernels/simd.h"

namespace skiff::kernels {
namespace {

using simd::F8;
using simd::I8;

constexpr std::int32_t kMinus = std::numeric_limits<std::int32_t>::min();  // the sign bit

// Distances 1, 2 and 4 within a register: the other of each pair, plus the own value with its sign
// turned in the upper place: a - b and b' + (-b) round alike.
[[gnu::always_inline]] inline F8 within(F8 v) noexcept {
  const I8 odd{0, kMinus, 0, kMinus, 0, kMinus, 0, kMinus};
  const I8 upper_two{0, 0, kMinus, kMinus, 0, 0, kMinus, kMinus};
  const I8 upper_four{0, 0, 0, 0, kMinus, kMinus, kMinus, kMinus};
  v = F8(_mm256_permute_ps(v, 0xb1)) + simd::from_bits(simd::bits(v) ^ odd);
  v = F8(_mm256_permute_ps(v, 0x4e)) + simd::from_bits(simd::bits(v) ^ upper_two);
  return F8(_mm256_permute2f128_ps(v, v, 0x01)) + simd::from_bits(simd::bits(v) ^ upper_four);
}

[[gnu::always_inline]] inline void butterfly(F8& a, F8& b) noexcept {
  const F8 sum = a + b;
  b = a - b;
  a = sum;
}

// Distances 1 to 32 of 64 values.
void first_six(float* x) noexcept {
  F8 v[8];
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) v[i] = within(simd::load8(x + 8 * i));
#pragma GCC unroll 3
  for (int h = 1; h < 8; h *= 2) {
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
      if ((i & h) == 0) butterfly(v[i], v[i + h]);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) simd::store(x + 8 * i, v[i]);
}

// Distances h and 2 h of 4 h values.
void two_more(float* x, std::size_t h) noexcept {
  for (std::size_t i = 0; i < h; i += 8) {
    F8 a = simd::load8(x + i), b = simd::load8(x + i + h);
    F8 c = simd::load8(x + i + 2 * h), d = simd::load8(x + i + 3 * h);
    butterfly(a, b);
    butterfly(c, d);
    butterfly(a, c);
    butterfly(b, d);
    simd::store(x + i, a);
    simd::store(x + i + h, b);
    simd::store(x + i + 2 * h, c);
    simd::store(x + i + 3 * h, d);
  }
}

// Distance h alone, of 2 h values; of any size.
void one_more(float* x, std::size_t h) noexcept {
  for (std::size_t i = 0; i < h; ++i) {
    const float a = x[i], b = x[i + h];
    x[i] = a + b;
    x[i + h] = a - b;
  }
}

}  // namespace

void fwht(std::span<float> x) noexcept {
  const std::size_t n = x.size();
  std::size_t h = 1;
  if (n >= 64) {
    for (std::size_t i = 0; i < n; i += 64) first_six(x.data() + i);
    for (h = 64; 4 * h <= n; h *= 4) {
      for (std::size_t i = 0; i < n; i += 4 * h) two_more(x.data() + i, h);
    }
  }
  for (; h < n; h *= 2) {
    for (std::size_t i = 0; i < n; i += 2 * h) one_more(x.data() + i, h);
  }
}

}  // namespace skiff::kernels
