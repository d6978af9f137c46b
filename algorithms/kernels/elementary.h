// Internal: the polynomials behind exp.h, written once for float, F8 and F16 (simd.h), so that the
// scalar twin and every lane have the same bits. All products that are added are explicit fmas;
// compile users of this file with contraction off. Coefficients: minimax fits, rounded one by one.
#pragma once

#include <limits>

#include "algorithms/kernels/simd.h"

namespace skiff::kernels::elementary {

using simd::bits;
using simd::fma;
using simd::from_bits;
using simd::greatest;
using simd::least;
using simd::to_float;

template <class V>
[[gnu::always_inline]] inline V splat(float x) noexcept {
  return V{} + x;
}

template <class V>
[[gnu::always_inline]] inline V magnitude(V x) noexcept {
  return from_bits(bits(x) & 0x7fffffff);
}
template <class V>
[[gnu::always_inline]] inline V with_sign_of(V size, V sign) noexcept {
  return from_bits(bits(size) | (bits(sign) & std::numeric_limits<std::int32_t>::min()));
}

// e^x = 2^n e^r, |r| <= ln(2)/2; e^r = 1 + (r + r^2 q(r)). 2^n in two factors: gradual underflow.
template <class V>
[[gnu::always_inline]] inline V exp(V x) noexcept {
  constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: adding it rounds to the nearest integer
  const V c = greatest(splat<V>(-104.0F), least(splat<V>(89.0F), x));
  const V t = fma(c, splat<V>(1.44269504F), splat<V>(kRound));
  const V n = t - kRound;
  const auto power = bits(t) - bits(kRound);
  V r = fma(n, splat<V>(-0.693359375F), c);
  r = fma(n, splat<V>(2.12194440e-4F), r);
  V q = fma(splat<V>(0.00138189388F), r, splat<V>(0.00836870354F));
  q = fma(q, r, splat<V>(0.0416682884F));
  q = fma(q, r, splat<V>(0.166665211F));
  q = fma(q, r, splat<V>(0.49999994F));
  const V e = fma(r * r, q, r) + 1.0F;
  const auto half = power >> 1;
  return e * from_bits((half + 127) << 23) * from_bits((power - half + 127) << 23);
}

// log(x) = k ln(2) + log(1 + f), 1 + f in [sqrt(1/2), sqrt(2)); log(1 + f) = f - f^2/2 + f^3 P(f).
template <class V>
[[gnu::always_inline]] inline V log(V x) noexcept {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const auto tiny = x < std::numeric_limits<float>::min();
  const V scaled = tiny ? x * 8388608.0F : x;
  // Subtracting sqrt(1/2)'s bits makes the exponent field floor(log2(x / sqrt(1/2))).
  const auto shifted = bits(scaled) - 0x3f3504f3;
  const V k = to_float(shifted >> 23) - (tiny ? splat<V>(23.0F) : splat<V>(0.0F));
  const V f = from_bits((shifted & 0x007fffff) + 0x3f3504f3) - 1.0F;
  V p = fma(splat<V>(-0.0763643533F), f, splat<V>(0.127622157F));
  p = fma(p, f, splat<V>(-0.131596103F));
  p = fma(p, f, splat<V>(0.1420158F));
  p = fma(p, f, splat<V>(-0.166234091F));
  p = fma(p, f, splat<V>(0.200012416F));
  p = fma(p, f, splat<V>(-0.250008196F));
  p = fma(p, f, splat<V>(0.333333313F));
  const V square = f * f;
  V low = fma(k, splat<V>(-2.12194440e-4F), square * f * p);
  low = fma(square, splat<V>(-0.5F), low);
  const V finite = fma(k, splat<V>(0.693359375F), f + low);
  const V positive = x == kInfinity ? splat<V>(kInfinity) : finite;
  const V nonnegative = x == 0.0F ? splat<V>(-kInfinity) : positive;
  return x >= 0.0F ? nonnegative : splat<V>(std::numeric_limits<float>::quiet_NaN());
}

// log(1 + u) for u >= 0: the rounding error of w = 1 + u is put back as (u - (w - 1)) / w.
template <class V>
[[gnu::always_inline]] inline V log1p(V u) noexcept {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const V w = u + 1.0F;
  const V value = log(w) + (u - (w - 1.0F)) / w;
  return w == kInfinity ? splat<V>(kInfinity) : (w == 0.0F ? splat<V>(-kInfinity) : value);
}

// log(1 + e^x) = max(x, 0) + log1p(e^-|x|)
template <class V>
[[gnu::always_inline]] inline V softplus(V x) noexcept {
  return greatest(splat<V>(0.0F), x) + log1p(exp(-magnitude(x)));
}

// 1 / (1 + e^-x), from t = e^-|x|: 1 / (1 + t), or t / (1 + t) for negative x
template <class V>
[[gnu::always_inline]] inline V sigmoid(V x) noexcept {
  const V t = exp(-magnitude(x));
  return (x < 0.0F ? t : splat<V>(1.0F)) / (t + 1.0F);
}

// x + x^3 R(x^2) below 0.625, 1 - 2 / (e^2|x| + 1) above, with the sign of x (-0 too)
template <class V>
[[gnu::always_inline]] inline V tanh(V x) noexcept {
  const V a = magnitude(x);
  const V z = x * x;
  V p = fma(splat<V>(-0.00569229666F), z, splat<V>(0.0206281673F));
  p = fma(p, z, splat<V>(-0.0537365153F));
  p = fma(p, z, splat<V>(0.133314058F));
  p = fma(p, z, splat<V>(-0.333332807F));
  const V near = fma(x * z, p, x);
  const V far = splat<V>(1.0F) - splat<V>(2.0F) / (exp(a + a) + 1.0F);
  return with_sign_of(a < 0.625F ? near : far, x);
}

// x + x P(x^2) below 0.92; above, 1 - e^g(|x|) with a fit g of log(erfc), which is 0 in float from
// 4 on. The sign is that of x (-0 too).
template <class V>
[[gnu::always_inline]] inline V erf(V x) noexcept {
  const V a = magnitude(x);
  const V z = x * x;
  V p = fma(splat<V>(-0.00058161013F), z, splat<V>(0.00495795952F));
  p = fma(p, z, splat<V>(-0.0267419908F));
  p = fma(p, z, splat<V>(0.112811208F));
  p = fma(p, z, splat<V>(-0.376124263F));
  p = fma(p, z, splat<V>(0.128379136F));
  const V near = fma(x, p, x);
  const V c = least(splat<V>(4.0F), a);  // the second operand where either is NaN
  V g = fma(splat<V>(-2.10950839e-5F), c, splat<V>(0.000434463F));
  g = fma(g, c, splat<V>(-0.00417106459F));
  g = fma(g, c, splat<V>(0.0251194313F));
  g = fma(g, c, splat<V>(-0.108280092F));
  g = fma(g, c, splat<V>(-0.633346915F));
  g = fma(g, c, splat<V>(-1.12951493F));
  g = fma(g, c, splat<V>(0.000174684930F));
  const V far = splat<V>(1.0F) - exp(g);
  return with_sign_of(a < 0.92F ? near : far, x);
}

}  // namespace skiff::kernels::elementary
