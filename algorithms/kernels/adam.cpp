#include "algorithms/kernels/adam.h"

#include <cmath>

#include "algorithms/kernels/elementwise.h"

namespace skiff::kernels {
namespace {

double power(double base, std::int64_t exponent) noexcept {
  double result = 1;
  for (; exponent > 0; exponent >>= 1) {
    if ((exponent & 1) != 0) result *= base;
    base *= base;
  }
  return result;
}

// A register full of x, or x itself: what `like` is.
[[gnu::always_inline]] inline simd::F spread(float x, simd::F) noexcept { return simd::set(x); }
[[gnu::always_inline]] inline float spread(float x, float) noexcept { return x; }

}  // namespace

AdamStep adam_step(double learning_rate, double beta1, double beta2, double epsilon,
                   std::int64_t t) noexcept {
  AdamStep step;
  step.beta1 = static_cast<float>(beta1);
  step.one_minus_beta1 = static_cast<float>(1 - beta1);
  step.beta2 = static_cast<float>(beta2);
  step.one_minus_beta2 = static_cast<float>(1 - beta2);
  step.rate = static_cast<float>(learning_rate / (1 - power(beta1, t)));
  step.root_correction = static_cast<float>(1 / std::sqrt(1 - power(beta2, t)));
  step.epsilon = static_cast<float>(epsilon);
  return step;
}

void adam(std::span<float> w, std::span<const float> g, std::span<float> m, std::span<float> v,
          const AdamStep& step) noexcept {
  using elementwise::load;
  using elementwise::store;
  elementwise::each(w.size(), [&](std::size_t i, auto like) {
    const auto constant = [like](float x) { return spread(x, like); };
    const auto slope = load(g.data() + i, like);
    const auto mean = simd::fma(constant(step.beta1), load(m.data() + i, like),
                                constant(step.one_minus_beta1) * slope);
    const auto square = simd::fma(constant(step.beta2), load(v.data() + i, like),
                                  constant(step.one_minus_beta2) * slope * slope);
    store(m.data() + i, mean);
    store(v.data() + i, square);
    const auto below = simd::fma(simd::square_root(square), constant(step.root_correction),
                                 constant(step.epsilon));
    store(w.data() + i, simd::fma(constant(-step.rate), mean / below, load(w.data() + i, like)));
  });
}

}  // namespace skiff::kernels
