// Small symmetric systems, one a row of a block, four at a time: a row a lane.
//
// Thanos solves lambda G[q, q] = w_q for each row, q the columns that its mask takes (about half of
// a block). The systems are too small for a blocked factorisation to pay and differ in q, so four
// of them are factored side by side, those that are smaller filled up with rows of the identity:
// the same additions in the same order for each, whatever stands in the other lanes.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace skiff::pruning {

class RowSystems {
 public:
  static constexpr int kLanes = 4;
  struct Row {
    const double* weights;     // of the block's columns
    const std::uint8_t* mask;  // 1: taken
    double* lambda;            // by column; only taken ones are written
  };

  // g: width x width, symmetric, positive definite, dense. At most kLanes rows. Cost: s^3 / 3 flops
  // a row for the largest s = |q| of the four.
  void solve(const double* g, int width, const Row* rows, int count);

 private:
  using Lanes [[gnu::vector_size(kLanes * sizeof(double))]] = double;
  using Four = std::array<Lanes, 4>;
  using Pair = std::array<Four, 2>;

  void fill(const double* g, int width, const Row& row, int lane);
  Pair left(int i, int k, int j);
  void put(int i, int j, Four& sum, int width);
  void factor();
  void substitute();
  Lanes& at(int i, int k) {
    return a_[static_cast<std::size_t>(i) * static_cast<std::size_t>(n_) +
              static_cast<std::size_t>(k)];
  }

  int n_ = 0;                   // of the largest system
  std::vector<Lanes> a_;        // n + 1 rows of n: lower triangle, then right sides
  std::vector<Lanes> inverse_;  // of the diagonal
  std::array<std::vector<int>, kLanes> q_;
};

}  // namespace skiff::pruning
