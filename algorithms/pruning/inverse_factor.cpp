#include "algorithms/pruning/inverse_factor.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <stdexcept>

namespace skiff::pruning {
namespace {

using Matrix = Eigen::MatrixXd;

// Products of this library are cut into blocks by the size of the caches, and the cut is part of
// what the sums are: the same everywhere.
[[maybe_unused]] const bool pinned = [] {
  Eigen::setCpuCacheSizes(32 * 1024, 512 * 1024, 2 * 1024 * 1024);
  return true;
}();

// Lower triangular, in place: by halves, so that all of it is products.
void invert(Eigen::Ref<Matrix> m) {
  const Eigen::Index n = m.rows(), half = n / 2, rest = n - half;
  if (n <= 64) {
    const Matrix copy = m;
    m.setIdentity();
    copy.triangularView<Eigen::Lower>().solveInPlace(m);
    return;
  }
  invert(m.topLeftCorner(half, half));
  invert(m.bottomRightCorner(rest, rest));
  Matrix corner = m.bottomRightCorner(rest, rest).triangularView<Eigen::Lower>() *
                  m.bottomLeftCorner(rest, half);
  m.bottomLeftCorner(rest, half).noalias() =
      -(corner * m.topLeftCorner(half, half).triangularView<Eigen::Lower>());
}

constexpr int kTries = 4;  // with the damping, and three times ten times as much

}  // namespace

InverseFactor::InverseFactor(const InputStatistics& inputs, double damping)
    : width_(inputs.width), seen_(static_cast<std::size_t>(inputs.width), true) {
  const int b = width_;
  double mean = 0;
  for (int j = 0; j < b; ++j) {
    seen_[static_cast<std::size_t>(j)] = inputs.squared_norm(j) != 0;
    mean += seen(j) ? inputs.squared_norm(j) / b : 1.0 / b;
  }
  Matrix lower(b, b);
  for (int tries = 0;; ++tries, damping *= 10) {
    for (int i = 0; i < b; ++i) {
      for (int j = 0; j < b; ++j) {
        lower(b - 1 - i, b - 1 - j) =
            inputs.gram[static_cast<std::size_t>(i) * static_cast<std::size_t>(b) +
                        static_cast<std::size_t>(j)];
      }
    }
    for (int j = 0; j < b; ++j) {
      lower(b - 1 - j, b - 1 - j) = (seen(j) ? inputs.squared_norm(j) : 1.0) + damping * mean;
    }
    const Eigen::LLT<Eigen::Ref<Matrix>> factored(lower);
    if (factored.info() == Eigen::Success && lower.diagonal().allFinite()) break;
    if (tries + 1 == kTries) {
      throw std::invalid_argument(
          "the inputs of a layer depend on one another so much that their products have no "
          "inverse; "
          "calibrate with more samples");
    }
  }
  lower.triangularView<Eigen::StrictlyUpper>().setZero();
  invert(lower);
  upper_.assign(static_cast<std::size_t>(b) * static_cast<std::size_t>(b), 0.0);
  for (int i = 0; i < b; ++i) {
    for (int j = i; j < b; ++j) {
      upper_[static_cast<std::size_t>(i) * static_cast<std::size_t>(b) +
             static_cast<std::size_t>(j)] = lower(b - 1 - i, b - 1 - j);
    }
  }
}

}  // namespace skiff::pruning
