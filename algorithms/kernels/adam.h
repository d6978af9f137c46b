// One step of Adam on a slice (Kingma and Ba 2015, arXiv:1412.6980, algorithm 1), elementwise:
//   m = fma(beta1, m, (1 - beta1) g);  v = fma(beta2, v, ((1 - beta2) g) g)
//   w = fma(-rate, m / fma(sqrt(v), root_correction, epsilon), w)
// where rate = learning_rate / (1 - beta1^t) and root_correction = 1 / sqrt(1 - beta2^t), so that
// m / (1 - beta1^t) and v / (1 - beta2^t) are never stored. All in float; sqrt and / are rounded
// correctly, so no instruction set can change a bit. Thread-safe. Cost: one pass over four arrays.
#pragma once

#include <cstdint>
#include <span>

namespace skiff::kernels {

struct AdamStep {
  float beta1, one_minus_beta1;
  float beta2, one_minus_beta2;
  float rate;
  float root_correction;
  float epsilon;
};

// Of step t = 1, 2, ...; the powers are exact to a few units in the last place of double, by
// squaring, without the C library's pow, whose last bit depends on the machine.
AdamStep adam_step(double learning_rate, double beta1, double beta2, double epsilon,
                   std::int64_t t) noexcept;

void adam(std::span<float> w, std::span<const float> g, std::span<float> m, std::span<float> v,
          const AdamStep& step) noexcept;

}  // namespace skiff::kernels
