#include "algorithms/kernels/reduce.h"

#include <cstddef>

#include "algorithms/kernels/simd.h"

namespace skiff::kernels {
namespace {

using simd::F16;

// 16 doubles in the same lanes as F16, with the same closing tree.
using D4 = double __attribute__((vector_size(32)));

struct D16 {
  D4 part[4];
};

D4 widen(const float* p) noexcept { return _mm256_cvtps_pd(_mm_loadu_ps(p)); }

double tree(const D16& v) noexcept {
  const D4 low = v.part[0] + v.part[2];
  const D4 high = v.part[1] + v.part[3];
  const D4 four = low + high;
  return (four[0] + four[2]) + (four[1] + four[3]);
}

// Calls body(pointer-offset, count) for blocks of 16, the last one padded: `step` sees pointers to
// 16 readable floats.
template <class Step>
double accumulate(std::size_t n, const float* a, const float* b, Step step) noexcept {
  D16 acc{};
  std::size_t i = 0;
  for (; i + 16 <= n; i += 16) {
#pragma GCC unroll 4
    for (std::size_t q = 0; q < 4; ++q) {
      acc.part[q] = step(acc.part[q], widen(a + i + 4 * q), widen(b + i + 4 * q));
    }
  }
  if (i < n) {
    float pad_a[16] = {};
    float pad_b[16] = {};
    std::memcpy(pad_a, a + i, (n - i) * sizeof(float));
    std::memcpy(pad_b, b + i, (n - i) * sizeof(float));
    for (std::size_t q = 0; q < 4; ++q) {
      acc.part[q] = step(acc.part[q], widen(pad_a + 4 * q), widen(pad_b + 4 * q));
    }
  }
  return tree(acc);
}

D4 fma4(D4 a, D4 b, D4 c) noexcept { return _mm256_fmadd_pd(a, b, c); }

}  // namespace

float dot16(std::span<const float> a, std::span<const float> b) noexcept {
  F16 acc = simd::set16(0);
  std::size_t i = 0;
  for (; i + 16 <= a.size(); i += 16) {
    acc = simd::fma(simd::load16(a.data() + i), simd::load16(b.data() + i), acc);
  }
  if (i < a.size()) {
    const auto mask = simd::mask16(static_cast<int>(a.size() - i));
    acc = simd::fma(simd::load16(a.data() + i, mask), simd::load16(b.data() + i, mask), acc);
  }
  return simd::tree(acc);
}

float sum16(std::span<const float> x) noexcept {
  F16 acc = simd::set16(0);
  std::size_t i = 0;
  for (; i + 16 <= x.size(); i += 16) acc = acc + simd::load16(x.data() + i);
  if (i < x.size()) {
    acc = acc + simd::load16(x.data() + i, simd::mask16(static_cast<int>(x.size() - i)));
  }
  return simd::tree(acc);
}

float squared_norm16(std::span<const float> x) noexcept { return dot16(x, x); }

double dot_double(std::span<const float> a, std::span<const float> b) noexcept {
  return accumulate(a.size(), a.data(), b.data(),
                    [](D4 acc, D4 x, D4 y) { return fma4(x, y, acc); });
}

double sum_double(std::span<const float> x) noexcept {
  return accumulate(x.size(), x.data(), x.data(), [](D4 acc, D4 v, D4) { return acc + v; });
}

double sum_double(std::span<const double> x) noexcept {
  D16 acc{};
  std::size_t i = 0;
  for (; i + 16 <= x.size(); i += 16) {
#pragma GCC unroll 4
    for (std::size_t q = 0; q < 4; ++q) {
      D4 v;
      std::memcpy(&v, x.data() + i + 4 * q, sizeof v);
      acc.part[q] += v;
    }
  }
  double pad[16] = {};
  if (i < x.size()) std::memcpy(pad, x.data() + i, (x.size() - i) * sizeof(double));
  for (std::size_t l = 0; i + l < x.size(); ++l) acc.part[l / 4][l % 4] += pad[l];
  return tree(acc);
}

double squared_norm_double(std::span<const float> x) noexcept { return dot_double(x, x); }

double squared_distance_double(std::span<const float> a, std::span<const float> b) noexcept {
  return accumulate(a.size(), a.data(), b.data(), [](D4 acc, D4 x, D4 y) {
    const D4 difference = x - y;
    return fma4(difference, difference, acc);
  });
}

float max_abs(std::span<const float> x) noexcept {
  float most = 0;
  for (const float v : x) {
    const float size = std::fabs(v);
    most = size > most ? size : most;
  }
  return most;
}

bool all_finite(std::span<const float> x) noexcept {
  // Exponent bits all set: infinity or NaN. An or over integers vectorises; there is no early exit.
  std::int32_t bad = 0;
  for (const float v : x) bad |= (simd::bits(v) & 0x7f800000) == 0x7f800000 ? 1 : 0;
  return bad == 0;
}

void axpy(std::span<float> y, float a, std::span<const float> x) noexcept {
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = simd::fma(a, x[i], y[i]);
}

void axpy(std::span<double> y, double a, std::span<const float> x) noexcept {
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = std::fma(a, static_cast<double>(x[i]), y[i]);
}

void add_scaled(std::span<float> out, std::span<const float> y, float a,
                std::span<const float> x) noexcept {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = simd::fma(a, x[i], y[i]);
}

void scale(std::span<float> out, float a, std::span<const float> x) noexcept {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = a * x[i];
}

void add(std::span<float> out, std::span<const float> x, std::span<const float> y) noexcept {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = x[i] + y[i];
}

void subtract(std::span<float> out, std::span<const float> x, std::span<const float> y) noexcept {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = x[i] - y[i];
}

}  // namespace skiff::kernels
