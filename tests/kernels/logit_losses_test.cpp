#include "algorithms/kernels/logit_losses.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "algorithms/kernels/exp_double.h"
#include "tests/kernels/kernel_test.h"

namespace skiff::kernels {
namespace {

using testing::Matrix;
using testing::Numbers;

TEST(ExpDoubleTest, EqualsTheLibraryToRounding) {
  for (double x = -700; x < 700; x += 0.37) {
    EXPECT_NEAR(exp_double(x) / std::exp(x), 1, 4e-16) << x;
  }
  for (double x = 1e-30; x < 1e30; x *= 1.7) EXPECT_NEAR(log_double(x), std::log(x), 1e-14);
  for (double x = -20; x < 20; x += 0.0137) EXPECT_NEAR(tanh_double(x), std::tanh(x), 4e-16);
  for (double x = 1e-8; x < 1e-1; x *= 1.1) {
    EXPECT_NEAR(tanh_double(x) / std::tanh(x), 1, 2e-13) << x;
  }
  EXPECT_EQ(exp_double(-800), 0);
  EXPECT_TRUE(std::isinf(exp_double(800)));
  EXPECT_TRUE(std::isnan(exp_double(NAN)));
}

// The gradient of any of the losses against central differences.
template <class Loss>
void expect_gradient(Loss loss, Matrix z) {
  Matrix d = z, unused = z;
  loss(d, z);
  for (int i = 0; i < z.view().rows; ++i) {
    for (int j = 0; j < z.view().cols; ++j) {
      const float at = z[i][j], h = 1.0F / 64;
      z[i][j] = at + h;
      const double above = loss(unused, z);
      z[i][j] = at - h;
      const double below = loss(unused, z);
      z[i][j] = at;
      EXPECT_NEAR(d[i][j], (above - below) / (2 * double(h)), 2e-3) << i << ' ' << j;
    }
  }
}

TEST(LogitLossesTest, GradientsAreCentralDifferences) {
  Numbers numbers(3);
  Matrix z(numbers, 4, 9), v(numbers, 4, 9);
  for (const double t : {1.0, 4.0}) {
    expect_gradient(
        [&](Matrix& d, Matrix& at) {
          return softened_divergence(d.view(), at.view(), v.view(), t, 1);
        },
        z);
    std::vector<std::int32_t> classes(4 * 3);
    std::vector<float> p(classes.size());
    top_probabilities(classes, p, v.view(), 3, t);
    expect_gradient(
        [&](Matrix& d, Matrix& at) {
          return top_divergence(d.view(), at.view(), classes, p, t, 1);
        },
        z);
  }
  expect_gradient(
      [&](Matrix& d, Matrix& at) { return logits_mse(d.view(), at.view(), v.view(), 1); }, z);
}

// The figures of T^2 KL and of how far T (p_T(z) - p_T(v)) is from the centred difference over L.
TEST(LogitLossesTest, HighTemperatureComparesCentredLogits) {
  constexpr int kClasses = 10;
  std::vector<float> z(kClasses), v(kClasses), d(kClasses);
  double mean_z = 0, mean_v = 0;
  for (int j = 0; j < kClasses; ++j) {
    z[j] = static_cast<float>(std::sin(1.0 + j));
    v[j] = static_cast<float>(std::cos(1.0 + 2 * j));
    mean_z += double(z[j]) / kClasses;
    mean_v += double(v[j]) / kClasses;
  }
  const double temperatures[] = {1, 4, 100, 1000};
  const double deviations[] = {1.690030e-1, 3.574401e-2, 1.368210e-3, 1.366701e-4};
  const double losses[] = {.5083053, .5846846, .5972277, .5975379};
  for (int k = 0; k < 4; ++k) {
    const double loss =
        softened_divergence(dense(d.data(), 1, kClasses), dense(z.data(), 1, kClasses),
                            dense(v.data(), 1, kClasses), temperatures[k], 1);
    EXPECT_NEAR(loss, losses[k], 1e-6) << temperatures[k];
    double off = 0, size = 0;
    for (int j = 0; j < kClasses; ++j) {
      const double limit = (double(z[j]) - mean_z - (double(v[j]) - mean_v)) / kClasses;
      off += (double(d[j]) - limit) * (double(d[j]) - limit);
      size += limit * limit;
    }
    EXPECT_NEAR(std::sqrt(off / size), deviations[k], 1e-3 * deviations[k] + 2e-7);
  }
}

// The gradient may lie over the logits: an entry is read before it is written, and the row is not
// read again.
TEST(LogitLossesTest, InPlaceIsTheSame) {
  Numbers numbers(9);
  Matrix z(numbers, 3, 7), v(numbers, 3, 7);
  Matrix d = z, in_place = z;
  const double loss = softened_divergence(d.view(), z.view(), v.view(), 2, 1);
  EXPECT_EQ(softened_divergence(in_place.view(), in_place.view(), v.view(), 2, 1), loss);
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 7; ++j) EXPECT_EQ(in_place[i][j], d[i][j]);
  }
}

TEST(LogitLossesTest, NothingIsLackingOfOneself) {
  Numbers numbers(5);
  Matrix v(numbers, 6, 12);
  Matrix d = v;
  EXPECT_EQ(softened_divergence(d.view(), v.view(), v.view(), 2, 1), 0);
  for (int i = 0; i < 6; ++i) {
    for (int j = 0; j < 12; ++j) EXPECT_EQ(d[i][j], 0);
  }
  EXPECT_EQ(logits_mse(d.view(), v.view(), v.view(), 1), 0);
}

TEST(LogitLossesTest, AllProbabilitiesSaidIsTheWholeDivergence) {
  Numbers numbers(7);
  Matrix z(numbers, 5, 8), v(numbers, 5, 8);
  Matrix d = z, whole = z;
  std::vector<std::int32_t> classes(5 * 8);
  std::vector<float> p(classes.size());
  top_probabilities(classes, p, v.view(), 8, 3);
  for (std::size_t i = 0; i < 5; ++i) {
    for (std::size_t j = 1; j < 8; ++j) EXPECT_LE(p[i * 8 + j], p[i * 8 + j - 1]);
  }
  const double all = softened_divergence(whole.view(), z.view(), v.view(), 3, 1);
  EXPECT_NEAR(top_divergence(d.view(), z.view(), classes, p, 3, 1), all, 1e-5);
  for (int i = 0; i < 5; ++i) {
    for (int j = 0; j < 8; ++j) EXPECT_NEAR(d[i][j], whole[i][j], 1e-5);
  }
  // Fewer classes can only hide differences.
  classes.resize(5 * 2), p.resize(5 * 2);
  top_probabilities(classes, p, v.view(), 2, 3);
  EXPECT_LE(top_divergence(d.view(), z.view(), classes, p, 3, 1), all + 1e-6);
}

}  // namespace
}  // namespace skiff::kernels
