// Scores and masks against figures worked out by hand or by an independent program.
#include "algorithms/pruning/scores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/pruning/closed_layer.h"

namespace skiff::testing {
namespace {

using pruning::Mask;
using pruning::Scores;
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::Pointwise;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int kCols = ClosedLayer::kCols;

Mask half(const Scores& scores) { return pruning::lowest(scores, 64); }
Mask half_rows(const Scores& scores) { return pruning::lowest_of_rows(scores, kCols, 8); }

void expect_removed(const Mask& mask, double error, const std::string& rows) {
  const ClosedLayer layer;
  EXPECT_EQ(words(mask, kCols), rows);
  EXPECT_NEAR(layer.error(mask), error, 1e-6);
}

TEST(ScoresTest, TheClosedLayerItself) {
  const ClosedLayer layer;
  EXPECT_NEAR(layer.error(Mask(layer.w.size(), 1)), 115.936144082, 1e-6);
}

TEST(ScoresTest, MagnitudeOfTheClosedLayer) {
  const ClosedLayer layer;
  const Scores scores = pruning::magnitude(layer.matrix());
  expect_removed(half(scores), 15.230479312, "db6f db36 49b6 4db6 6c92 2492 249b 2649");
  expect_removed(half_rows(scores), 9.596858417, "db24 d926 49b6 4db2 6d92 649b 24db 36c9");
  expect_removed(pruning::lowest_of_pattern(scores, kCols, {2, 4}), 15.542320457,
                 "996c c936 c936 6996 6c93 6c93 3699 36c9");
}

TEST(ScoresTest, WandaOfTheClosedLayer) {
  const ClosedLayer layer;
  const Scores scores = pruning::wanda(layer.matrix(), layer.xn());
  expect_removed(half_rows(scores), 18.125807264, "8f2c cb2c cd34 4d1e 4e9a a69a a699 a659");
  expect_removed(half(scores), 24.023422213, "df3c cf3c cf3c cf1e 449a 269a 2698 0609");
  expect_removed(pruning::lowest_of_pattern(scores, kCols, {2, 4}), 19.573985495,
                 "933c c93c c93c cc3a c69a a69a a699 a659");
}

TEST(ScoresTest, RelativeImportanceOfTheClosedLayer) {
  const ClosedLayer layer;
  Scores scores = pruning::relative(layer.matrix(), pruning::inverse_norms(layer.matrix(), 1));
  expect_removed(half(scores), 16.965114092, "db6d db64 d936 49b6 6c92 2493 24d9 3649");
  pruning::activate(scores, kCols, layer.xn(), 0.5);
  expect_removed(half(scores), 11.341414355, "db6c db2c cb3c cd36 4c9a 249a 2699 a649");
}

TEST(ScoresTest, SymmetricOfTheClosedLayer) {
  const ClosedLayer layer;
  std::vector<double> xn = layer.xn(), yn = pruning::output_norms(layer.matrix(), layer.inputs);
  const Scores raw = pruning::symmetric(layer.matrix(), xn, yn);
  expect_removed(half(raw), 7.630936195, "db6c cb24 4936 4db2 6c92 649b 26db 26d9");
  expect_removed(half_rows(raw), 7.588835678, "db24 db24 c936 4db2 6d92 649b 269b 26d9");
  pruning::divide_by_mean(xn);
  pruning::divide_by_mean(yn);
  expect_removed(half(pruning::symmetric(layer.matrix(), xn, yn)), 8.614158395,
                 "df7c cb3c c936 4db6 4c92 249a 2699 2659");
}

TEST(ScoresTest, SmallMatrixByHand) {
  const std::vector<double> w{.2, -1, .5, 2, .3, -.1};
  const pruning::MatrixOf m{w, 2, 3};
  const auto near = [](const Scores& scores, std::vector<double> expected) {
    EXPECT_THAT(scores, Pointwise(DoubleNear(1e-6), expected));
  };
  const Scores relative = pruning::relative(m, pruning::inverse_norms(m, 1));
  near(relative, {.208556, 1.357466, 1.127451, 1.742424, .355769, .208333});
  Scores active = relative;
  pruning::activate(active, 3, std::vector<double>{4, 1, 9}, 0.5);
  near(active, {.417112, 1.357466, 3.382353, 3.484848, .355769, .625});
  near(pruning::relative(m, pruning::inverse_norms(m, 2)),
       {.275594, 1.838277, 1.420806, 1.982767, .435507, .245503});
  near(pruning::relative(m, pruning::inverse_norms(m, kInfinity)), {.3, 2, 1.5, 2, .45, .25});
  near(pruning::symmetric_weights(m), {.461736, 1.542725, .622495, 5.706137, .683447, .208806});
}

TEST(ScoresTest, WandasOwnSmallExample) {
  const std::vector<double> w{4, 0, 1, -1, 3, -2, -1, -3, -3, 1, 0, 2};
  const Scores scores = pruning::wanda({w, 3, 4}, std::vector<double>{1, 2, 8, 3});
  EXPECT_THAT(pruning::lowest_of_rows(scores, 4, 2),
              ElementsAre(0, 1, 0, 1, 1, 1, 0, 0, 0, 1, 1, 0));
}

TEST(ScoresTest, OneScoreIsAnotherWhereTheTheorySaysSo) {
  const ClosedLayer layer;
  const pruning::MatrixOf m = layer.matrix();
  const std::vector<double> none(ClosedLayer::kRows, 0.0), xn = layer.xn();
  EXPECT_EQ(pruning::symmetric(m, xn, none), pruning::wanda(m, xn));
  const pruning::Inverses inverses = pruning::inverse_norms(m, 1);
  EXPECT_EQ(pruning::symmetric(m, inverses.cols, inverses.rows), pruning::relative(m, inverses));
  const pruning::Inverses all = pruning::sampled_inverse_norms(m, 1, Stream(1, "test"));
  EXPECT_EQ(all.rows, inverses.rows);
  EXPECT_EQ(all.cols, inverses.cols);
}

TEST(ScoresTest, ASampledSumIsRightOnAverage) {
  const ClosedLayer layer;
  const pruning::Inverses exact = pruning::inverse_norms(layer.matrix(), 1);
  double sum = 0;
  constexpr int kDraws = 400;
  for (int s = 0; s < kDraws; ++s) {
    sum +=
        1 / pruning::sampled_inverse_norms(layer.matrix(), 0.25, Stream(9, "test", 0, s)).rows[3];
  }
  EXPECT_NEAR(sum / kDraws, 1 / exact.rows[3], 0.03 / exact.rows[3]);
}

TEST(ScoresTest, TheSymmetricScoreIsWhatZeroingCosts) {
  const ClosedLayer layer;
  std::vector<double> x;  // 4 inputs of the layer, row-major
  std::vector<double> y;  // 3 vectors that read its outputs, row-major
  for (int i = 0; i < 4 * kCols; ++i) x.push_back(std::cos(2.0 * i));
  for (int i = 0; i < 3 * ClosedLayer::kRows; ++i) y.push_back(std::sin(3.0 * i + 1));
  std::vector<double> xn(kCols), yn(ClosedLayer::kRows);
  for (std::size_t i = 0; i < x.size(); ++i) xn[i % kCols] += x[i] * x[i];
  for (std::size_t i = 0; i < y.size(); ++i) yn[i % ClosedLayer::kRows] += y[i] * y[i];
  for (double& v : xn) v = std::sqrt(v);
  for (double& v : yn) v = std::sqrt(v);
  const Scores scores = pruning::symmetric(layer.matrix(), xn, yn);
  // Zeroing entry (2, 5) moves X D^T and Y D, D having that entry alone.
  double left = 0, right = 0;
  for (int t = 0; t < 4; ++t) left += std::pow(layer.matrix()(2, 5) * x[t * kCols + 5], 2);
  for (int t = 0; t < 3; ++t) right += std::pow(layer.matrix()(2, 5) * y[t * 8 + 2], 2);
  EXPECT_NEAR(scores[2 * kCols + 5], std::sqrt(left) + std::sqrt(right), 1e-12);
}

}  // namespace
}  // namespace skiff::testing
