// Factors of unequal ranks made one, without any simulation.
#include "algorithms/adaptation/unequal_ranks.h"

#include <gtest/gtest.h>

#include <cmath>

#include "algorithms/kernels/low_rank_sum.h"
#include "sim/core/random.h"

namespace skiff::testing {
namespace {

constexpr int kRows = 9, kCols = 7;
constexpr double kAlpha = 4;
constexpr const char* kLayer = "q_proj";

LayoutPtr layout_of(int rank) {
  auto layout = std::make_shared<Layout>();
  layout->add("q_proj.lora_A", rank, kCols, Order::kInOut);
  layout->add("q_proj.lora_B", kRows, rank, Order::kInOut);
  return layout;
}
Vector example(int rank, std::uint64_t draw) {
  Vector v(layout_of(rank));
  Stream s(3, "factors", 0, draw);
  for (float& x : v.values) x = s.uniform_float() - 0.5F;
  return v;
}
int rank_of(const Vector& v) { return v.layout->slices[0].rows; }

// s_k B_k A_k, rows x cols.
std::vector<double> product(const Vector& v, double share = 1) {
  const auto a = factor(v, kLayer, Factor::kA), b = factor(v, kLayer, Factor::kB);
  const int rank = rank_of(v);
  std::vector<double> out(kRows * kCols);
  for (int i = 0; i < kRows; ++i) {
    for (int c = 0; c < kCols; ++c) {
      for (int j = 0; j < rank; ++j) {
        out[static_cast<std::size_t>(i * kCols + c)] +=
            share * kAlpha / rank * double(b[static_cast<std::size_t>(j * kRows + i)]) *
            double(a[static_cast<std::size_t>(c * rank + j)]);
      }
    }
  }
  return out;
}
std::vector<double> mean_product(const std::vector<Vector>& clients,
                                 const std::vector<double>& shares) {
  std::vector<double> sum(kRows * kCols);
  for (std::size_t k = 0; k < clients.size(); ++k) {
    const std::vector<double> one = product(clients[k], shares[k]);
    for (std::size_t j = 0; j < sum.size(); ++j) sum[j] += one[j];
  }
  return sum;
}
double distance(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) sum += (a[j] - b[j]) * (a[j] - b[j]);
  return std::sqrt(sum);
}

// The mean of factors is not the mean of products: e1 e1' and e2 e2' average to diag(1/2, 1/2),
// their factors to a matrix of quarters, at a distance of 1/2.
TEST(UnequalRanks, TheMeanOfFactorsMissesTheMeanOfProductsByTheirCovariance) {
  std::vector<Vector> clients(2, Vector(layout_of(1)));
  for (int k = 0; k < 2; ++k) {
    factor(clients[k], kLayer, Factor::kA)[static_cast<std::size_t>(k)] = 1;
    factor(clients[k], kLayer, Factor::kB)[static_cast<std::size_t>(k)] = 1;
  }
  const std::vector<double> shares{0.5, 0.5};
  const std::vector<double> exact = mean_product(clients, shares);
  const Vector averaged = joined("zeropad", shares, clients, layout_of(1), kAlpha);
  EXPECT_NEAR(distance(product(averaged), exact) / kAlpha, 0.5, 1e-6);
  const Vector decomposed = joined("flexlora", shares, clients, layout_of(2), kAlpha);
  EXPECT_LT(distance(product(decomposed), exact), 1e-5);
}

TEST(UnequalRanks, FlexLoraIsExactWhileTheRankSuffices) {
  const std::vector<Vector> clients{example(1, 0), example(2, 1), example(4, 2)};
  const std::vector<double> shares{0.2, 0.5, 0.3};
  const Vector all = joined("flexlora", shares, clients, layout_of(7), kAlpha);
  EXPECT_LT(distance(product(all), mean_product(clients, shares)), 1e-5);
}

TEST(UnequalRanks, StackingIsExact) {
  const std::vector<Vector> clients{example(1, 0), example(2, 1), example(4, 2)};
  const std::vector<double> shares{0.2, 0.5, 0.3};
  auto model = std::make_shared<Layout>();
  model->add("q_proj.weight", kRows, kCols, Order::kInOut);
  Vector weights{LayoutPtr(model)};
  add_stacked(shares, clients, kAlpha, weights);
  const std::vector<double> exact = mean_product(clients, shares);
  for (int i = 0; i < kRows; ++i) {
    for (int c = 0; c < kCols; ++c) {
      EXPECT_NEAR(double(weights.values[static_cast<std::size_t>(c * kRows + i)]),
                  exact[static_cast<std::size_t>(i * kCols + c)], 1e-5);
    }
  }
}

// Turning a client's factors, B R and R^-1 A, changes nothing that it trained.
TEST(UnequalRanks, FlexLoraDoesNotSeeHowAClientWritesItsProduct) {
  std::vector<Vector> clients{example(2, 0), example(2, 1)};
  const std::vector<double> shares{0.5, 0.5};
  const auto both = [&](const char* how) {
    return product(joined(how, shares, clients, layout_of(2), kAlpha));
  };
  const std::vector<double> flex = both("flexlora"), pad = both("zeropad");
  Vector& turned = clients[1];
  const Vector before = turned;
  const auto a = factor(before, kLayer, Factor::kA), b = factor(before, kLayer, Factor::kB);
  for (int c = 0; c < kCols; ++c) {
    for (int j = 0; j < 2; ++j) {
      factor(turned, kLayer, Factor::kA)[static_cast<std::size_t>(2 * c + j)] =
          a[static_cast<std::size_t>(2 * c + 1 - j)];
    }
  }
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < 2; ++j) {
      factor(turned, kLayer, Factor::kB)[static_cast<std::size_t>(j * kRows + i)] =
          b[static_cast<std::size_t>((1 - j) * kRows + i)];
    }
  }
  EXPECT_LT(distance(both("flexlora"), flex), 1e-5);
  EXPECT_GT(distance(both("zeropad"), pad), 0.05);
}

