// Group normalization (Wu and He 2018, arXiv:1803.08494, eq. 1-3) of one image, channels last: each
// group of channels with its mean over all pixels taken off and its deviation divided out.
//
// Layouts: images are pixels x channels, dense; group g of G holds the channels from C g / G to
// C (g + 1) / G (rounded down). mean and inverse have one value a channel, equal within a group.
//   sum over pixels: four chains, chain r adds pixels r, r + 4, ... in order; (0 + 2) + (1 + 3)
//   mean = (the channels' sums, added in order) / n;  variance likewise of (x - mean)^2, by fma
//   inverse = 1 / sqrt(variance / n + epsilon);  h = (x - mean) * inverse
//   y = fma(h, w, b), plus `residual` where there is one, then perhaps a ReLU
// Backward, with sums over pixels as above of dy and of fma(dy, h, .), s and t by channel:
//   db += s;  dw += t;  a = (sum of w s over the group) / n;  c = (sum of w t) / n;
//   dx = fma(-c, h, dy * w - a) * inverse
// Thread-safe. Cost: three passes over the image forward, two over both backward.
#pragma once

#include <span>

#include "algorithms/kernels/gemm.h"
#include "algorithms/kernels/layer_norm.h"

namespace skiff::kernels {

// y may be x; `residual` may be empty, or as long as y.
void group_norm(MatrixView y, Moments moments, ConstMatrixView x, std::span<const float> w,
                std::span<const float> b, int groups, float epsilon,
                std::span<const float> residual = {},
                Activation activation = Activation::kNone) noexcept;

// dx may be dy; dw and db are added to. scratch: 2 floats a channel.
void group_norm_backward(MatrixView dx, std::span<float> dw, std::span<float> db,
                         ConstMatrixView dy, ConstMatrixView x, ConstMoments moments,
                         std::span<const float> w, int groups, std::span<float> scratch) noexcept;

}  // namespace skiff::kernels
