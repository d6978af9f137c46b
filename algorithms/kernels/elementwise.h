// Internal: an operation on every element, by vectors and then one by one. The operation is a
// template that means the same for a vector and for a float (simd.h, elementary.h), so neither
// position nor length can change a bit. Compile users with contraction off.
#pragma once

#include <cstddef>

#include "algorithms/kernels/simd.h"

namespace skiff::kernels::elementwise {

// body(i, vector) for i = 0, kWidth, ..., then body(i, float) for the rest: the second argument
// says by its type what to load.
template <class Body>
[[gnu::always_inline]] inline void each(std::size_t n, Body body) noexcept {
  std::size_t i = 0;
  for (; i + simd::kWidth <= n; i += simd::kWidth) body(i, simd::F{});
  for (; i < n; ++i) body(i, 0.0F);
}

[[gnu::always_inline]] inline simd::F load(const float* p, simd::F) noexcept {
  return simd::load(p);
}
[[gnu::always_inline]] inline float load(const float* p, float) noexcept { return *p; }
[[gnu::always_inline]] inline void store(float* p, simd::F v) noexcept { simd::store(p, v); }
[[gnu::always_inline]] inline void store(float* p, float v) noexcept { *p = v; }

// The 16-lane sum of reduce.h of step(sum so far, i) over i = 0..n-1.
template <class Step>
[[gnu::always_inline]] inline float lanes16(int n, Step step) noexcept {
  alignas(64) float sum[16] = {};
  int i = 0;
  for (; i + 16 <= n; i += 16) {
    for (int l = 0; l < 16; ++l) sum[l] = step(sum[l], i + l);
  }
  for (int l = 0; i + l < n; ++l) sum[l] = step(sum[l], i + l);
  return simd::tree(simd::load16(sum));
}

}  // namespace skiff::kernels::elementwise