TEST(UnequalRanks, ANarrowerClientsProductCountsAlike) {
  const Vector wide = example(4, 5);
  const Vector narrow = narrowed(wide, 2);
  EXPECT_EQ(rank_of(narrow), 2);
  // Its own s is twice the server's, its B half of it: the first two terms of the product.
  Vector first = wide;
  const auto b = factor(first, kLayer, Factor::kB);
  std::fill(b.begin() + 2 * kRows, b.end(), 0.0F);
  EXPECT_LT(distance(product(narrow), product(first)), 1e-6);
  // And back: padded, they are what they were.
  const std::vector<Vector> clients{narrow};
  const std::vector<double> whole{1};
  EXPECT_LT(
      distance(product(joined("zeropad", whole, clients, wide.layout, kAlpha)), product(first)),
      1e-6);
}

TEST(UnequalRanks, HetLoraWeighsByTheSizeOfTheProduct) {
  std::vector<Vector> clients{example(2, 0), example(2, 0)};
  for (float& x : factor(clients[1], kLayer, Factor::kB)) x *= 3;
  const std::vector<double> shares{0.5, 0.5};
  const Vector joint = joined("hetlora", shares, clients, layout_of(2), kAlpha);
  const std::span<const float> b = factor(clients[0], kLayer, Factor::kB);
  const std::span<const float> got = factor(joint, kLayer, Factor::kB);
  for (std::size_t j = 0; j < b.size(); ++j) {
    EXPECT_NEAR(got[j], (0.25 * 1 + 0.75 * 3) * double(b[j]), 1e-5);
  }
}

// M = sum_j d_j e_j f_j' with fixed orthonormal e, f: singular values are known.
TEST(LowRankSum, FindsTheGreatestSingularValuesOfManyTerms) {
  constexpr int kSize = 120, kTerms = 100, kWanted = 6;
  std::vector<float> b(kTerms * kSize), a(kTerms * kSize);
  for (int j = 0; j < kTerms; ++j) {
    b[static_cast<std::size_t>(j * kSize + (7 * j) % kSize)] = static_cast<float>(1.0 / (1 + j));
    a[static_cast<std::size_t>(j * kSize + (11 * j) % kSize)] = 2;
  }
  const kernels::SingularTriples best =
      kernels::best_low_rank(kWanted, kernels::dense(std::as_const(b).data(), kTerms, kSize),
                             kernels::dense(std::as_const(a).data(), kTerms, kSize));
  for (int j = 0; j < kWanted; ++j) {
    EXPECT_NEAR(best.values[static_cast<std::size_t>(j)], 2.0 / (1 + j), 1e-4) << j;
    EXPECT_NEAR(std::abs(best.left[static_cast<std::size_t>(j * kSize + (7 * j) % kSize)]), 1,
                1e-3);
    EXPECT_NEAR(std::abs(best.right[static_cast<std::size_t>(j * kSize + (11 * j) % kSize)]), 1,
                1e-3);
  }
}

}  // namespace
}  // namespace skiff::testing
