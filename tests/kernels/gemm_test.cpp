#include "algorithms/kernels/gemm.h"

#include "tests/kernels/kernel_test.h"

namespace skiff::kernels {
namespace {

using testing::differing;
using testing::Matrix;
using testing::Numbers;

enum class After { kNone, kRelu, kMask, kUpdate };

// The definition: a(i, p) and b(p, j) in ascending p, from `start`, then what follows.
template <class A, class B>
void reference(Matrix& c, A a, B b, int k, bool old, const float* bias = nullptr,
               After after = After::kNone, const Matrix* active = nullptr, float rate = 0) {
  for (int i = 0; i < c.rows(); ++i) {
    for (int j = 0; j < c.cols(); ++j) {
      float sum = old ? c[i][j] : bias != nullptr ? bias[j] : 0.0F;
      for (int p = 0; p < k; ++p) sum = std::fma(a(i, p), b(p, j), sum);
      if (after == After::kRelu) sum = 0 > sum ? 0 : sum;
      if (after == After::kMask) sum = (*active)[i][j] > 0 ? sum : 0;
      c[i][j] = after == After::kUpdate ? std::fma(-rate, sum, c[i][j]) : sum;
    }
  }
}

auto plain(Matrix& m) {
  return [&m](int i, int j) { return m[i][j]; };
}
auto transposed(Matrix& m) {
  return [&m](int i, int j) { return m[j][i]; };
}

struct Shape {
  int m, k, n;
};

std::vector<Shape> shapes() {
  std::vector<Shape> all;
  for (int m = 1; m <= 33; ++m) all.push_back({m, 1 + (m * 7) % 19, 1 + (m * 13) % 57});
  for (int n = 1; n <= 66; ++n) all.push_back({5, 9, n});
  for (const Shape s : {Shape{20, 784, 200},
                        {20, 200, 200},
                        {3, 129, 31},
                        {7, 300, 24},
                        {4, 256, 8},
                        {130, 5, 33},
                        {2, 0, 9}}) {
    all.push_back(s);
  }
  return all;
}

TEST(GemmTest, ForwardEqualsTheScalarLoop) {
  Numbers numbers(1);
  for (const auto& [m, k, n] : shapes()) {
    Matrix x(numbers, m, k), w(numbers, k, n), y(numbers, m, n);
    const std::vector<float> bias = numbers.floats(static_cast<std::size_t>(n));
    for (int way = 0; way < 6; ++way) {
      Matrix expected = y, rows = y, view = y;
      const Activation activation = way % 2 == 0 ? Activation::kNone : Activation::kRelu;
      if (way < 4) {
        const std::span<const float> b = way < 2 ? std::span<const float>() : std::span(bias);
        forward(rows.view(), x.gathered(), w.view(), b, activation);
        forward(view.view(), x.view(), w.view(), b, activation);
      } else {
        forward_add(rows.view(), x.gathered(), w.view(), activation);
        forward_add(view.view(), x.view(), w.view(), activation);
      }
      reference(expected, plain(x), plain(w), k, way >= 4, way >= 2 ? bias.data() : nullptr,
                way % 2 == 0 ? After::kNone : After::kRelu);
      ASSERT_EQ(differing(rows, expected), 0) << m << ' ' << k << ' ' << n << " way " << way;
      ASSERT_EQ(differing(view, expected), 0) << m << ' ' << k << ' ' << n << " way " << way;
    }
  }
}

TEST(GemmTest, InputGradientEqualsTheScalarLoop) {
  Numbers numbers(2);
  for (const auto& [m, k, n] : shapes()) {
    Matrix dy(numbers, m, k), w(numbers, n, k), active(numbers, m, n), dx(numbers, m, n);
    Matrix wt(numbers, k, n), expected = dx, masked = dx;
    transpose(wt.view(), w.view());
    input_gradient(dx.view(), dy.view(), wt.view());
    reference(expected, plain(dy), transposed(w), k, false);
    ASSERT_EQ(differing(dx, expected), 0) << m << ' ' << k << ' ' << n;
    input_gradient_relu(masked.view(), dy.view(), wt.view(), active.view());
    reference(expected, plain(dy), transposed(w), k, false, nullptr, After::kMask, &active);
    ASSERT_EQ(differing(masked, expected), 0) << m << ' ' << k << ' ' << n;
  }
}

TEST(GemmTest, WeightGradientEqualsTheScalarLoop) {
  Numbers numbers(3);
  for (const auto& [m, k, n] : shapes()) {  // k is the batch
    Matrix x(numbers, k, m), dy(numbers, k, n), dw(numbers, m, n);
    for (const Output output : {Output::kOverwrite, Output::kAdd}) {
      Matrix rows = dw, view = dw, expected = dw;
      weight_gradient(rows.view(), x.gathered(), dy.view(), output);
      weight_gradient(view.view(), x.view(), dy.view(), output);
      reference(expected, transposed(x), plain(dy), k, output == Output::kAdd);
      ASSERT_EQ(differing(rows, expected), 0) << m << ' ' << k << ' ' << n;
      ASSERT_EQ(differing(view, expected), 0) << m << ' ' << k << ' ' << n;
    }
  }
}

TEST(GemmTest, FusedUpdateEqualsGradientThenStep) {
  Numbers numbers(4);
  for (const auto& [m, k, n] : shapes()) {
    Matrix x(numbers, k, m), dy(numbers, k, n), w(numbers, m, n);
    Matrix rows = w, view = w, expected = w, gradient = w;
    weight_update(rows.view(), x.gathered(), dy.view(), 0.1F);
    weight_update(view.view(), x.view(), dy.view(), 0.1F);
    weight_gradient(gradient.view(), x.view(), dy.view());
    for (int i = 0; i < m; ++i) {
      for (int j = 0; j < n; ++j) expected[i][j] = std::fma(-0.1F, gradient[i][j], w[i][j]);
    }
    ASSERT_EQ(differing(rows, expected), 0) << m << ' ' << k << ' ' << n;
    ASSERT_EQ(differing(view, expected), 0) << m << ' ' << k << ' ' << n;
  }
}

TEST(GemmTest, PlainProductsEqualTheScalarLoop) {
  Numbers numbers(5);
  for (const auto& [m, k, n] : shapes()) {
    Matrix a(numbers, m, k), at(numbers, k, m), b(numbers, k, n), bt(numbers, n, k);
    const Matrix c(numbers, m, n);
    for (const Output output : {Output::kOverwrite, Output::kAdd}) {
      const bool old = output == Output::kAdd;
      Matrix nn = c, nt = c, tn = c, nn_expected = c, nt_expected = c, tn_expected = c;
      gemm_nn(nn.view(), a.view(), b.view(), output);
      gemm_nt(nt.view(), a.view(), bt.view(), output);
      gemm_tn(tn.view(), at.view(), b.view(), output);
      reference(nn_expected, plain(a), plain(b), k, old);
      reference(nt_expected, plain(a), transposed(bt), k, old);
      reference(tn_expected, transposed(at), plain(b), k, old);
      ASSERT_EQ(differing(nn, nn_expected), 0) << m << ' ' << k << ' ' << n;
      ASSERT_EQ(differing(nt, nt_expected), 0) << m << ' ' << k << ' ' << n;
      ASSERT_EQ(differing(tn, tn_expected), 0) << m << ' ' << k << ' ' << n;
    }
  }
}

// Shapes that go by blocks: more rows, steps and columns than one block has, and odd ends of each.
std::vector<Shape> large_shapes() {
  return {{48, 64, 16}, {150, 310, 128}, {385, 577, 37}, {197, 600, 70}, {61, 289, 5}, {50, 3, 90}};
}

TEST(GemmTest, LargeProductsEqualTheScalarLoop) {
  Numbers numbers(6);
  for (const auto& [m, k, n] : large_shapes()) {
    Matrix a(numbers, m, k, 10), at(numbers, k, m), b(numbers, k, n, 0, 0), bt(numbers, n, k);
    const Matrix c(numbers, m, n);
    for (const Output output : {Output::kOverwrite, Output::kAdd}) {
      const bool old = output == Output::kAdd;
      Matrix nn = c, nt = c, tn = c, nn_expected = c, nt_expected = c, tn_expected = c;
      gemm_nn(nn.view(), a.view(), b.view(), output);
      reference(nn_expected, plain(a), plain(b), k, old);
      EXPECT_EQ(differing(nn, nn_expected), 0) << m << ' ' << k << ' ' << n;
      gemm_nt(nt.view(), a.view(), bt.view(), output);
      reference(nt_expected, plain(a), transposed(bt), k, old);
      EXPECT_EQ(differing(nt, nt_expected), 0) << m << ' ' << k << ' ' << n;
      gemm_tn(tn.view(), at.view(), b.view(), output);
      reference(tn_expected, transposed(at), plain(b), k, old);
      EXPECT_EQ(differing(tn, tn_expected), 0) << m << ' ' << k << ' ' << n;
    }
  }
}

TEST(GemmTest, LargeLayersEqualTheScalarLoop) {
  Numbers numbers(10);
  for (const auto& [m, k, n] : large_shapes()) {
    Matrix x(numbers, m, k), w(numbers, k, n), active(numbers, m, n), xt(numbers, k, m);
    const std::vector<float> bias = numbers.floats(static_cast<std::size_t>(n));
    const Matrix c(numbers, m, n);
    Matrix y = c, dx = c, dw = c, moved = c;
    Matrix y_expected = c, dx_expected = c, dw_expected = c, moved_expected = c;
    forward(y.view(), x.gathered(), w.view(), bias, Activation::kRelu);
    reference(y_expected, plain(x), plain(w), k, false, bias.data(), After::kRelu);
    EXPECT_EQ(differing(y, y_expected), 0) << m << ' ' << k << ' ' << n;
    input_gradient_relu(dx.view(), x.view(), w.view(), active.view());
    reference(dx_expected, plain(x), plain(w), k, false, nullptr, After::kMask, &active);
    EXPECT_EQ(differing(dx, dx_expected), 0) << m << ' ' << k << ' ' << n;
    weight_gradient(dw.view(), xt.gathered(), w.view(), Output::kAdd);
    reference(dw_expected, transposed(xt), plain(w), k, true);
    EXPECT_EQ(differing(dw, dw_expected), 0) << m << ' ' << k << ' ' << n;
    weight_update(moved.view(), xt.gathered(), w.view(), 0.1F);
    reference(moved_expected, transposed(xt), plain(w), k, false, nullptr, After::kUpdate, nullptr,
              0.1F);
    EXPECT_EQ(differing(moved, moved_expected), 0) << m << ' ' << k << ' ' << n;
  }
}

TEST(GemmTest, RowsDoNotDependOnTheBatch) {
  Numbers numbers(7);
  Matrix x(numbers, 33, 100), w(numbers, 100, 70), all(numbers, 33, 70);
  forward(all.view(), x.view(), w.view());
  for (int i = 0; i < 33; ++i) {
    Matrix one(numbers, 1, 70);
    forward(one.view(), ConstMatrixView(x[i], 1, 100, 100), w.view());
    EXPECT_EQ(differing({one[0], 70}, {all[i], 70}), 0) << i;
  }
}

TEST(GemmTest, NotANumberPassesTheRelu) {
  const float x[1] = {NAN}, w[2] = {1, 0};
  float y[2] = {0, 0};
  forward(dense(y, 1, 2), dense(x, 1, 1), dense(w, 1, 2), {}, Activation::kRelu);
  EXPECT_TRUE(std::isnan(y[0]) && std::isnan(y[1]));
}

TEST(GemmTest, ColumnSumsAndBiasUpdate) {
  Numbers numbers(8);
  for (int n = 1; n <= 40; ++n) {
    Matrix m(numbers, n % 11 + 1, n);
    const std::vector<float> old = numbers.floats(static_cast<std::size_t>(n));
    std::vector<float> sum = old, added = old, updated = old;
    column_sum(sum, m.view());
    column_sum(added, m.view(), Output::kAdd);
    bias_update(updated, m.view(), 0.3F);
    for (std::size_t j = 0; j < old.size(); ++j) {
      float s = 0, t = old[j];
      for (int i = 0; i < m.rows(); ++i) s += m[i][j], t += m[i][j];
      ASSERT_EQ(sum[j], s);
      ASSERT_EQ(added[j], t);
      ASSERT_EQ(updated[j], std::fma(-0.3F, s, old[j]));
    }
  }
}

TEST(GemmTest, TransposeMovesEveryElement) {
  Numbers numbers(9);
  for (int m = 1; m <= 26; ++m) {
    for (int n = 1; n <= 26; ++n) {
      Matrix in(numbers, m, n), out(numbers, n, m), expected = out;
      transpose(out.view(), in.view());
      for (int i = 0; i < m; ++i) {
        for (int j = 0; j < n; ++j) expected[j][i] = in[i][j];
      }
      ASSERT_EQ(differing(out, expected), 0) << m << ' ' << n;
    }
  }
}

}  // namespace
}  // namespace skiff::kernels
