#include "algorithms/kernels/rms_norm.h"

#include <cmath>

#include "algorithms/kernels/elementwise.h"
#include "algorithms/kernels/reduce.h"

namespace skiff::kernels {

void rms_norm(MatrixView y, std::span<float> inverse, ConstMatrixView x, std::span<const float> w,
              float epsilon) noexcept {
  const int n = x.cols;
  for (int r = 0; r < x.rows; ++r) {
    const float* from = x[r];
    float* to = y[r];
    const float square = squared_norm16({from, static_cast<std::size_t>(n)});
    const float inv = 1.0F / std::sqrt(square / static_cast<float>(n) + epsilon);
    inverse[static_cast<std::size_t>(r)] = inv;
    for (int i = 0; i < n; ++i) to[i] = from[i] * inv * w[static_cast<std::size_t>(i)];
  }
}

void rms_norm_backward(MatrixView dx, std::span<float> dw, ConstMatrixView dy, ConstMatrixView x,
                       std::span<const float> inverse, std::span<const float> w,
                       Output output) noexcept {
  const int n = x.cols;
  const float* weight = w.data();
  float* d_weight = dw.data();
  for (int r = 0; r < x.rows; ++r) {
    const float *in = x[r], *d = dy[r];
    float* to = dx[r];
    const float inv = inverse[static_cast<std::size_t>(r)];
    const float dot = elementwise::lanes16(
        n, [=](float sum, int i) { return std::fma(d[i] * weight[i], in[i], sum); });
    const float c = dot * (inv * inv * inv) / static_cast<float>(n);
    for (int i = 0; i < n; ++i) d_weight[i] = std::fma(d[i], in[i] * inv, d_weight[i]);
    if (output == Output::kAdd) {
      for (int i = 0; i < n; ++i) to[i] += std::fma(d[i] * weight[i], inv, -(in[i] * c));
    } else {
      for (int i = 0; i < n; ++i) to[i] = std::fma(d[i] * weight[i], inv, -(in[i] * c));
    }
  }
}

}  // namespace skiff::kernels
