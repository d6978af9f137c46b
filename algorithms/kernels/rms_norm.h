// RMSNorm (Zhang and Sennrich 2019, arXiv:1910.07467): each row divided by its root mean square.
//
//   inverse = 1 / sqrt(dot16(x, x) / n + epsilon);  y[i] = (x[i] * inverse) * w[i]
// Backward, with g = dy * w and c = dot16(g, x) * inverse^3 / n:
//   dx[i] = fma(g[i], inverse, -(x[i] * c));  dw[i] = fma(dy[i], x[i] * inverse, dw[i]), rows in
//   order
// dx may be dy. Thread-safe. Cost: two passes over a row each way.
#pragma once

#include <span>

#include "algorithms/kernels/gemm.h"

namespace skiff::kernels {

// inverse: one a row.
void rms_norm(MatrixView y, std::span<float> inverse, ConstMatrixView x, std::span<const float> w,
              float epsilon) noexcept;

// dx is overwritten, or added to; dw is always added to.
void rms_norm_backward(MatrixView dx, std::span<float> dw, ConstMatrixView dy, ConstMatrixView x,
                       std::span<const float> inverse, std::span<const float> w,
                       Output output = Output::kOverwrite) noexcept;

}  // namespace skiff::kernels
