// Softmax, cross entropy and the binary logistic loss, forward and backward.
//
// Definition, per row z of logits with C classes: M = max z; e = exp(z - M) (exp.h); s = sum of e
// in class order for C <= 16, else sum16's tree (reduce.h); inv = 1 / s;
//   probability = e * inv;  d = scale * fma(e, inv, -[class == label]);
//   loss = log(s) + (M - z[label]), log in single, the rest in double; rows are added in order.
// A NaN logit gives a NaN loss and gradient for its row. Labels are class indices in [0, C), not
// checked. Losses are sums over rows: divide by the rows for a mean, and pass scale = 1 / rows for
// its gradient. Outputs may be the logits themselves. Thread-safe. Cost: about C exponentials a
// row.
#pragma once

#include <cstdint>
#include <span>

#include "algorithms/kernels/matrix.h"

namespace skiff::kernels {

// Row by row probabilities.
void softmax(MatrixView out, ConstMatrixView logits) noexcept;

// The sum of losses; d[m x C] = scale * (softmax(logits) - onehot(labels)).
double softmax_cross_entropy(MatrixView d, ConstMatrixView logits,
                             std::span<const std::int32_t> labels, float scale) noexcept;
// The sum of losses only, with the same bits.
double cross_entropy(ConstMatrixView logits, std::span<const std::int32_t> labels) noexcept;

// The sum of softplus(-y z) over z, y in {-1, +1}; d = -scale * y * sigmoid(-y z).
double binary_logistic(std::span<float> d, std::span<const float> z, std::span<const float> y,
                       float scale) noexcept;
double binary_logistic(std::span<const float> z, std::span<const float> y) noexcept;

// The index of the greatest element, the lowest one of equals; NaN never wins. -1 if empty.
int argmax(std::span<const float> x) noexcept;
// How many rows have their argmax at the label.
int count_correct(ConstMatrixView logits, std::span<const std::int32_t> labels) noexcept;

}  // namespace skiff::kernels
