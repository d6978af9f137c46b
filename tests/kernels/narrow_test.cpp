#include "algorithms/kernels/narrow.h"

#include "algorithms/kernels/reduce.h"
#include "tests/kernels/kernel_test.h"

namespace skiff::kernels {
namespace {

using testing::differing;
using testing::Matrix;
using testing::Numbers;

float dot_reference(const float* a, const float* b, int n) {
  float lane[16] = {};
  for (int i = 0; i < (n + 15) / 16 * 16; ++i) {
    lane[i % 16] = std::fma(i < n ? a[i] : 0, i < n ? b[i] : 0, lane[i % 16]);
  }
  for (int width = 8; width > 0; width /= 2) {
    for (int l = 0; l < width; ++l) lane[l] += lane[l + width];
  }
  return lane[0];
}

struct Shape {
  int batch, inputs, classes;
};

std::vector<Shape> shapes() {
  std::vector<Shape> all;
  for (int m = 1; m <= 33; ++m) all.push_back({m, 1 + (m * 29) % 83, 1 + m % 16});
  for (int n = 1; n <= 16; ++n) all.push_back({7, 31, n});
  all.push_back({20, 784, 10});
  all.push_back({20, 200, 10});
  return all;
}

TEST(NarrowTest, ForwardIsTheSixteenLaneDot) {
  Numbers numbers(1);
  for (const auto& [m, k, n] : shapes()) {
    Matrix x(numbers, m, k), w(numbers, n, k), y(numbers, m, n);
    const std::vector<float> bias = numbers.floats(static_cast<std::size_t>(n));
    for (const bool with_bias : {false, true}) {
      Matrix rows = y, view = y, expected = y;
      const std::span<const float> b = with_bias ? std::span(bias) : std::span<const float>();
      narrow_forward(rows.view(), x.gathered(), w.view(), b);
      narrow_forward(view.view(), x.view(), w.view(), b);
      for (int i = 0; i < m; ++i) {
        for (int j = 0; j < n; ++j) {
          const float dot = dot_reference(x[i], w[j], k);
          expected[i][j] = with_bias ? bias[static_cast<std::size_t>(j)] + dot : dot;
          const auto length = static_cast<std::size_t>(k);
          ASSERT_EQ(dot, dot16({x[i], length}, {w[j], length}));
        }
      }
      ASSERT_EQ(differing(rows, expected), 0) << m << ' ' << k << ' ' << n;
      ASSERT_EQ(differing(view, expected), 0) << m << ' ' << k << ' ' << n;
    }
  }
}

TEST(NarrowTest, InputGradientEqualsTheScalarLoop) {
  Numbers numbers(2);
  for (const auto& [m, k, n] : shapes()) {
    Matrix dy(numbers, m, n), w(numbers, n, k), active(numbers, m, k), dx(numbers, m, k);
    Matrix masked = dx, expected = dx, expected_masked = dx;
    narrow_input_gradient(dx.view(), dy.view(), w.view());
    narrow_input_gradient_relu(masked.view(), dy.view(), w.view(), active.view());
    for (int b = 0; b < m; ++b) {
      for (int i = 0; i < k; ++i) {
        float sum = 0;
        for (int c = 0; c < n; ++c) sum = std::fma(dy[b][c], w[c][i], sum);
        expected[b][i] = sum;
        expected_masked[b][i] = active[b][i] > 0 ? sum : 0;
      }
    }
    ASSERT_EQ(differing(dx, expected), 0) << m << ' ' << k << ' ' << n;
    ASSERT_EQ(differing(masked, expected_masked), 0) << m << ' ' << k << ' ' << n;
  }
}

TEST(NarrowTest, WeightGradientAndUpdateEqualTheScalarLoop) {
  Numbers numbers(3);
  for (const auto& [m, k, n] : shapes()) {
    Matrix x(numbers, m, k), dy(numbers, m, n), w(numbers, n, k);
    Matrix gradient = w, added = w, updated = w, from_rows = w;
    Matrix expected = w, expected_added = w, expected_updated = w;
    narrow_weight_gradient(gradient.view(), x.gathered(), dy.view());
    narrow_weight_gradient(added.view(), x.view(), dy.view(), Output::kAdd);
    narrow_weight_update(updated.view(), x.view(), dy.view(), 0.05F);
    narrow_weight_update(from_rows.view(), x.gathered(), dy.view(), 0.05F);
    for (int c = 0; c < n; ++c) {
      for (int i = 0; i < k; ++i) {
        float sum = 0, more = w[c][i];
        for (int b = 0; b < m; ++b) {
          sum = std::fma(dy[b][c], x[b][i], sum);
          more = std::fma(dy[b][c], x[b][i], more);
        }
        expected[c][i] = sum;
        expected_added[c][i] = more;
        expected_updated[c][i] = std::fma(-0.05F, sum, w[c][i]);
      }
    }
    ASSERT_EQ(differing(gradient, expected), 0) << m << ' ' << k << ' ' << n;
    ASSERT_EQ(differing(added, expected_added), 0) << m << ' ' << k << ' ' << n;
    ASSERT_EQ(differing(updated, expected_updated), 0) << m << ' ' << k << ' ' << n;
    ASSERT_EQ(differing(from_rows, expected_updated), 0) << m << ' ' << k << ' ' << n;
  }
}

}  // namespace
}  // namespace skiff::kernels
