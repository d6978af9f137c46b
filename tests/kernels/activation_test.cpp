// GELU, SwiGLU, erf, rotary positions, rows of a table.
#include "algorithms/kernels/embedding.h"
#include "algorithms/kernels/exp.h"
#include "algorithms/kernels/gelu.h"
#include "algorithms/kernels/rope.h"
#include "algorithms/kernels/silu.h"
#include "tests/kernels/kernel_test.h"

namespace skiff::kernels {
namespace {

using testing::differing;
using testing::hash;
using testing::Matrix;
using testing::Numbers;

TEST(ErfTest, IsRightTo2e7OfItsValue) {
  double worst = 0;
  for (float x = -5; x < 5; x += 1e-4F) {
    const double want = std::erf(static_cast<double>(x));
    if (x != 0) worst = std::max(worst, std::abs(verf(x) - want) / std::abs(want));
  }
  for (float x = 1e-30F; x < 1; x *= 1.01F) {
    const double want = std::erf(static_cast<double>(x));
    worst = std::max(worst, std::abs(verf(x) - want) / want);
  }
  EXPECT_LT(worst, 2e-7);
  EXPECT_EQ(verf(7.0F), 1.0F);
  EXPECT_EQ(verf(-INFINITY), -1.0F);
  EXPECT_TRUE(std::signbit(verf(-0.0F)));
  EXPECT_TRUE(std::isnan(verf(NAN)));
}

double gelu_of(double x, Gelu form) {
  if (form == Gelu::kErf) return x / 2 * std::erfc(-x / std::sqrt(2.0));
  return x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
}

TEST(GeluTest, ValuesAndSlopes) {
  for (const Gelu form : {Gelu::kErf, Gelu::kTanh}) {
    Numbers numbers(1);
    const std::vector<float> x = numbers.floats(1003, -6, 6), dy = numbers.floats(1003);
    std::vector<float> y(x.size()), dx(x.size());
    gelu(y, x, form);
    gelu_backward(dx, dy, x, form);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double v = x[i], h = 1e-5;
      EXPECT_NEAR(y[i], gelu_of(v, form), 5e-7);
      const double slope = (gelu_of(v + h, form) - gelu_of(v - h, form)) / (2 * h);
      EXPECT_NEAR(dx[i], dy[i] * slope, 1e-6);
      float one = 0;  // alone: the scalar twin
      gelu({&one, 1}, {&x[i], 1}, form);
      EXPECT_EQ(one, y[i]);
      gelu_backward({&one, 1}, {&dy[i], 1}, {&x[i], 1}, form);
      EXPECT_EQ(one, dx[i]);
    }
    EXPECT_EQ(hash(y, hash(dx)), form == Gelu::kErf ? 12177252164894160828u : 6425272878465310880u);
  }
}

TEST(SwigluTest, ValuesAndSlopes) {
  Numbers numbers(2);
  const std::size_t n = 517;
  const std::vector<float> g = numbers.floats(n, -8, 8), u = numbers.floats(n),
                           d = numbers.floats(n);
  std::vector<float> h(n), dg = g, du = u;
  swiglu(h, g, u);
  swiglu_backward(dg, du, d, dg, du);  // in place
  const auto silu = [](double v) { return v / (1 + std::exp(-v)); };
  for (std::size_t i = 0; i < n; ++i) {
    EXPECT_NEAR(h[i], silu(g[i]) * u[i], 2e-6);
    EXPECT_NEAR(du[i], d[i] * silu(g[i]), 2e-6);
    const double slope = (silu(g[i] + 1e-5) - silu(g[i] - 1e-5)) / 2e-5;
    EXPECT_NEAR(dg[i], d[i] * u[i] * slope, 1e-6);
    float one = 0;
    swiglu({&one, 1}, {&g[i], 1}, {&u[i], 1});
    EXPECT_EQ(one, h[i]);
  }
  EXPECT_EQ(hash(h, hash(dg, hash(du))), 10049277323899641051u);
}

TEST(RopeTest, TableIsCosinesAndSinesOfThePosition) {
  constexpr int first = 100, positions = 900, width = 64;
  std::vector<float> c(positions * width / 2), s(c.size());
  for (const float theta : {10000.0F, 500000.0F}) {
    rope_table(c, s, first, positions, width, theta);
    for (int t = 0; t < positions; ++t) {
      for (int i = 0; i < width / 2; ++i) {
        const double angle = (first + t) * std::pow(double{theta}, -2.0 * i / width);
        EXPECT_NEAR(c[t * 32 + i], std::cos(angle),
                    3.1e-8);  // half a bit of float, and little more
        EXPECT_NEAR(s[t * 32 + i], std::sin(angle), 3.1e-8);
      }
    }
  }
  EXPECT_EQ(hash(c, hash(s)), 1796863504082248482u);
}

TEST(RopeTest, TurnsPairsAndBack) {
  for (const RopePairing pairing : {RopePairing::kInterleaved, RopePairing::kHalfSplit}) {
    Numbers numbers(3);
    constexpr int w = 10, heads = 3, rows = 9;
    Matrix x(numbers, rows, w * heads), want = x;
    std::vector<float> c(rows * w / 2), s(c.size());
    rope_table(c, s, 0, rows, w, 10000);
    const Matrix before = x;
    rope(x.view(), w, c, s, pairing);
    for (int t = 0; t < rows; ++t) {
      for (int h = 0; h < heads; ++h) {
        for (int i = 0; i < w / 2; ++i) {
          const bool adjacent = pairing == RopePairing::kInterleaved;
          float& a = want[t][h * w + (adjacent ? 2 * i : i)];
          float& b = want[t][h * w + (adjacent ? 2 * i + 1 : i + w / 2)];
          const float p = a, q = b, cosine = c[t * w / 2 + i], sine = s[t * w / 2 + i];
          a = std::fma(p, cosine, -(q * sine));
          b = std::fma(p, sine, q * cosine);
        }
      }
    }
    EXPECT_EQ(differing(x, want), 0);
    rope(x.view(), w, c, s, pairing, Turn::kBack);
    for (int t = 0; t < rows; ++t) {
      for (int i = 0; i < w * heads; ++i) EXPECT_NEAR(x[t][i], before[t][i], 2e-7);
    }
  }
}

TEST(EmbeddingTest, RowsComeAndGradientsReturnInOrder) {
  Numbers numbers(4);
  Matrix table(numbers, 6, 11), rows(numbers, 5, 11), out = rows, want = table;
  const std::int32_t ids[] = {3, 0, 3, -1, 5};
  gather_rows(out.view(), table.view(), ids);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(differing({out[i], 11}, {table[std::max(0, ids[i])], 11}), 0);
    for (int j = 0; j < 11; ++j) want[std::max(0, ids[i])][j] += rows[i][j];
  }
  scatter_add_rows(table.view(), ids, rows.view());
  EXPECT_EQ(differing(table, want), 0);
}

}  // namespace
}  // namespace skiff::kernels
