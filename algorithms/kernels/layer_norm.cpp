#include "algorithms/kernels/layer_norm.h"

#include <cmath>

#include "algorithms/kernels/elementwise.h"
#include "algorithms/kernels/reduce.h"

namespace skiff::kernels {

using elementwise::lanes16;

void layer_norm(MatrixView y, Moments moments, ConstMatrixView x, std::span<const float> w,
                std::span<const float> b, float epsilon) noexcept {
  const int n = x.cols;
  const auto width = static_cast<float>(n);
  const float *weight = w.data(), *bias = b.data();
  for (int r = 0; r < x.rows; ++r) {
    const float* in = x[r];
    float* to = y[r];
    const float mean = sum16({in, static_cast<std::size_t>(n)}) / width;
    const float squares = lanes16(n, [=](float sum, int i) {
      const float away = in[i] - mean;
      return std::fma(away, away, sum);
    });
    const float inv = 1.0F / std::sqrt(squares / width + epsilon);
    moments.mean[static_cast<std::size_t>(r)] = mean;
    moments.inverse[static_cast<std::size_t>(r)] = inv;
    for (int i = 0; i < n; ++i) to[i] = std::fma((in[i] - mean) * inv, weight[i], bias[i]);
  }
}

void layer_norm_backward(MatrixView dx, std::span<float> dw, std::span<float> db,
                         ConstMatrixView dy, ConstMatrixView x, ConstMoments moments,
                         std::span<const float> w, Output output) noexcept {
  const int n = x.cols;
  const auto width = static_cast<float>(n);
  const float* weight = w.data();
  float *d_weight = dw.data(), *d_bias = db.data();
  for (int r = 0; r < x.rows; ++r) {
    const float *in = x[r], *d = dy[r];
    float* to = dx[r];
    const float mean = moments.mean[static_cast<std::size_t>(r)];
    const float inv = moments.inverse[static_cast<std::size_t>(r)];
    const float a = lanes16(n, [=](float sum, int i) { return sum + d[i] * weight[i]; }) / width;
    const float c =
        lanes16(n, [=](float sum,
                       int i) { return std::fma(d[i] * weight[i], (in[i] - mean) * inv, sum); }) /
        width;
    for (int i = 0; i < n; ++i) {
      d_weight[i] = std::fma(d[i], (in[i] - mean) * inv, d_weight[i]);
      d_bias[i] += d[i];
    }
    const bool add = output == Output::kAdd;
    for (int i = 0; i < n; ++i) {
      const float h = (in[i] - mean) * inv;
      const float g = std::fma(-c, h, d[i] * weight[i] - a) * inv;
      to[i] = add ? to[i] + g : g;
    }
  }
}

}  // namespace skiff::kernels
