// Products for narrow layers: heads of at most 16 outputs (classes), weights stored [class][input].
//
// A layer is narrow by its own shape (outputs <= kNarrow), never by the batch. Definition, bit by
// bit:
//   forward          y[b][c]  = bias[c] + dot16(x[b], w[c])          (reduce.h: 16 lanes and a
//   tree) input gradient   dx[b][i] = 0; for c ascending: fma(dy[b][c], w[c][i], .) weight gradient
//   dw[c][i] = 0; for b ascending: fma(dy[b][c], x[b][i], .)
// Nothing is packed, padded or transposed; samples are read where they lie. Outputs never overlap
// inputs. Thread-safe. Cost: 2 * batch * inputs * classes flops each.
#pragma once

#include <span>

#include "algorithms/kernels/gemm.h"
#include "algorithms/kernels/matrix.h"

namespace skiff::kernels {

inline constexpr int kNarrow = 16;

// y[m x classes] = bias + x w^T; an empty bias adds nothing.
void narrow_forward(MatrixView y, Rows x, ConstMatrixView w,
                    std::span<const float> bias = {}) noexcept;
void narrow_forward(MatrixView y, ConstMatrixView x, ConstMatrixView w,
                    std::span<const float> bias = {}) noexcept;

// dx[m x inputs] = dy w; the second form is zero where `activation`[m x inputs] is not positive.
void narrow_input_gradient(MatrixView dx, ConstMatrixView dy, ConstMatrixView w) noexcept;
void narrow_input_gradient_relu(MatrixView dx, ConstMatrixView dy, ConstMatrixView w,
                                ConstMatrixView activation) noexcept;

// dw[classes x inputs] = dy^T x (or added to the old dw, which is then the start of the sums).
void narrow_weight_gradient(MatrixView dw, Rows x, ConstMatrixView dy,
                            Output output = Output::kOverwrite) noexcept;
void narrow_weight_gradient(MatrixView dw, ConstMatrixView x, ConstMatrixView dy,
                            Output output = Output::kOverwrite) noexcept;
// w = fma(-rate, dy^T x, w): the same bits as gradient and step apart.
void narrow_weight_update(MatrixView w, Rows x, ConstMatrixView dy, float rate) noexcept;
void narrow_weight_update(MatrixView w, ConstMatrixView x, ConstMatrixView dy, float rate) noexcept;

}  // namespace skiff::kernels
