#include "algorithms/quantization/gptq_columns.h"

#include <Eigen/Cholesky>
#include <Eigen/Dense>
#include <algorithm>

#include "sim/core/parallel.h"

namespace skiff {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// Rounds one row after another; the rows do not meet.
class Rounding {
 public:
  Rounding(std::span<const float> values, int rows, int cols, std::span<const double> factor,
           const ColumnRounding& how)
      : values_(values),
        cols_(static_cast<std::size_t>(cols)),
        factor_(factor),
        how_(how),
        masked_(!how.kept.empty()),
        fixed_(masked_ || how.fixed_grids || how.format.group.is_tensor()),
        step_(how.format.group.inputs > 0 ? static_cast<std::size_t>(how.format.group.inputs)
                                          : cols_),
        stored_cols_(masked_ ? static_cast<int>(values.size()) : cols),
        starts_(static_cast<std::size_t>(rows) + 1),
        out_(round_to_grids(values, masked_ ? 1 : rows, stored_cols_, how.format)) {
    for (std::size_t r = 0; r + 1 < starts_.size(); ++r) {
      starts_[r + 1] = starts_[r] + (masked_ ? how.kept[r].size() : cols_);
    }
  }

  void round_row(std::size_t r) {
    std::vector<double> weights(cols_), present(cols_, masked_ ? 0.0 : 1.0);
    for (std::size_t k = 0; k < starts_[r + 1] - starts_[r]; ++k) {
      const std::size_t c = column(r, k);
      weights[c] = values_[starts_[r] + k];
      present[c] = 1;
    }
    for (std::size_t at = starts_[r]; at < starts_[r + 1]; ++at) {
      const std::size_t c = column(r, at - starts_[r]);
      const std::size_t g = group_of(r, c, at);
      if (!fixed_ && c % step_ == 0) set_grid(g, std::span(weights).subspan(c));
      const EvenGrid grid = grid_of(g);
      out_.codes[at] = even_code(static_cast<float>(weights[c]), grid, how_.format);
      const double* u = factor_.data() + c * cols_;
      const double error =
          (weights[c] - affine_value(out_.codes[at], grid.scale, grid.zero)) / u[c];
      // What is pruned takes up no error.
      for (std::size_t j = c + 1; j < cols_; ++j) weights[j] -= present[j] * (error * u[j]);
    }
  }

  AffineCodes done() { return std::move(out_); }

 private:
  std::size_t column(std::size_t r, std::size_t k) const {
    return masked_ ? static_cast<std::size_t>(how_.kept[r][k]) : k;
  }
  std::size_t group_of(std::size_t r, std::size_t c, std::size_t at) const {
    const GroupSize& group = how_.format.group;
    return masked_ ? group.index(0, static_cast<int>(at), stored_cols_)
                   : group.index(static_cast<int>(r), static_cast<int>(c), stored_cols_);
  }
  EvenGrid grid_of(std::size_t g) const {
    return {out_.scales[g],
            how_.format.zeros ? out_.zeros[g] : static_cast<float>(how_.format.middle())};
  }
  void set_grid(std::size_t g, std::span<const double> weights) {
    const std::size_t count = std::min(step_, weights.size());
    std::vector<float> now(count);
    for (std::size_t i = 0; i < count; ++i) now[i] = static_cast<float>(weights[i]);
    const EvenGrid grid = even_grid(now, how_.format);
    out_.scales[g] = grid.scale;
    if (how_.format.zeros) out_.zeros[g] = grid.zero;
  }

  std::span<const float> values_;
  std::size_t cols_;
  std::span<const double> factor_;
  const ColumnRounding& how_;
  bool masked_, fixed_;
  std::size_t step_;
  int stored_cols_;
  std::vector<std::size_t> starts_;  // of each row among all values
  AffineCodes out_;
};

}  // namespace

std::vector<double> inverse_factor(std::span<const double> gram, int cols, double damping) {
  Matrix h = Eigen::Map<const Matrix>(gram.data(), cols, cols);
  for (int i = 0; i < cols; ++i) {
    if (h(i, i) == 0) h(i, i) = 1;
  }
  const double mean = h.diagonal().mean();
  for (int attempt = 0; attempt<4; ++attempt, damping = damping> 0 ? 10 * damping : 1e-8) {
    Matrix damped = h;
    damped.diagonal().array() += damping * mean;
    // With P the reversal of the order: P H P = L L^T, so H = Z Z^T with Z = P L P upper
    // triangular, and U = Z^-1.
    const Matrix turned = damped.reverse();
    const Eigen::LLT<Matrix> cholesky(turned);
    if (cholesky.info() != Eigen::Success) continue;
    const Matrix lower = cholesky.matrixL();
    const Matrix upper = lower.reverse();
    const Matrix u = upper.triangularView<Eigen::Upper>().solve(Matrix::Identity(cols, cols));
    if (!u.allFinite()) continue;
    return {u.data(), u.data() + u.size()};
  }
  throw std::invalid_argument("the second moments of its inputs cannot be inverted");
}

AffineCodes round_columns(std::span<const float> values, int rows, int cols,
                          std::span<const double> factor, const ColumnRounding& how) {
  Rounding rounding(values, rows, cols, factor, how);
  parallel_for(static_cast<std::size_t>(rows), [&](std::size_t r) { rounding.round_row(r); });
  return rounding.done();
}

}  // namespace skiff
