// EF21 on the problem of its paper's experiments (section 6): logistic regression with a nonconvex
// regularizer on the mushrooms data set, 20 clients in file order, step by the theorem.

#include <array>
#include <fstream>
#include <sstream>

#include "tests/communication/codec_test.h"
#include "tests/real_data.h"

namespace skiff::testing {
namespace {

constexpr std::size_t kFeatures = 112, kClients = 20;
constexpr double kStrength = 0.1;  // of sum x^2 / (1 + x^2)

using Point = std::array<double, kFeatures>;

struct Row {
  double label = 0;               // -1 or +1
  std::vector<std::size_t> ones;  // the features are 0 or 1
};

std::vector<Row> read_rows(const std::string& path) {
  std::vector<Row> rows;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    Row row;
    words >> row.label;
    row.label = 2 * row.label - 3;
    for (std::string word; words >> word;) row.ones.push_back(std::stoul(word) - 1);
    rows.push_back(std::move(row));
  }
  return rows;
}

class MushroomsProblem {
 public:
  explicit MushroomsProblem(std::vector<Row> rows) : rows_(std::move(rows)) {}

  // Loss of one client and its gradient. Clients hold 406 rows each, the last one what is left.
  double loss(std::size_t client, const Point& x, Point& gradient) const {
    const std::size_t each = rows_.size() / kClients, first = client * each;
    const std::size_t end = client + 1 == kClients ? rows_.size() : first + each;
    const double share = 1 / static_cast<double>(end - first);
    double total = 0;
    gradient.fill(0);
    for (std::size_t r = first; r < end; ++r) {
      double margin = 0;
      for (const std::size_t j : rows_[r].ones) margin += x[j];
      margin *= rows_[r].label;
      total += share * std::log1p(std::exp(-margin));
      const double pull = -share * rows_[r].label / (1 + std::exp(margin));
      for (const std::size_t j : rows_[r].ones) gradient[j] += pull;
    }
    for (std::size_t j = 0; j < kFeatures; ++j) {
      const double square = x[j] * x[j];
      total += kStrength * square / (1 + square);
      gradient[j] += kStrength * 2 * x[j] / std::pow(1 + square, 2);
    }
    return total;
  }
  // Mean over the clients: the loss, and the squared norm of its gradient.
  std::pair<double, double> state_of(const Point& x) const {
    Point mean{}, g;
    double f = 0, norm = 0;
    for (std::size_t i = 0; i < kClients; ++i) {
      f += loss(i, x, g) / kClients;
      for (std::size_t j = 0; j < kFeatures; ++j) mean[j] += g[j] / kClients;
    }
    for (const double m : mean) norm += m * m;
    return {f, norm};
  }

 private:
  std::vector<Row> rows_;
};

class Run {
 public:
  Run(const MushroomsProblem& problem, const char* density)
      : problem_(problem), codec_(codec("ef21", {{"density", density}})), senders_(kClients) {
    exchange(*codec("ef21", {{"density", "1"}}));  // g_i = the first gradient
  }
  void step(double gamma) {
    for (std::size_t j = 0; j < kFeatures; ++j) x[j] -= gamma * direction_[j];
    exchange(*codec_);
  }
  Point x{};

 private:
  void exchange(const Codec& with) {
    Point mean{}, g;
    for (std::size_t i = 0; i < kClients; ++i) {
      problem_.loss(i, x, g);
      std::vector<float> v(g.begin(), g.end());
      encode(with, v, &senders_[i]);
      for (std::size_t j = 0; j < kFeatures; ++j) mean[j] += double(v[j]) / kClients;
    }
    direction_.assign(mean.begin(), mean.end());
    with.combine(direction_, 1.0, server_);
  }

  const MushroomsProblem& problem_;
  std::shared_ptr<const Codec> codec_;
  std::vector<State> senders_;
  State server_;
  std::vector<float> direction_;
};

struct Expected {
  int steps;
  double loss, squared_gradient;
};

void expect_trajectory(const char* density, double gamma, const std::vector<Expected>& expected) {
  const std::string path = skiff::test::real_data("libsvm/mushrooms.txt");
  if (path.empty()) GTEST_SKIP() << "mushrooms is not in the data folder";
  const MushroomsProblem problem(read_rows(path));
  Run run(problem, density);
  int t = 0;
  for (const Expected& e : expected) {
    for (; t < e.steps; ++t) run.step(gamma);
    const auto [loss, gradient] = problem.state_of(run.x);
    EXPECT_NEAR(loss, e.loss, 1e-4 * e.loss) << t;
    EXPECT_NEAR(gradient, e.squared_gradient, 1e-4 * e.squared_gradient) << t;
  }
}

TEST(Ef21MushroomsTest, TopOneFollowsAnIndependentTrajectory) {
  expect_trajectory("0.00893", 1.28201006e-3, {{100, .655055, .26856}, {1000, .487738, .067146}});
}

TEST(Ef21MushroomsTest, TopFourFollowsAnIndependentTrajectory) {
  expect_trajectory("0.0358", 5.17729246e-3, {{100, .571262, .16295}, {1000, .416949, 3.0536e-3}});
}

}  // namespace
}  // namespace skiff::testing
