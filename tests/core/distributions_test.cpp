#include "sim/core/distributions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "sim/core/distribution.h"

namespace skiff {
namespace {

constexpr int kDraws = 200'000;

struct Moments {
  double mean = 0, deviation = 0;
};
Moments moments(const std::function<double(Stream&)>& sample) {
  Stream stream(1, "moments");
  double sum = 0, squares = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double x = sample(stream);
    sum += x;
    squares += x * x;
  }
  const double mean = sum / kDraws;
  return {mean, std::sqrt(squares / kDraws - mean * mean)};
}

TEST(DistributionsTest, MomentsAreThoseOfTheBooks) {
  const Moments n = moments([](Stream& s) { return normal(s, 3, 2); });
  EXPECT_NEAR(n.mean, 3, 0.03);
  EXPECT_NEAR(n.deviation, 2, 0.03);
  const Moments e = moments([](Stream& s) { return exponential(s, 5); });
  EXPECT_NEAR(e.mean, 5, 0.06);
  EXPECT_NEAR(e.deviation, 5, 0.1);
  const Moments g = moments([](Stream& s) { return gamma(s, 0.3); });
  EXPECT_NEAR(g.mean, 0.3, 0.01);
  EXPECT_NEAR(g.deviation, std::sqrt(0.3), 0.01);
}

TEST(DistributionsTest, LognormalHasItsMedian) {
  Stream stream(1, "median");
  int below = 0;
  for (int i = 0; i < kDraws; ++i) below += lognormal(stream, 20, 0.6) < 20 ? 1 : 0;
  EXPECT_NEAR(below, kDraws / 2.0, 5 * std::sqrt(kDraws) / 2);
  EXPECT_DOUBLE_EQ(lognormal(stream, 20, 0), 20);
}

TEST(DistributionsTest, DirichletLiesOnTheSimplex) {
  Stream stream(1, "simplex");
  for (const double alpha : {1e-6, 0.1, 1.0, 1e6}) {
    const std::vector<double> p = dirichlet(stream, 10, alpha);
    EXPECT_NEAR(std::accumulate(p.begin(), p.end(), 0.0), 1, 1e-12) << alpha;
    EXPECT_GE(*std::min_element(p.begin(), p.end()), 0) << alpha;
  }
  const std::vector<double> even = dirichlet(stream, 4, 1e8);
  for (const double p : even) EXPECT_NEAR(p, 0.25, 1e-3);
}

TEST(DistributionsTest, ShufflePermutesEvenly) {
  Stream stream(1, "shuffle");
  std::array<int, 6> orders{};
  for (int i = 0; i < 60'000; ++i) {
    std::array<int, 3> items{0, 1, 2};
    shuffle(stream, std::span<int>(items));
    ++orders[static_cast<std::size_t>(items[0] * 2 + (items[1] > items[2] ? 1 : 0))];
  }
  for (const int count : orders) EXPECT_NEAR(count, 10'000, 5 * std::sqrt(10'000 * 5.0 / 6));
}

TEST(DistributionTest, EachKindDrawsFromItsLaw) {
  Stream stream(1, "kinds");
  using Kind = Distribution::Kind;
  EXPECT_EQ((Distribution{Kind::kConstant, 4, 0, {}}.sample(stream, 9)), 4);
  const Distribution list{Kind::kList, 0, 0, {1, 2, 3}};
  EXPECT_EQ(list.sample(stream, 1), 2);
  EXPECT_EQ(list.sample(stream, 5), 3);  // clients go round
  for (int i = 0; i < 1000; ++i) {
    const double u = Distribution{Kind::kUniform, 2, 5, {}}.sample(stream, 0);
    ASSERT_GE(u, 2);
    ASSERT_LT(u, 5);
    ASSERT_GT((Distribution{Kind::kLognormal, 3, 1, {}}.sample(stream, 0)), 0);
    ASSERT_GE((Distribution{Kind::kExponential, 3, 0, {}}.sample(stream, 0)), 0);
  }
  const DistributionOf<Bytes> bytes{{Kind::kConstant, 7, 0, {}}};
  EXPECT_EQ(bytes.sample(stream, 0), Bytes(7));
}

}  // namespace
}  // namespace skiff
