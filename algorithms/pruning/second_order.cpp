#include "algorithms/pruning/second_order.h"

#include <Eigen/Core>
#include <algorithm>

#include "algorithms/kernels/reduce.h"
#include "sim/core/error.h"
#include "sim/core/parallel.h"

namespace skiff::pruning {
namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using View = Eigen::Map<RowMajor>;
using ConstView = Eigen::Map<const RowMajor>;

std::size_t at(int i) { return static_cast<std::size_t>(i); }

void forget_unseen(Layer& layer, const InverseFactor& factor) {
  for (int j = 0; j < layer.cols; ++j) {
    for (int i = 0; i < layer.rows && !factor.seen(j); ++i) layer.weights[layer.index(i, j)] = 0;
  }
}

// Lowest (w / U_jj)^2 of the columns [begin, end) of all rows.
void choose_block(const Layer& layer, const InverseFactor& factor, int begin, int end,
                  double sparsity, Mask& mask) {
  const int width = end - begin;
  Scores scores(at(layer.rows) * at(width));
  for (int i = 0; i < layer.rows; ++i) {
    for (int j = begin; j < end; ++j) {
      const double e = layer.weights[layer.index(i, j)] / factor(j, j);
      scores[at(i) * at(width) + at(j - begin)] = e * e;
    }
  }
  const Mask of_block =
      lowest(scores, floor_share(static_cast<std::int64_t>(scores.size()), sparsity));
  for (int i = 0; i < layer.rows; ++i) {
    std::copy_n(of_block.data() + at(i) * at(width), width, mask.data() + layer.index(i, begin));
  }
}

// The group that begins at column j of one row.
void choose_group(const double* w, const InverseFactor& factor, int j, const Pattern& pattern,
                  std::uint8_t* mask) {
  std::vector<double> scores(at(pattern.of));
  for (int l = 0; l < pattern.of; ++l) {
    const double e = w[j + l] / factor(j + l, j + l);
    scores[at(l)] = e * e;
  }
  const Mask group = lowest_of_pattern(scores, pattern.of, pattern);
  std::copy(group.begin(), group.end(), mask + j);
}

// Columns [begin, end) of one row; errors: end - begin values. Returns the sum of their squares.
double treat_row(double* w, std::uint8_t* mask, double* errors, const InverseFactor& factor,
                 int begin, int end, const Pattern* choosing) {
  double squares = 0;
  for (int j = begin; j < end; ++j) {
    if (choosing != nullptr && j % choosing->of == 0 && j + choosing->of <= factor.width()) {
      choose_group(w, factor, j, *choosing, mask);
    }
    errors[j - begin] = 0;
    if (mask[j] == 0) continue;
    const double e = w[j] / factor(j, j);
    const double* u = factor.upper().data() + at(j) * at(factor.width());
    for (int l = j; l < end; ++l) w[l] -= e * u[l];
    w[j] = 0;
    errors[j - begin] = e;
    squares += e * e;
  }
  return squares;
}

// Takes the mask block by block from `choose(begin, end)`; within a block from `choosing`.
template <class Choose>
double sparsegpt_blocks(Layer& layer, const InverseFactor& factor, int block, Mask& mask,
                        const Pattern* choosing, Choose choose) {
  SKIFF_CHECK(factor.width() == layer.cols, "a factor of another width");
  forget_unseen(layer, factor);
  View w(layer.weights.data(), layer.rows, layer.cols);
  const ConstView u(factor.upper().data(), layer.cols, layer.cols);
  std::vector<double> squares(at(layer.rows));
  for (int begin = 0; begin < layer.cols; begin += block) {
    const int end = std::min(begin + block, layer.cols), rest = layer.cols - end;
    choose(begin, end);
    RowMajor errors(layer.rows, end - begin);
    parallel_for(
        at(layer.rows),
        [&](std::size_t i) {
          const auto row = static_cast<Eigen::Index>(i);
          squares[i] += treat_row(&w(row, 0), mask.data() + i * at(layer.cols), &errors(row, 0),
                                  factor, begin, end, choosing);
        },
        16);
    if (rest > 0) {
      w.rightCols(rest).noalias() -= errors * u.block(begin, end, end - begin, rest);
    }
  }
  return kernels::sum_double(squares);
}

}  // namespace

Mask sparsegpt(Layer& layer, const InverseFactor& factor, const SecondOrder& options) {
  Mask mask(layer.weights.size());
  const Pattern* pattern = options.pattern.exists() ? &options.pattern : nullptr;
  SKIFF_CHECK(pattern == nullptr || options.block % pattern->of == 0 || options.block >= layer.cols,
              "a block that cuts through groups");
  sparsegpt_blocks(layer, factor, options.block, mask, pattern, [&](int begin, int end) {
    if (pattern == nullptr) choose_block(layer, factor, begin, end, options.sparsity, mask);
  });
  return mask;
}

double sparsegpt_update(Layer& layer, const InverseFactor& factor, const Mask& mask, int block) {
  Mask given = mask;
  return sparsegpt_blocks(layer, factor, block, given, nullptr, [](int, int) {});
}

std::int64_t sparsegpt_removed(const SecondOrder& options, std::int64_t rows, std::int64_t cols) {
  if (options.pattern.exists()) return pattern_count(options.pattern, rows, cols);
  std::int64_t removed = 0;
  for (std::int64_t begin = 0; begin < cols; begin += options.block) {
    const std::int64_t width = std::min<std::int64_t>(options.block, cols - begin);
    removed += floor_share(rows * width, options.sparsity);
  }
  return removed;
}

double update_flops(double rows, double cols, double block, double solved) {
  return rows * cols * (cols + 2 * block + solved * solved * solved / (3 * block));
}

double second_order_scratch(double rows, double cols) {
  return 2 * rows * cols + 4 * cols * cols;  // W and scores; H, its factor, and their copies
}

}  // namespace skiff::pruning
