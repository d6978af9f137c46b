// The methods on layers whose inputs are correlated: figures of an independent program, averaged
// over five seeds. Inputs X = diag(s) L G with L the factor of rho^|i-j|, s = exp(N(0, 1) / 2).
#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <map>
#include <string>

#include "algorithms/pruning/columns.h"
#include "algorithms/pruning/second_order.h"
#include "tests/pruning/numpy_random.h"

namespace skiff::testing {
namespace {

using pruning::Layer;
using pruning::Mask;
using pruning::MatrixOf;
using pruning::Scores;

struct RandomLayer {
  InputStatistics inputs;
  Layer layer;
  std::vector<double> w;

  RandomLayer(int c, int b, int n, double rho, std::uint32_t x_seed, std::uint32_t w_seed) {
    NumpyRandom x_draws(x_seed), w_draws(w_seed);
    Eigen::VectorXd s(b);
    for (int j = 0; j < b; ++j) s(j) = std::exp(0.5 * x_draws.normal());
    Eigen::MatrixXd g(b, n), toeplitz(b, b);
    for (int i = 0; i < b; ++i) {
      for (int t = 0; t < n; ++t) g(i, t) = x_draws.normal();
      for (int j = 0; j < b; ++j) toeplitz(i, j) = std::pow(rho, std::abs(i - j));
    }
    const Eigen::MatrixXd l = toeplitz.llt().matrixL();
    const Eigen::MatrixXd x = s.asDiagonal() * (l * g);
    const Eigen::MatrixXd h = x * x.transpose();
    inputs.width = b;
    inputs.count = n;
    inputs.samples = 1;
    inputs.gram.assign(h.data(), h.data() + h.size());
    layer.rows = c;
    layer.cols = b;
    layer.inputs = &inputs;
    w = layer.weights = w_draws.normals(static_cast<std::size_t>(c * b));
  }
  RandomLayer(const RandomLayer&) = delete;
  MatrixOf before() const { return {w, layer.rows, layer.cols}; }
  double relative_error(const std::vector<double>& after) const {
    const std::vector<double> none(w.size());
    const MatrixOf all{none, layer.rows, layer.cols};
    return pruning::output_error(before(), {after, layer.rows, layer.cols}, inputs) /
           pruning::output_error(before(), all, inputs);
  }
  double masked(const Mask& mask) const {
    std::vector<double> after = w;
    for (std::size_t i = 0; i < after.size(); ++i) after[i] = mask[i] != 0 ? 0 : after[i];
    return relative_error(after);
  }
};

using Errors = std::map<std::string, double>;

Errors errors_of(RandomLayer& r, double p, const pruning::Pattern& pattern) {
  const int b = r.layer.cols;
  const std::vector<double> xn = pruning::input_norms(r.inputs);
  const auto mask = [&](const Scores& scores, bool rows) {
    if (pattern.exists()) return pruning::lowest_of_pattern(scores, b, pattern);
    return rows ? pruning::lowest_of_rows(scores, b, pruning::floor_share(b, p))
                : pruning::lowest(scores, pruning::floor_share(std::ssize(scores), p));
  };
  Scores ria = pruning::relative(r.before(), pruning::inverse_norms(r.before(), 1));
  pruning::activate(ria, b, xn, 0.5);
  Errors errors{{"magnitude", r.masked(mask(pruning::magnitude(r.before()), false))},
                {"wanda", r.masked(mask(pruning::wanda(r.before(), xn), true))},
                {"ria", r.masked(mask(ria, false))}};
  const pruning::InverseFactor factor(r.inputs, 0.01);
  const auto updated = [&](auto method, int block) {
    r.layer.weights = r.w;
    method(r.layer, factor, pruning::SecondOrder{block, p, pattern});
    return r.relative_error(r.layer.weights);
  };
  errors["sparsegpt"] = updated(pruning::sparsegpt, 64);
  errors["thanos"] = updated(pruning::thanos, 64);
  errors["thanos, one block"] = updated(pruning::thanos, b);
  return errors;
}

struct Setting {
  double rho, p;
  pruning::Pattern pattern;
  Errors expected;
};

const std::vector<Setting>& settings() {
  const auto row = [](double m, double w, double r, double s, double t, double one) {
    return Errors{{"magnitude", m}, {"wanda", w},  {"ria", r},
                  {"sparsegpt", s}, {"thanos", t}, {"thanos, one block", one}};
  };
  static const std::vector<Setting> all{
      {.9, .5, {}, row(.0691, .0376, .0431, .0112, .0060, .0059)},
      {.9, .7, {}, row(.2098, .1243, .1433, .0540, .0304, .0299)},
      {.9, .5, {2, 4}, row(.1295, .0798, .0905, .0182, .0104, .0102)},
      {.5, .5, {}, row(.0699, .0382, .0437, .0307, .0262, .0260)},
      {0, .5, {}, row(.0703, .0384, .0440, .0360, .0351, .0349)}};
  return all;
}

TEST(CorrelatedLayersTest, MeanErrorsAndTheirOrder) {
  constexpr int kSeeds = 5;
  for (const Setting& s : settings()) {
    Errors mean;
    for (std::uint32_t seed = 0; seed < kSeeds; ++seed) {
      RandomLayer r(64, 128, 1024, s.rho, seed, seed + 1000);
      for (const auto& [name, error] : errors_of(r, s.p, s.pattern)) mean[name] += error / kSeeds;
    }
    for (const auto& [name, error] : s.expected) {
      EXPECT_NEAR(mean[name], error, 1e-4) << name << ", rho " << s.rho << ", p " << s.p;
    }
    EXPECT_LT(mean["thanos"], mean["sparsegpt"]);
    EXPECT_LT(mean["sparsegpt"], mean["wanda"]);
    EXPECT_LT(mean["wanda"], mean["magnitude"]);
  }
}

TEST(CorrelatedLayersTest, OutlierRowsHelpWhereThereAreOutliers) {
  const std::vector<double> alphas{0, .1, .2, .3};
  const std::vector<int> columns{18, 20, 23, 26};
  for (const bool heavy : {true, false}) {
    const std::vector<double> expected = heavy
                                             ? std::vector<double>{.01056, .00302, .00343, .00398}
                                             : std::vector<double>{.01190, .01284, .01384, .01473};
    RandomLayer r(40, 60, 800, .9, 21, 22);
    for (std::size_t i = 0; heavy && i < 4 * 60; ++i) r.w[i] *= 6;
    for (std::size_t a = 0; a < alphas.size(); ++a) {
      r.layer.weights = r.w;
      const pruning::ColumnChoice choice = pruning::choose_columns(r.layer, .3, alphas[a]);
      EXPECT_EQ(std::ssize(choice.gone), columns[a]);
      pruning::remove_columns(r.layer, pruning::InverseFactor(r.inputs, 0.01), choice);
      EXPECT_NEAR(r.relative_error(r.layer.weights), expected[a], 2e-5) << heavy << alphas[a];
    }
  }
}

}  // namespace
}  // namespace skiff::testing
