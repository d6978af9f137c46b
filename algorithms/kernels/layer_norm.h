// LayerNorm (Ba et al. 2016, arXiv:1607.06450): each row with its mean taken off and its deviation
// divided out.
//
//   mean = sum16(x) / n;  variance = sum over 16 lanes of (x - mean)^2 / n
//   inverse = 1 / sqrt(variance + epsilon);  h = (x - mean) * inverse;  y = fma(h, w, b)
// Backward, with g = dy * w, a = (sum of g) / n, c = (sum of g h) / n, both by 16 lanes:
//   dx = fma(-c, h, g - a) * inverse;  dw = fma(dy, h, dw);  db += dy, rows in order
// dx may be dy. Thread-safe. Cost: three passes over a row each way.
#pragma once

#include <span>

#include "algorithms/kernels/gemm.h"

namespace skiff::kernels {

struct Moments {  // of the rows of one input: one each a row
  std::span<float> mean, inverse;
};
struct ConstMoments {
  std::span<const float> mean, inverse;
};

void layer_norm(MatrixView y, Moments moments, ConstMatrixView x, std::span<const float> w,
                std::span<const float> b, float epsilon) noexcept;

// dx is overwritten, or added to; dw and db are always added to.
void layer_norm_backward(MatrixView dx, std::span<float> dw, std::span<float> db,
                         ConstMatrixView dy, ConstMatrixView x, ConstMoments moments,
                         std::span<const float> w, Output output = Output::kOverwrite) noexcept;

}  // namespace skiff::kernels
