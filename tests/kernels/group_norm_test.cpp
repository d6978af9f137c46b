// GroupNorm: bits against a scalar twin, values and gradients against double precision.
#include "algorithms/kernels/group_norm.h"

#include "tests/kernels/kernel_test.h"

namespace skiff::kernels {
namespace {

using testing::Numbers;

constexpr float kEpsilon = 1e-5F;

struct Case {
  int pixels, channels, groups;
  std::vector<float> x, dy, residual, w, b, mean, inverse, y, dx, dw, db, scratch;

  Case(int p, int c, int g) : pixels(p), channels(c), groups(g) {
    Numbers numbers(static_cast<std::uint64_t>(1000 * p + 10 * c + g));
    const std::size_t n = size(), width = std::size_t(c);
    x = numbers.floats(n), dy = numbers.floats(n), residual = numbers.floats(n);
    w = numbers.floats(width), b = numbers.floats(width);
    dw = numbers.floats(width), db = numbers.floats(width);
    mean.resize(width), inverse.resize(width), y.resize(n), dx.resize(n), scratch.resize(2 * width);
  }
  std::size_t size() const { return std::size_t(pixels) * std::size_t(channels); }
  MatrixView view(std::vector<float>& v) const { return dense(v.data(), pixels, channels); }
  int group_of(int c) const {
    int g = 0;
    while (channels * (g + 1) / groups <= c) ++g;
    return g;
  }
  void forward(std::vector<float>& to, bool with_residual = false, bool relu = false) {
    group_norm(view(to), {mean, inverse}, view(x), w, b, groups, kEpsilon,
               with_residual ? std::span<const float>(residual) : std::span<const float>(),
               relu ? Activation::kRelu : Activation::kNone);
  }
  void backward() {
    group_norm_backward(view(dx), dw, db, view(dy), view(x), {mean, inverse}, w, groups, scratch);
  }
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const int pixels : {1, 3, 4, 9, 16, 35}) {
    for (const int channels : {1, 7, 8, 16, 19, 32}) {
      for (const int groups : {1, 2, 8}) all.emplace_back(pixels, channels, groups);
    }
  }
  return all;
}

std::string name(const Case& c) {
  return ::testing::PrintToString(std::vector<int>{c.pixels, c.channels, c.groups});
}

// The sum over pixels of a channel as the header defines it.
template <class Term>
float over_pixels(const Case& c, Term term) {
  float sum[4] = {};
  for (int p = 0; p < c.pixels; ++p) sum[p % 4] = term(p, sum[p % 4]);
  return (sum[0] + sum[2]) + (sum[1] + sum[3]);
}
// Over the channels of each group, divided by its values, one result a channel.
std::vector<float> by_group(const Case& c, const std::vector<float>& of_channel) {
  std::vector<float> sum(std::size_t(c.groups)), count(std::size_t(c.groups)), all;
  for (int k = 0; k < c.channels; ++k) {
    sum[c.group_of(k)] += of_channel[k];
    count[c.group_of(k)] += static_cast<float>(c.pixels);
  }
  for (int k = 0; k < c.channels; ++k) all.push_back(sum[c.group_of(k)] / count[c.group_of(k)]);
  return all;
}

int differing(const std::vector<float>& a, const std::vector<float>& b) {
  int n = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    n += std::bit_cast<std::uint32_t>(a[i]) != std::bit_cast<std::uint32_t>(b[i]);
  }
  return n;
}

TEST(GroupNormTest, ForwardIsItsDefinition) {
  for (Case& c : cases()) {
    std::vector<float> sums, squares;
    for (int k = 0; k < c.channels; ++k) {
      sums.push_back(over_pixels(c, [&](int p, float s) { return s + c.x[p * c.channels + k]; }));
    }
    const std::vector<float> mean = by_group(c, sums);
    for (int k = 0; k < c.channels; ++k) {
      squares.push_back(over_pixels(c, [&](int p, float s) {
        const float away = c.x[p * c.channels + k] - mean[k];
        return std::fma(away, away, s);
      }));
    }
    const std::vector<float> variance = by_group(c, squares);
    for (const bool residual : {false, true}) {
      for (const bool relu : {false, true}) {
        c.forward(c.y, residual, relu);
        std::vector<float> y(c.size());
        for (std::size_t i = 0; i < y.size(); ++i) {
          const std::size_t k = i % std::size_t(c.channels);
          const float inverse = 1 / std::sqrt(variance[k] + kEpsilon);
          y[i] = std::fma((c.x[i] - mean[k]) * inverse, c.w[k], c.b[k]);
          if (residual) y[i] += c.residual[i];
          if (relu) y[i] = 0 > y[i] ? 0 : y[i];
        }
        EXPECT_EQ(differing(c.y, y), 0) << name(c);
      }
    }
  }
}

