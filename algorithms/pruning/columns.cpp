#include "algorithms/pruning/columns.h"

#include <Eigen/Cholesky>
#include <algorithm>

#include "sim/core/error.h"

namespace skiff::pruning {
namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

std::size_t at(Eigen::Index i) { return static_cast<std::size_t>(i); }

}  // namespace

std::int64_t outlier_rows(std::int64_t rows, double alpha) { return floor_share(rows, alpha); }

std::int64_t columns_removed(std::int64_t cols, double sparsity, double alpha) {
  return std::min(cols, ceil_share(cols, sparsity / (1 - alpha)));
}

std::vector<double> column_losses(const Layer& layer, const std::vector<std::uint8_t>& whole) {
  std::vector<double> losses(at(layer.cols));
  for (int i = 0; i < layer.rows; ++i) {
    if (whole[at(i)] != 0) continue;
    for (int j = 0; j < layer.cols; ++j) {
      const double w = layer.weights[layer.index(i, j)];
      losses[at(j)] += w * w * layer.inputs->squared_norm(j);
    }
  }
  return losses;
}

ColumnChoice choose_columns(const Layer& layer, double sparsity, double alpha) {
  ColumnChoice choice;
  const std::vector<double> put_out = output_norms(layer.matrix(), *layer.inputs);
  const Mask ordinary = lowest(put_out, layer.rows - outlier_rows(layer.rows, alpha));
  for (const std::uint8_t row : ordinary) choice.whole.push_back(row != 0 ? 0 : 1);
  const Mask gone =
      lowest(column_losses(layer, choice.whole), columns_removed(layer.cols, sparsity, alpha));
  for (int j = 0; j < layer.cols; ++j) {
    if (gone[at(j)] != 0) choice.gone.push_back(j);
  }
  return choice;
}

Mask mask_of(const ColumnChoice& choice, int rows, int cols) {
  Mask mask(at(rows) * at(cols));
  for (int i = 0; i < rows; ++i) {
    for (const int j : choice.gone) {
      mask[at(i) * at(cols) + at(j)] = choice.whole[at(i)] != 0 ? 0 : 1;
    }
  }
  return mask;
}

void remove_columns(Layer& layer, const InverseFactor& factor, const ColumnChoice& choice) {
  SKIFF_CHECK(factor.width() == layer.cols, "a factor of another width");
  const auto s = static_cast<Eigen::Index>(choice.gone.size());
  const Eigen::Index b = layer.cols;
  // H^-1_q. = (U_.q)^T U, and of it the columns q.
  const Eigen::Map<const RowMajor> u(factor.upper().data(), b, b);
  Eigen::MatrixXd uq(b, s);
  for (Eigen::Index c = 0; c < s; ++c) uq.col(c) = u.col(choice.gone[at(c)]);
  const Eigen::MatrixXd rows_q = uq.transpose() * u;
  Eigen::MatrixXd square(s, s);
  for (Eigen::Index c = 0; c < s; ++c) square.col(c) = rows_q.col(choice.gone[at(c)]);
  const Eigen::MatrixXd moves = Eigen::LLT<Eigen::MatrixXd>(square).solve(rows_q);
  Eigen::Map<RowMajor> w(layer.weights.data(), layer.rows, b);
  RowMajor removed = RowMajor::Zero(layer.rows, s);
  for (Eigen::Index i = 0; i < layer.rows; ++i) {
    for (Eigen::Index c = 0; c < s && choice.whole[at(i)] == 0; ++c) {
      removed(i, c) = w(i, choice.gone[at(c)]);
    }
  }
  w.noalias() -= removed * moves;
  for (Eigen::Index i = 0; i < layer.rows; ++i) {
    for (Eigen::Index c = 0; c < s && choice.whole[at(i)] == 0; ++c) {
      w(i, choice.gone[at(c)]) = 0;
    }
  }
}

}  // namespace skiff::pruning
