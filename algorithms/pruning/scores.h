// How much a weight matters to its layer y = W x: one function of both sides of the layer.
//
// With xn_j = |x_j| over the calibration's inputs and yn_i = |y_i| over its outputs, for weight
// W_ij from input j to output i:
//
//   magnitude           |W_ij|
//   wanda               |W_ij| xn_j                                   Sun et al. 2023, eq. 1
//   symmetric           |W_ij| (xn_j + yn_i)     Yi and Richtarik 2025: the exact change of
//                       |X(W~ - W)| + |(W~ - W)Y| when the entry is zeroed
//   symmetric-weights   |W_ij| sqrt(|W_.j|^2 + |W_i.|^2): the squared form, with X = Y = W^T
//   relative            |W_ij| (1/|W_i.|_p + 1/|W_.j|_p)              RI; p = 1 by default
//   ria                 relative times xn_j^alpha                     Zhang et al. 2024; alpha 0.5
//   stochastic-ria      the same with sums over a random share of each row and column, scaled up
//
// Symmetric scores may divide xn and yn by their means first (`balanced`), so that neither side
// drowns the other. A norm of 0 counts as an inverse of 0. All in double. Pure functions.
#pragma once

#include <span>
#include <vector>

#include "algorithms/calibration.h"

namespace skiff::pruning {

struct MatrixOf {  // row-major outputs x inputs
  std::span<const double> values;
  int rows, cols;
  double operator()(int i, int j) const {
    return values[static_cast<std::size_t>(i) * static_cast<std::size_t>(cols) +
                  static_cast<std::size_t>(j)];
  }
  std::span<const double> row(int i) const {
    const auto width = static_cast<std::size_t>(cols);
    return values.subspan(static_cast<std::size_t>(i) * width, width);
  }
};

using Scores = std::vector<double>;

Scores magnitude(const MatrixOf& w);
Scores wanda(const MatrixOf& w, std::span<const double> xn);
Scores symmetric(const MatrixOf& w, std::span<const double> xn, std::span<const double> yn);
Scores symmetric_weights(const MatrixOf& w);

// 1/|W_i.|_p of the outputs and 1/|W_.j|_p of the inputs; p = infinity is the largest entry.
struct Inverses {
  std::vector<double> rows, cols;
};
Inverses inverse_norms(const MatrixOf& w, double p);
// 1-norms estimated from a share of each row and column, at least one entry, drawn without
// replacement; share = 1: exactly inverse_norms(w, 1).
Inverses sampled_inverse_norms(const MatrixOf& w, double share, Stream stream);
Scores relative(const MatrixOf& w, const Inverses& inverses);
// Multiplies column j by xn_j^alpha.
void activate(Scores& scores, int cols, std::span<const double> xn, double alpha);

// xn_j = sqrt(H_jj) and yn_i = sqrt(w_i H w_i^T), with H the sum of x x^T.
std::vector<double> input_norms(const InputStatistics& inputs);
std::vector<double> output_norms(const MatrixOf& w, const InputStatistics& inputs);
// Divides by the mean, if that is not 0.
void divide_by_mean(std::vector<double>& norms);

// tr((V - W) H (V - W)^T): how far the layer's outputs moved, squared.
double output_error(const MatrixOf& before, const MatrixOf& after, const InputStatistics& inputs);

}  // namespace skiff::pruning
