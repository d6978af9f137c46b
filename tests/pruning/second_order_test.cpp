// Second-order updates against figures worked out independently, and what must always hold.
#include "algorithms/pruning/second_order.h"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <algorithm>

#include "algorithms/pruning/columns.h"
#include "tests/pruning/closed_layer.h"

namespace skiff::testing {
namespace {

using pruning::InverseFactor;
using pruning::Layer;
using pruning::Mask;
using pruning::SecondOrder;

constexpr int kCols = ClosedLayer::kCols, kRows = ClosedLayer::kRows;

Layer layer_of(const ClosedLayer& closed) {
  Layer layer;
  layer.rows = kRows;
  layer.cols = kCols;
  layer.weights = closed.w;
  layer.inputs = &closed.inputs;
  return layer;
}

Mask wanda_rows(const ClosedLayer& closed) {
  return pruning::lowest_of_rows(pruning::wanda(closed.matrix(), closed.xn()), kCols, 8);
}

// A row of six and H_ij = 0.9^|i-j|.
struct SixWeights {
  InputStatistics inputs;
  Layer layer;
  Mask mask{0, 1, 0, 1, 1, 0};

  SixWeights() {
    inputs.width = 6;
    for (int i = 0; i < 36; ++i) inputs.gram.push_back(std::pow(0.9, std::abs(i / 6 - i % 6)));
    layer.rows = 1;
    layer.cols = 6;
    layer.weights = {1, -2, 3, -1, .5, 2};
    layer.inputs = &inputs;
  }
  double error() const {
    const std::vector<double> before{1, -2, 3, -1, .5, 2};
    return pruning::output_error({before, 1, 6}, layer.matrix(), inputs);
  }
};

void expect_row(const Layer& layer, std::vector<double> expected) {
  for (std::size_t j = 0; j < expected.size(); ++j) {
    EXPECT_NEAR(layer.weights[j], expected[j], 1e-6) << j;
  }
}

TEST(SecondOrderTest, SixWeightsByHand) {
  SixWeights joint;
  const InverseFactor factor(joint.inputs, 0);
  const auto inverse = [&](int i, int j) {
    double sum = 0;
    for (int k = 0; k < 6; ++k) sum += factor(k, i) * factor(k, j);
    return sum;
  };
  EXPECT_NEAR(inverse(0, 0), 5.263158, 1e-6);
  EXPECT_NEAR(inverse(3, 3), 9.526316, 1e-6);
  EXPECT_NEAR(inverse(3, 4), -4.736842, 1e-6);
  pruning::thanos_update(joint.layer, factor, joint.mask, 6);
  expect_row(joint.layer, {0.005525, 0, 1.509195, 0, 0, 2.001825});
  EXPECT_NEAR(joint.error(), 0.524862942607, 1e-11);
  SixWeights one_by_one;
  const double squares = pruning::sparsegpt_update(one_by_one.layer, factor, one_by_one.mask, 6);
  expect_row(one_by_one.layer, {1, 0, 1.2, 0, 0, 1.64});
  EXPECT_NEAR(one_by_one.error(), 0.9804, 1e-12);
  EXPECT_NEAR(squares, 0.9804, 1e-12);
}

struct Known {
  int block;
  double error;
};

TEST(SecondOrderTest, SparsegptOfTheClosedLayer) {
  const ClosedLayer closed;
  const InverseFactor factor(closed.inputs, 0);
  for (const auto& [block, error] :
       {Known{4, 4.117955102}, Known{8, 5.348251798}, Known{16, 6.194356715}}) {
    Layer layer = layer_of(closed);
    const Mask mask = pruning::sparsegpt(layer, factor, {.block = block, .sparsity = 0.5});
    EXPECT_NEAR(closed.error(layer.weights), error, 1e-6) << block;
    EXPECT_EQ(pruning::count(mask), 64);
    if (block != 8) continue;
    EXPECT_EQ(words(mask, kCols), "df3c 4f3c 4f3e 4f3e 459a 249a 2698 0619");
  }
  Layer pattern = layer_of(closed);
  pruning::sparsegpt(pattern, factor, {.block = 16, .pattern = {2, 4}});
  EXPECT_NEAR(closed.error(pattern.weights), 5.601963673, 1e-6);
}

TEST(SecondOrderTest, ThanosOfTheClosedLayer) {
  const ClosedLayer closed;
  const InverseFactor factor(closed.inputs, 0);
  for (const auto& [block, error] : {Known{1, 3.301117292}, Known{4, 4.383168700},
                                     Known{8, 4.353366341}, Known{16, 3.466972686}}) {
    Layer layer = layer_of(closed);
    const Mask mask = pruning::thanos(layer, factor, {.block = block, .sparsity = 0.5});
    EXPECT_NEAR(closed.error(layer.weights), error, 1e-6) << block;
    EXPECT_EQ(pruning::count(mask), 64);
    if (block != 8) continue;
    EXPECT_EQ(words(mask, kCols), "df3c cf3c cf3c 4f1e 459a 269a 2698 0609");
  }
  for (const auto& [block, error] :
       {Known{4, 3.740009263}, Known{8, 3.398331663}, Known{16, 3.421048823}}) {
    Layer layer = layer_of(closed);
    const Mask mask = pruning::thanos(layer, factor, {.block = block, .pattern = {2, 4}});
    EXPECT_NEAR(closed.error(layer.weights), error, 1e-6) << block;
    if (block != 16) continue;
    EXPECT_EQ(words(mask, kCols), "933c c93c c93c cc3a c69a a69a a699 a659");
  }
}

TEST(SecondOrderTest, DampingEntersTheFactorAlone) {
  const ClosedLayer closed;
  const InverseFactor factor(closed.inputs, 0.01);
  Layer layer = layer_of(closed);
  const Mask mask = pruning::sparsegpt(layer, factor, {.block = 8, .sparsity = 0.5});
  EXPECT_NEAR(closed.error(layer.weights), 5.379240916, 1e-6);
  EXPECT_EQ(words(mask, kCols), "df3c 4f3c 4f3e 4f3e 459a 249a 2698 0619");
  layer.weights = closed.w;
  // The sum of e^2 is the error in the damped H.
  EXPECT_NEAR(pruning::sparsegpt_update(layer, factor, mask, 8), 5.800697590, 1e-6);
  layer.weights = closed.w;
  EXPECT_EQ(words(pruning::thanos(layer, factor, {.block = 8, .sparsity = 0.5}), kCols),
            "df3c cf3c cf3c 4f1e 459a 269a 2698 0609");
  EXPECT_NEAR(closed.error(layer.weights), 4.358954907, 1e-6);
}

TEST(SecondOrderTest, UpdatesUnderWandasMask) {
  const ClosedLayer closed;
  const InverseFactor factor(closed.inputs, 0);
  const Mask mask = wanda_rows(closed);
  Layer layer = layer_of(closed);
  pruning::thanos_update(layer, factor, mask, 16);
  EXPECT_NEAR(closed.error(layer.weights), 2.470522854, 1e-6);
  expect_row(layer, {.841471, .868586, 0, 0, -1.515079, 0, .549803, .845413, 0, 0, 0, 0, -.144078,
                     .990607, .499880, 0});
  layer.weights = closed.w;
  EXPECT_NEAR(pruning::sparsegpt_update(layer, factor, mask, 16), 5.497381871, 1e-6);
  EXPECT_NEAR(closed.error(layer.weights), 5.497381871, 1e-6);
}

TEST(SecondOrderTest, OneColumnAtATimeTheTwoAreOne) {
  const ClosedLayer closed;
  const InverseFactor factor(closed.inputs, 0);
  const Mask mask = wanda_rows(closed);
  Layer one = layer_of(closed), other = layer_of(closed);
  pruning::thanos_update(one, factor, mask, 1);
  pruning::sparsegpt_update(other, factor, mask, 4);
  for (std::size_t i = 0; i < one.weights.size(); ++i) {
    EXPECT_NEAR(one.weights[i], other.weights[i], 1e-12);
  }
}

TEST(SecondOrderTest, TheJointUpdateIsConstrainedLeastSquaresAndNoneIsBetter) {
  const ClosedLayer closed;
  const InverseFactor factor(closed.inputs, 0);
  const Mask mask = wanda_rows(closed);
  Layer layer = layer_of(closed);
  pruning::thanos_update(layer, factor, mask, kCols);
  const Eigen::MatrixXd h = Eigen::Map<const Eigen::MatrixXd>(closed.inputs.gram.data(), 16, 16);
  for (int i = 0; i < kRows; ++i) {
    // Kept entries k solve H_kk v = H_k. w, the normal equations.
    std::vector<int> kept;
    for (int j = 0; j < kCols; ++j) {
      if (mask[layer.index(i, j)] == 0) kept.push_back(j);
    }
    const Eigen::VectorXd w = Eigen::Map<const Eigen::VectorXd>(&closed.w[layer.index(i, 0)], 16);
    const Eigen::VectorXd best = h(kept, kept).ldlt().solve(h(kept, Eigen::all) * w);
    for (std::size_t k = 0; k < kept.size(); ++k) {
      EXPECT_NEAR(layer.weights[layer.index(i, kept[k])], best(static_cast<Eigen::Index>(k)), 1e-8);
    }
  }
  const double joint = closed.error(layer.weights);
  EXPECT_LE(joint, closed.error(mask));
  for (const int block : {1, 2, 4, 8}) {
    Layer other = layer_of(closed);
    pruning::thanos_update(other, factor, mask, block);
    EXPECT_LE(joint, closed.error(other.weights) + 1e-12) << block;
  }
}

TEST(SecondOrderTest, TheFactorsCornersAreTheTrailingInverses) {
  const ClosedLayer closed;
  const InverseFactor factor(closed.inputs, 0);
  const Eigen::MatrixXd h = Eigen::Map<const Eigen::MatrixXd>(closed.inputs.gram.data(), 16, 16);
  const Eigen::MatrixXd u =
      Eigen::Map<const Eigen::MatrixXd>(factor.upper().data(), 16, 16).transpose();
  for (int i = 0; i < kCols; ++i) {
    const Eigen::MatrixXd corner = u.bottomRightCorner(16 - i, 16 - i);
    const Eigen::MatrixXd trailing = h.bottomRightCorner(16 - i, 16 - i);
    EXPECT_LT((corner.transpose() * corner * trailing - Eigen::MatrixXd::Identity(16 - i, 16 - i))
                  .cwiseAbs()
                  .maxCoeff(),
              1e-10);
  }
}

TEST(SecondOrderTest, TheScaleOfTheInputsDoesNotMatter) {
  ClosedLayer closed;
  Layer one = layer_of(closed), other = layer_of(closed);
  const SecondOrder options{.block = 8, .sparsity = 0.5};
  const Mask mask = pruning::thanos(one, InverseFactor(closed.inputs, 0.01), options);
  for (double& h : closed.inputs.gram) h *= 7.3;
  EXPECT_EQ(pruning::thanos(other, InverseFactor(closed.inputs, 0.01), options), mask);
  for (std::size_t i = 0; i < one.weights.size(); ++i) {
    EXPECT_NEAR(one.weights[i], other.weights[i], 1e-13);
  }
}

TEST(SecondOrderTest, AnInputThatWasNeverSeenGoesFirst) {
  ClosedLayer closed;
  for (int j = 0; j < kCols; ++j)
    closed.inputs.gram[5 * 16 + j] = closed.inputs.gram[j * 16 + 5] = 0;
  const InverseFactor factor(closed.inputs, 0.01);
  for (const bool joint : {false, true}) {
    Layer layer = layer_of(closed);
    const SecondOrder options{.block = 8, .sparsity = 0.25};
    const Mask mask = joint ? pruning::thanos(layer, factor, options)
                            : pruning::sparsegpt(layer, factor, options);
    for (int i = 0; i < kRows; ++i) {
      EXPECT_EQ(mask[layer.index(i, 5)], 1);
      EXPECT_EQ(layer.weights[layer.index(i, 5)], 0);
    }
  }
}

TEST(SecondOrderTest, WholeColumnsOfTheClosedLayer) {
  const ClosedLayer closed;
  const InverseFactor factor(closed.inputs, 0);
  struct Case {
    double alpha, error;
    std::vector<int> gone, whole;
  };
  for (const Case& c :
       {Case{0, 1.463815049, {3, 4, 9, 10}, {}}, Case{.125, 1.883479561, {3, 4, 9, 10, 15}, {2}},
        Case{.25, 2.162476641, {3, 4, 7, 9, 10, 15}, {1, 2}}}) {
    Layer layer = layer_of(closed);
    const pruning::ColumnChoice choice = pruning::choose_columns(layer, 0.25, c.alpha);
    EXPECT_EQ(choice.gone, c.gone);
    std::vector<int> whole;
    for (int i = 0; i < kRows; ++i) {
      if (choice.whole[static_cast<std::size_t>(i)] != 0) whole.push_back(i);
    }
    EXPECT_EQ(whole, c.whole);
    const Mask mask = pruning::mask_of(choice, kRows, kCols);
    if (c.alpha == 0) {
      EXPECT_NEAR(closed.error(mask), 17.889522018, 1e-6);
    }
    EXPECT_EQ(pruning::count(mask),
              static_cast<std::int64_t>(c.gone.size()) * (kRows - static_cast<int>(whole.size())));
    pruning::remove_columns(layer, factor, choice);
    EXPECT_NEAR(closed.error(layer.weights), c.error, 1e-6) << c.alpha;
  }
}

}  // namespace
}  // namespace skiff::testing
