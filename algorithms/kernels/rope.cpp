#include "algorithms/kernels/rope.h"

#include <cmath>
#include <cstddef>

namespace skiff::kernels {
namespace {

// The functions of a double that the table needs, by plain series: libm's bits are no promise.

// ln x = k ln 2 + 2 atanh((m - 1) / (m + 1)), m in [sqrt(1/2), sqrt 2)
double logarithm(double x) noexcept {
  int k = 0;
  double m = std::frexp(x, &k);
  if (m < 0.70710678118654752) {
    m *= 2;
    --k;
  }
  const double z = (m - 1) / (m + 1), square = z * z;
  double sum = 0;
  for (int n = 25; n >= 1; n -= 2) sum = sum * square + 1.0 / n;
  return k * 0.69314718055994531 + 2 * z * sum;
}

// e^x = 2^n e^r
double exponential(double x) noexcept {
  const double n = std::nearbyint(x * 1.4426950408889634);
  const double r = (x - n * 0.693147180369123816490) - n * 1.90821492927058770002e-10;
  double sum = 1;
  for (int i = 16; i >= 1; --i) sum = 1 + sum * r / i;
  return std::ldexp(sum, static_cast<int>(n));
}

struct Direction {
  double cosine, sine;
};

// Of the angle modulo pi/2, then turned by its quadrant; angles up to some 1e6.
Direction direction(double angle) noexcept {
  const double quarter = std::nearbyint(angle * 0.63661977236758134);
  double r = std::fma(quarter, -1.57079632673412561417, angle);
  r = std::fma(quarter, -6.07710050650619224932e-11, r);
  const double square = r * r;
  double sine = 1, cosine = 1;
  for (int i = 18; i >= 2; i -= 2) {
    cosine = 1 - cosine * square / (i * (i - 1));
    sine = 1 - sine * square / (i * (i + 1));
  }
  sine *= r;
  switch (static_cast<long long>(quarter) & 3) {
    case 0:
      return {cosine, sine};
    case 1:
      return {-sine, cosine};
    case 2:
      return {-cosine, -sine};
    default:
      return {sine, -cosine};
  }
}

// Pairs whose members lie `apart` floats from each other and whose firsts lie `step` apart.
template <int kStep>
void turn_head(float* x, int pairs, int apart, const float* cosine, const float* sine,
               float sign) noexcept {
  for (int i = 0; i < pairs; ++i) {
    float& first = x[i * kStep];
    float& second = x[i * kStep + apart];
    const float a = first, b = second, c = cosine[i], s = sign * sine[i];
    first = std::fma(a, c, -(b * s));
    second = std::fma(a, s, b * c);
  }
}

}  // namespace

void rope_table(std::span<float> cosine, std::span<float> sine, int first, int positions,
                int head_dim, float theta) noexcept {
  const int half = head_dim / 2;
  const double step = -2.0 * logarithm(static_cast<double>(theta)) / head_dim;
  for (int i = 0; i < half; ++i) {
    const double frequency = exponential(step * i);
    for (int t = 0; t < positions; ++t) {
      const Direction d = direction((first + t) * frequency);
      const auto at = static_cast<std::size_t>(t) * static_cast<std::size_t>(half) +
                      static_cast<std::size_t>(i);
      cosine[at] = static_cast<float>(d.cosine);
      sine[at] = static_cast<float>(d.sine);
    }
  }
}

void rope(MatrixView x, int head_dim, std::span<const float> cosine, std::span<const float> sine,
          RopePairing pairing, Turn turn) noexcept {
  const int half = head_dim / 2;
  const float sign = turn == Turn::kForth ? 1.0F : -1.0F;
  for (int t = 0; t < x.rows; ++t) {
    const float* c = cosine.data() + std::ptrdiff_t{t} * half;
    const float* s = sine.data() + std::ptrdiff_t{t} * half;
    for (float* head = x[t]; head < x[t] + x.cols; head += head_dim) {
      if (pairing == RopePairing::kInterleaved) {
        turn_head<2>(head, half, 1, c, s, sign);
      } else {
        turn_head<1>(head, half, half, c, s, sign);
      }
    }
  }
}

}  // namespace skiff::kernels
