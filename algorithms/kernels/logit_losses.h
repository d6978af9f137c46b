// What a student's logits z lack of a teacher's logits v, row by row, and its gradient.
//
// softened_divergence: Hinton, Vinyals and Dean 2015 (arXiv:1503.02531), section 2: with
//   p_T(z) = softmax(z / T) a row adds T^2 KL(p_T(v) || p_T(z)), and d = scale T (p_T(z) - p_T(v)).
//   As T grows this becomes the difference of the centred logits, divided by their number.
// logits_mse: a row adds |z - v|^2 / (2 L), d = scale (z - v) / L.
// top_divergence: the teacher says only k of its L probabilities (at T, with their classes); what
//   is left of 1 is one class "any other" for both sides: KL over k + 1 classes times T^2.
// Sums over rows: divide by the rows for a mean and pass scale = 1 / rows for its gradient; factors
// such as T^2 are left out by dividing by them. Logits are rows x L; d may be z. Exponentials are
// taken in double, so that differences of nearly equal probabilities survive. Thread-safe, no
// allocation. Cost: four exponentials an entry (top_divergence: two).
#pragma once

#include <cstdint>
#include <span>

#include "algorithms/kernels/matrix.h"

namespace skiff::kernels {

// Logits become probabilities, softmax(row / T).
void soften(MatrixView logits, double temperature) noexcept;
double softened_divergence(MatrixView d, ConstMatrixView z, ConstMatrixView v, double temperature,
                           double scale) noexcept;
double logits_mse(MatrixView d, ConstMatrixView z, ConstMatrixView v, double scale) noexcept;

// The k likeliest classes of each row of v at this temperature, likeliest first (equals: the lower
// class), and their probabilities: rows x k each.
void top_probabilities(std::span<std::int32_t> classes, std::span<float> probabilities,
                       ConstMatrixView v, int k, double temperature) noexcept;
double top_divergence(MatrixView d, ConstMatrixView z, std::span<const std::int32_t> classes,
                      std::span<const float> probabilities, double temperature,
                      double scale) noexcept;

}  // namespace skiff::kernels
