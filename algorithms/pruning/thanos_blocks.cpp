// Thanos on one layer: all entries of a row's block at once (second_order.h).
#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <numeric>

#include "algorithms/pruning/row_systems.h"
#include "algorithms/pruning/second_order.h"
#include "sim/core/error.h"
#include "sim/core/parallel.h"

namespace skiff::pruning {
namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using View = Eigen::Map<RowMajor>;
using ConstView = Eigen::Map<const RowMajor>;

constexpr std::size_t kRowsAtOnce = 16;

std::size_t at(Eigen::Index i) { return static_cast<std::size_t>(i); }

// The joint update of one block under the mask of its columns.
void update_block(View w, const ConstView& u, const Mask& mask, int begin, int end) {
  const Eigen::Index rows = w.rows(), cols = w.cols(), width = end - begin;
  const Eigen::MatrixXd corner = u.block(begin, begin, width, width);
  const Eigen::MatrixXd g =
      corner.transpose() * corner.triangularView<Eigen::Upper>().toDenseMatrix();
  RowMajor lambda = RowMajor::Zero(rows, width);
  const std::size_t pieces = (at(rows) + kRowsAtOnce - 1) / kRowsAtOnce;
  parallel_for(pieces, [&](std::size_t piece) {
    RowSystems systems;
    std::array<RowSystems::Row, RowSystems::kLanes> four;
    const std::size_t last = std::min((piece + 1) * kRowsAtOnce, at(rows));
    for (std::size_t i = piece * kRowsAtOnce; i < last; i += four.size()) {
      const std::size_t count = std::min(four.size(), last - i);
      for (std::size_t r = 0; r < count; ++r) {
        const auto row = static_cast<Eigen::Index>(i + r);
        four[r] = {&w(row, begin), mask.data() + (i + r) * at(cols) + at(begin), &lambda(row, 0)};
      }
      systems.solve(g.data(), static_cast<int>(width), four.data(), static_cast<int>(count));
    }
  });
  const RowMajor errors = lambda * corner.transpose();
  w.rightCols(cols - begin).noalias() -= errors * u.block(begin, begin, width, cols - begin);
  for (Eigen::Index i = 0; i < rows; ++i) {
    for (int j = begin; j < end; ++j) {
      if (mask[at(i) * at(cols) + at(j)] != 0) w(i, j) = 0;
    }
  }
}

template <class Choose>
void thanos_blocks(Layer& layer, const InverseFactor& factor, int block, const Mask& mask,
                   Choose choose) {
  SKIFF_CHECK(factor.width() == layer.cols, "a factor of another width");
  const View w(layer.weights.data(), layer.rows, layer.cols);
  const ConstView u(factor.upper().data(), layer.cols, layer.cols);
  for (int j = 0; j < layer.cols; ++j) {
    for (int i = 0; i < layer.rows && !factor.seen(j); ++i) layer.weights[layer.index(i, j)] = 0;
  }
  for (int begin = 0; begin < layer.cols; begin += block) {
    const int end = std::min(begin + block, layer.cols);
    choose(begin, end);
    update_block(w, u, mask, begin, end);
  }
}

// |W_ij| |x_j| of the columns from `begin` to `end`.
void wanda_of(const Layer& layer, const std::vector<double>& xn, int begin, int end,
              Scores& scores) {
  const int width = end - begin;
  scores.resize(at(layer.rows) * at(width));
  std::size_t next = 0;
  for (int i = 0; i < layer.rows; ++i) {
    const double* w = layer.weights.data() + layer.index(i, begin);
    for (int j = 0; j < width; ++j) scores[next++] = std::abs(w[j]) * xn[at(begin + j)];
  }
}

}  // namespace

Mask thanos(Layer& layer, const InverseFactor& factor, const SecondOrder& options) {
  const std::vector<double> xn = input_norms(*layer.inputs);
  const Pattern& pattern = options.pattern;
  SKIFF_CHECK(!pattern.exists() || options.block % pattern.of == 0 || options.block >= layer.cols,
              "a block that cuts through groups");
  Mask mask(layer.weights.size());
  std::int64_t left = floor_share(static_cast<std::int64_t>(mask.size()), options.sparsity);
  Scores scores;
  Mask block;  // rows x its columns
  thanos_blocks(layer, factor, options.block, mask, [&](int begin, int end) {
    const int until = pattern.exists() ? end : layer.cols, width = end - begin;
    wanda_of(layer, xn, begin, until, scores);
    if (pattern.exists()) {
      block = lowest_of_pattern(scores, width, pattern);
    } else {
      lowest_of_first_columns(scores, until - begin, left, width, block);
    }
    for (int i = 0; i < layer.rows; ++i) {
      const auto from = block.begin() + static_cast<std::ptrdiff_t>(at(i) * at(width));
      std::copy(from, from + width, mask.data() + layer.index(i, begin));
    }
    left -= count(block);
  });
  return mask;
}

void thanos_update(Layer& layer, const InverseFactor& factor, const Mask& mask, int block) {
  thanos_blocks(layer, factor, block, mask, [](int, int) {});
}

}  // namespace skiff::pruning
