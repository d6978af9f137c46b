#include "algorithms/kernels/softmax.h"

#include "algorithms/kernels/exp.h"
#include "algorithms/kernels/reduce.h"
#include "tests/kernels/kernel_test.h"

namespace skiff::kernels {
namespace {

using testing::differing;
using testing::Matrix;
using testing::Numbers;

struct Row {
  std::vector<float> e;
  float most, sum;
};

Row row_reference(const float* z, int n) {
  Row row{{}, z[0], 0};
  for (int j = 0; j < n; ++j) row.most = std::max(row.most, z[j]);
  for (int j = 0; j < n; ++j) row.e.push_back(vexp(z[j] - row.most));
  for (const float e : row.e) row.sum += e;
  if (n > 16) row.sum = sum16(row.e);
  return row;
}

TEST(SoftmaxTest, LossAndGradientEqualTheDefinition) {
  Numbers numbers(1);
  for (int n = 1; n <= 40; ++n) {
    for (const int m : {1, 2, 7, 8, 9, 20, 33}) {
      Matrix z(numbers, m, n);
      for (int i = 0; i < m; ++i) {
        for (int j = 0; j < n; ++j) z[i][j] *= 10;
      }
      std::vector<std::int32_t> labels;
      for (int i = 0; i < m; ++i) labels.push_back(numbers.below(n));
      const float scale = 1.0F / static_cast<float>(m);
      Matrix d(numbers, m, n), expected = d, p = d, expected_p = d, in_place = z;
      double loss = 0;
      for (int i = 0; i < m; ++i) {
        const Row row = row_reference(z[i], n);
        const float inverse = 1 / row.sum;
        const int label = labels[static_cast<std::size_t>(i)];
        for (int j = 0; j < n; ++j) {
          const float e = row.e[static_cast<std::size_t>(j)];
          expected[i][j] = scale * std::fma(e, inverse, j == label ? -1.0F : -0.0F);
          expected_p[i][j] = e * inverse;
        }
        loss += static_cast<double>(vlog(row.sum)) +
                (static_cast<double>(row.most) - static_cast<double>(z[i][label]));
      }
      ASSERT_EQ(softmax_cross_entropy(d.view(), z.view(), labels, scale), loss) << m << ' ' << n;
      ASSERT_EQ(cross_entropy(z.view(), labels), loss) << m << ' ' << n;
      ASSERT_EQ(differing(d, expected), 0) << m << ' ' << n;
      softmax(p.view(), z.view());
      ASSERT_EQ(differing(p, expected_p), 0) << m << ' ' << n;
      ASSERT_EQ(softmax_cross_entropy(in_place.view(), in_place.view(), labels, scale), loss);
      for (int i = 0; i < m; ++i) {
        ASSERT_EQ(differing({in_place[i], static_cast<std::size_t>(n)},
                            {expected[i], static_cast<std::size_t>(n)}),
                  0);
      }
    }
  }
}

TEST(SoftmaxTest, GradientAgreesWithCentralDifferences) {
  Numbers numbers(2);
  Matrix z(numbers, 3, 5), d(numbers, 3, 5);
  const std::vector<std::int32_t> labels = {4, 0, 2};
  softmax_cross_entropy(d.view(), z.view(), labels, 1.0F);
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 5; ++j) {
      Matrix up = z, down = z;
      up[i][j] += 1e-2F;
      down[i][j] -= 1e-2F;
      const double slope = (cross_entropy(up.view(), labels) - cross_entropy(down.view(), labels)) /
                           static_cast<double>(up[i][j] - down[i][j]);
      EXPECT_NEAR(d[i][j], slope, 1e-4);
    }
  }
}

TEST(SoftmaxTest, ExtremeLogits) {
  const float z[4] = {1000, -1000, 0, 1000};
  const std::int32_t labels[1] = {1};
  float p[4];
  softmax(dense(p, 1, 4), dense(z, 1, 4));
  EXPECT_EQ(p[0], 0.5F);
  EXPECT_EQ(p[1], 0.0F);
  EXPECT_NEAR(cross_entropy(dense(z, 1, 4), labels), 2000 + std::log(2.0), 1e-6);
  const float bad[4] = {1, NAN, 0, 2};
  EXPECT_TRUE(std::isnan(cross_entropy(dense(bad, 1, 4), labels)));
  EXPECT_TRUE(std::isnan(softmax_cross_entropy(dense(p, 1, 4), dense(bad, 1, 4), labels, 1)));
}

TEST(SoftmaxTest, BinaryLogisticEqualsTheDefinition) {
  Numbers numbers(3);
  for (std::size_t n = 0; n <= 40; ++n) {
    const std::vector<float> z = numbers.floats(n, -30, 30);
    std::vector<float> y(n), d(n), expected(n);
    double loss = 0;
    for (std::size_t i = 0; i < n; ++i) {
      y[i] = numbers.below(2) == 0 ? -1.0F : 1.0F;
      loss += static_cast<double>(vsoftplus(-(y[i] * z[i])));
      expected[i] = vsigmoid(-(y[i] * z[i])) * y[i] * -0.5F;
    }
    ASSERT_EQ(binary_logistic(d, z, y, 0.5F), loss);
    ASSERT_EQ(binary_logistic(z, y), loss);
    ASSERT_EQ(differing(d, expected), 0);
  }
}

TEST(SoftmaxTest, ArgmaxTakesTheFirstOfEquals) {
  EXPECT_EQ(argmax({}), -1);
  EXPECT_EQ(argmax(std::vector<float>{1, 3, 2, 3}), 1);
  EXPECT_EQ(argmax(std::vector<float>{NAN, 1, 2}), 2);
  EXPECT_EQ(argmax(std::vector<float>{NAN}), -1);
  const float z[6] = {1, 2, 3, 6, 5, 4};
  const std::int32_t labels[2] = {2, 1};
  EXPECT_EQ(count_correct(dense(z, 2, 3), labels), 1);
}

}  // namespace
}  // namespace skiff::kernels
