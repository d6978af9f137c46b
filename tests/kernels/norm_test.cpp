// RMSNorm and LayerNorm: bits against scalar twins, gradients against differences in double.
#include "algorithms/kernels/layer_norm.h"
#include "algorithms/kernels/reduce.h"
#include "algorithms/kernels/rms_norm.h"
#include "tests/kernels/kernel_test.h"

namespace skiff::kernels {
namespace {

using testing::differing;
using testing::hash;
using testing::Matrix;
using testing::Numbers;

// The 16 lanes and their tree, as reduce.h defines them, in plain scalars.
template <class Step>
float lanes(int n, Step step) {
  float sum[16] = {};
  for (int i = 0; i < n; ++i) sum[i % 16] = step(sum[i % 16], i);
  for (int half = 8; half > 0; half /= 2) {
    for (int l = 0; l < half; ++l) sum[l] += sum[l + half];
  }
  return sum[0];
}

struct Case {
  Numbers numbers;
  Matrix x, dy, y, dx;
  std::vector<float> w, b, dw, db, first, second;
  Case(int rows, int n, std::uint64_t seed)
      : numbers(seed),
        x(numbers, rows, n),
        dy(numbers, rows, n),
        y(numbers, rows, n),
        dx(numbers, rows, n),
        w(numbers.floats(n)),
        b(numbers.floats(n)),
        dw(numbers.floats(n)),
        db(numbers.floats(n)),
        first(rows),
        second(rows) {}
  Moments moments() { return {first, second}; }
  ConstMoments kept() const { return {first, second}; }
};

const int kWidths[] = {1, 3, 15, 16, 17, 33, 64, 100, 257};

TEST(NormTest, RmsNormIsItsDefinition) {
  for (const int n : kWidths) {
    Case c(5, n, 1);
    Matrix y = c.y, dx = c.dx;
    std::vector<float> dw = c.dw;
    rms_norm(c.y.view(), c.first, c.x.view(), c.w, 1e-5F);
    rms_norm_backward(c.dx.view(), c.dw, c.dy.view(), c.x.view(), c.first, c.w, Output::kAdd);
    for (int r = 0; r < 5; ++r) {
      const auto width = static_cast<float>(n);
      const float square =
          lanes(n, [&](float s, int i) { return std::fma(c.x[r][i], c.x[r][i], s); });
      const float inv = 1 / std::sqrt(square / width + 1e-5F);
      const float dot =
          lanes(n, [&](float s, int i) { return std::fma(c.dy[r][i] * c.w[i], c.x[r][i], s); });
      const float k = dot * (inv * inv * inv) / width;
      for (int i = 0; i < n; ++i) {
        y[r][i] = c.x[r][i] * inv * c.w[i];
        dx[r][i] += std::fma(c.dy[r][i] * c.w[i], inv, -(c.x[r][i] * k));
        dw[i] = std::fma(c.dy[r][i], c.x[r][i] * inv, dw[i]);
      }
    }
    EXPECT_EQ(differing(c.y, y), 0) << n;
    EXPECT_EQ(differing(c.dx, dx), 0) << n;
    EXPECT_EQ(differing(c.dw, dw), 0) << n;
  }
}

TEST(NormTest, LayerNormIsItsDefinition) {
  for (const int n : kWidths) {
    Case c(5, n, 2);
    Matrix y = c.y, dx = c.dx;
    std::vector<float> dw = c.dw, db = c.db;
    layer_norm(c.y.view(), c.moments(), c.x.view(), c.w, c.b, 1e-5F);
    layer_norm_backward(c.dx.view(), c.dw, c.db, c.dy.view(), c.x.view(), c.kept(), c.w);
    const auto width = static_cast<float>(n);
    for (int r = 0; r < 5; ++r) {
      const float mean = lanes(n, [&](float s, int i) { return s + c.x[r][i]; }) / width;
      const float var =
          lanes(n, [&](float s, int i) { return std::fma(c.x[r][i] - mean, c.x[r][i] - mean, s); });
      const float inv = 1 / std::sqrt(var / width + 1e-5F);
      const auto h = [&](int i) { return (c.x[r][i] - mean) * inv; };
      const auto g = [&](int i) { return c.dy[r][i] * c.w[i]; };
      const float a = lanes(n, [&](float s, int i) { return s + g(i); }) / width;
      const float k = lanes(n, [&](float s, int i) { return std::fma(g(i), h(i), s); }) / width;
      for (int i = 0; i < n; ++i) {
        y[r][i] = std::fma(h(i), c.w[i], c.b[i]);
        dx[r][i] = std::fma(-k, h(i), g(i) - a) * inv;
        dw[i] = std::fma(c.dy[r][i], h(i), dw[i]);
        db[i] += c.dy[r][i];
      }
    }
    EXPECT_EQ(differing(c.y, y), 0) << n;
    EXPECT_EQ(differing(c.dx, dx), 0) << n;
    EXPECT_EQ(differing(c.dw, dw), 0) << n;
    EXPECT_EQ(differing(c.db, db), 0) << n;
  }
}

// sum of dy * norm(x), in double
double value(const Case& c, bool centred, const std::vector<double>& x,
             const std::vector<double>& w) {
  const int n = c.x.cols();
  double sum = 0, mean = 0, square = 0;
  for (int i = 0; i < n && centred; ++i) mean += x[i] / n;
  for (int i = 0; i < n; ++i) square += (x[i] - mean) * (x[i] - mean) / n;
  for (int i = 0; i < n; ++i) sum += c.dy[0][i] * (x[i] - mean) / std::sqrt(square + 1e-5) * w[i];
  return sum;
}

TEST(NormTest, GradientsAreSlopes) {
  constexpr int n = 37;
  for (const bool centred : {false, true}) {
    Case c(1, n, 3);
    std::fill(c.dw.begin(), c.dw.end(), 0.0F);
    if (centred) {
      layer_norm(c.y.view(), c.moments(), c.x.view(), c.w, c.b, 1e-5F);
      layer_norm_backward(c.dx.view(), c.dw, c.db, c.dy.view(), c.x.view(), c.kept(), c.w);
    } else {
      rms_norm(c.y.view(), c.first, c.x.view(), c.w, 1e-5F);
      rms_norm_backward(c.dx.view(), c.dw, c.dy.view(), c.x.view(), c.first, c.w);
    }
    const std::vector<double> x(c.x[0], c.x[0] + n), w(c.w.begin(), c.w.end());
    for (int i = 0; i < n; ++i) {
      std::vector<double> u = x, v = w;
      const auto at = [&](std::vector<double>& of) {
        const double kept = of[i];
        of[i] = kept + 1e-5;
        const double above = value(c, centred, u, v);
        of[i] = kept - 1e-5;
        const double below = value(c, centred, u, v);
        of[i] = kept;
        return (above - below) / 2e-5;
      };
      EXPECT_NEAR(c.dx[0][i], at(u), 3e-6);
      EXPECT_NEAR(c.dw[i], at(v), 3e-6);
    }
  }
}

TEST(NormTest, BitsArePinned) {
  Case c(7, 100, 4);
  rms_norm(c.y.view(), c.first, c.x.view(), c.w, 1e-5F);
  rms_norm_backward(c.dx.view(), c.dw, c.dy.view(), c.x.view(), c.first, c.w);
  EXPECT_EQ(hash(c.dw, hash(c.dx) ^ hash(c.y)), 9573984479099110957u);
  layer_norm(c.y.view(), c.moments(), c.x.view(), c.w, c.b, 1e-5F);
  layer_norm_backward(c.dx.view(), c.dw, c.db, c.dy.view(), c.x.view(), c.kept(), c.w);
  EXPECT_EQ(hash(c.dw, hash(c.dx) ^ hash(c.y)), 5201167917940036736u);
}

}  // namespace
}  // namespace skiff::kernels
