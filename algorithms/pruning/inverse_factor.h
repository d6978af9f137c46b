// The inverse of a layer's H = sum of x x^T as U^T U, U upper triangular.
//
// All trailing inverses come with it: H[i:, i:]^-1 = U[i:, i:]^T U[i:, i:]. Never forms H^-1: with
// rows and columns reversed H = L L^T, and U is the inverse of L reversed back. 2/3 b^3 flops,
// three b x b arrays of doubles. H is damped by `damping` times the mean of its diagonal; an input
// that was never seen counts as H_jj = 1. Immutable.
#pragma once

#include <vector>

#include "algorithms/calibration.h"

namespace skiff::pruning {

inline constexpr double kDamping = 0.01;  // of the papers' programs

class InverseFactor {
 public:
  // Throws std::invalid_argument if not even 1000 times the damping makes H definite.
  InverseFactor(const InputStatistics& inputs, double damping);

  int width() const { return width_; }
  bool seen(int j) const { return seen_[static_cast<std::size_t>(j)]; }
  double operator()(int i, int j) const {
    return upper_[static_cast<std::size_t>(i) * static_cast<std::size_t>(width_) +
                  static_cast<std::size_t>(j)];
  }
  const std::vector<double>& upper() const { return upper_; }  // row-major, zeros below

 private:
  int width_;
  std::vector<bool> seen_;
  std::vector<double> upper_;
};

}  // namespace skiff::pruning
