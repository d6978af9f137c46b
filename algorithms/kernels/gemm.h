// Single-precision matrix products for layers: y = x W, dx = dy W^T, dW = x^T dy.
//
// Definition of every result, for every shape, tile and instruction set, bit by bit:
//   c = start; for k ascending: c = fma(a[k], b[k], c)
// where start is 0, a bias row, or the old value of the output. What follows (ReLU, the mask of
// its derivative, the step of gradient descent) is applied to the finished sum.
//
// Layouts: weights are row-major "inputs x outputs" with any leading dimension (flat parameter
// arrays are used in place); heads of at most 16 outputs have their own kernels in narrow.h.
// Outputs never overlap inputs. Thread-safe: no state. Cost: 2*m*k*n flops at about the FMA peak of
// a core; nothing is allocated: large products, and every gemm_nt, copy their operands in blocks
// that lie on the stack, kProductStack bytes of it.
#pragma once

#include <cstddef>
#include <span>

#include "algorithms/kernels/matrix.h"

namespace skiff::kernels {

inline constexpr std::size_t kProductStack = 240 * 1024;

enum class Activation { kNone, kRelu };  // relu(v) = 0 > v ? 0 : v, so NaN stays NaN
enum class Output { kOverwrite, kAdd };  // start from 0, or from the old value

// y[m x n] = act(bias + x[m x k] w[k x n]); an empty bias stands for zeros.
void forward(MatrixView y, Rows x, ConstMatrixView w, std::span<const float> bias = {},
             Activation activation = Activation::kNone) noexcept;
void forward(MatrixView y, ConstMatrixView x, ConstMatrixView w, std::span<const float> bias = {},
             Activation activation = Activation::kNone) noexcept;
// y = act(y + x w)
void forward_add(MatrixView y, Rows x, ConstMatrixView w,
                 Activation activation = Activation::kNone) noexcept;
void forward_add(MatrixView y, ConstMatrixView x, ConstMatrixView w,
                 Activation activation = Activation::kNone) noexcept;

// dx[m x k] = dy[m x n] w_transposed[n x k]. Make the transpose once per step with `transpose`.
void input_gradient(MatrixView dx, ConstMatrixView dy, ConstMatrixView w_transposed) noexcept;
// The same behind a ReLU: zero where its output `activation`[m x k] is not positive.
void input_gradient_relu(MatrixView dx, ConstMatrixView dy, ConstMatrixView w_transposed,
                         ConstMatrixView activation) noexcept;

// dw[k x n] = sum over the batch, in order, of x[b]^T dy[b] (on top of the old dw for kAdd).
void weight_gradient(MatrixView dw, Rows x, ConstMatrixView dy,
                     Output output = Output::kOverwrite) noexcept;
void weight_gradient(MatrixView dw, ConstMatrixView x, ConstMatrixView dy,
                     Output output = Output::kOverwrite) noexcept;
// w = fma(-rate, g, w) with g the whole sum of weight_gradient: the same bits as the two steps
// apart, without writing g. All input gradients must have been taken before.
void weight_update(MatrixView w, Rows x, ConstMatrixView dy, float rate) noexcept;
void weight_update(MatrixView w, ConstMatrixView x, ConstMatrixView dy, float rate) noexcept;

// out[j] = sum over rows ascending of m[i][j] (plain adds from 0, or from the old value).
void column_sum(std::span<float> out, ConstMatrixView m,
                Output output = Output::kOverwrite) noexcept;
// bias = fma(-rate, column_sum(dy), bias)
void bias_update(std::span<float> bias, ConstMatrixView dy, float rate) noexcept;

// Plain products: c = a b, c = a b^T, c = a^T b, or added to the old c.
void gemm_nn(MatrixView c, ConstMatrixView a, ConstMatrixView b,
             Output output = Output::kOverwrite) noexcept;
void gemm_nt(MatrixView c, ConstMatrixView a, ConstMatrixView b,
             Output output = Output::kOverwrite) noexcept;
void gemm_tn(MatrixView c, ConstMatrixView a, ConstMatrixView b,
             Output output = Output::kOverwrite) noexcept;

// out[j][i] = in[i][j], by 8 x 8 blocks in registers.
void transpose(MatrixView out, ConstMatrixView in) noexcept;

}  // namespace skiff::kernels