TEST(GroupNormTest, BackwardIsItsDefinition) {
  for (Case& c : cases()) {
    c.forward(c.y);
    std::vector<float> dw = c.dw, db = c.db, ws, wt;
    c.backward();
    const auto h = [&](int p, int k) {
      return (c.x[p * c.channels + k] - c.mean[k]) * c.inverse[k];
    };
    for (int k = 0; k < c.channels; ++k) {
      const float s = over_pixels(c, [&](int p, float v) { return v + c.dy[p * c.channels + k]; });
      const float t = over_pixels(
          c, [&](int p, float v) { return std::fma(c.dy[p * c.channels + k], h(p, k), v); });
      db[k] += s, dw[k] += t;
      ws.push_back(c.w[k] * s), wt.push_back(c.w[k] * t);
    }
    const std::vector<float> a = by_group(c, ws), along = by_group(c, wt);
    std::vector<float> dx(c.size());
    for (int p = 0; p < c.pixels; ++p) {
      for (int k = 0; k < c.channels; ++k) {
        const int i = p * c.channels + k;
        const float g = c.dy[i] * c.w[k] - a[k];
        dx[i] = std::fma(0 - along[k], h(p, k), g) * c.inverse[k];
      }
    }
    EXPECT_EQ(differing(c.dx, dx), 0) << name(c);
    EXPECT_EQ(differing(c.dw, dw), 0) << name(c);
    EXPECT_EQ(differing(c.db, db), 0) << name(c);
  }
}

// y by the formula in double; the loss is sum(dy * y).
double loss(const Case& c, const std::vector<double>& x, const std::vector<double>& w) {
  double total = 0;
  for (int g = 0; g < c.groups; ++g) {
    double sum = 0, squares = 0;
    int n = 0;
    const auto each = [&](auto body) {
      for (int i = 0; i < int(x.size()); ++i) {
        if (c.group_of(i % c.channels) == g) body(i);
      }
    };
    each([&](int i) { sum += x[i], ++n; });
    each([&](int i) { squares += (x[i] - sum / n) * (x[i] - sum / n); });
    each([&](int i) {
      const int k = i % c.channels;
      total += c.dy[i] * ((x[i] - sum / n) / std::sqrt(squares / n + kEpsilon) * w[k] + c.b[k]);
    });
  }
  return total;
}

TEST(GroupNormTest, GradientsAgreeWithDifferencesInDouble) {
  for (const auto& [pixels, channels, groups] : {std::array{6, 4, 2}, {9, 10, 3}, {5, 3, 1}}) {
    Case c(pixels, channels, groups);
    std::fill(c.dw.begin(), c.dw.end(), 0.0F);
    c.forward(c.y);
    c.backward();
    const std::vector<double> x(c.x.begin(), c.x.end()), w(c.w.begin(), c.w.end());
    for (std::size_t i = 0; i < x.size(); ++i) {
      std::vector<double> up = x, down = x;
      up[i] += 1e-6, down[i] -= 1e-6;
      EXPECT_NEAR(c.dx[i], (loss(c, up, w) - loss(c, down, w)) / 2e-6, 1e-5) << name(c);
    }
    for (std::size_t k = 0; k < w.size(); ++k) {
      std::vector<double> up = w, down = w;
      up[k] += 1e-6, down[k] -= 1e-6;
      EXPECT_NEAR(c.dw[k], (loss(c, x, up) - loss(c, x, down)) / 2e-6, 1e-5) << name(c);
    }
  }
}

TEST(GroupNormTest, AGroupHasMeanZeroAndDeviationOne) {
  Case c(64, 16, 4);
  std::fill(c.w.begin(), c.w.end(), 1.0F);
  std::fill(c.b.begin(), c.b.end(), 0.0F);
  for (float& v : c.x) v = 1000 + 3 * v;
  c.forward(c.y);
  for (int g = 0; g < 4; ++g) {
    double sum = 0, squares = 0;
    for (int p = 0; p < 64; ++p) {
      for (int k = 4 * g; k < 4 * g + 4; ++k) {
        sum += c.y[p * 16 + k];
        squares += double{c.y[p * 16 + k]} * c.y[p * 16 + k];
      }
    }
    EXPECT_NEAR(sum / 256, 0, 1e-3);
    EXPECT_NEAR(squares / 256, 1, 1e-3);
  }
}

}  // namespace
}  // namespace skiff::kernels
