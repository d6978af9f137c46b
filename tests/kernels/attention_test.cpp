// Attention: bits against the scalar definition, gradients against differences in double.
#include "algorithms/kernels/attention.h"

#include "algorithms/kernels/exp.h"
#include "algorithms/kernels/reduce.h"
#include "tests/kernels/kernel_test.h"

namespace skiff::kernels {
namespace {

using testing::differing;
using testing::hash;
using testing::Matrix;
using testing::Numbers;

struct Case {
  Attention shape;
  Numbers numbers;
  Matrix q, k, v, o, d_o, dq, dk, dv;
  std::vector<float> log_sum, scratch;
  Case(Attention a, int queries, int keys, std::uint64_t seed = 1)
      : shape(a),
        numbers(seed),
        q(numbers, queries, a.heads * a.head_dim),
        k(numbers, keys, a.kv_heads * a.head_dim),
        v(numbers, keys, a.kv_heads * a.head_dim),
        o(q),
        d_o(numbers, queries, a.heads * a.head_dim),
        dq(q),
        dk(k),
        dv(v),
        log_sum(static_cast<std::size_t>(queries * a.heads)),
        scratch(attention_scratch(a, keys)) {}
  void run() {
    attention_forward(o.view(), log_sum, q.view(), k.view(), v.view(), shape, scratch);
    attention_backward(dq.view(), dk.view(), dv.view(), d_o.view(),
                       {q.view(), k.view(), v.view(), o.view(), log_sum}, shape, scratch);
  }
  int visible(int i) const { return shape.causal ? i + 1 + k.rows() - q.rows() : k.rows(); }
  float scale() const { return 1 / std::sqrt(static_cast<float>(shape.head_dim)); }
};

float dot(const float* a, const float* b, int n) {
  float sum = 0;
  for (int i = 0; i < n; ++i) sum = std::fma(a[i], b[i], sum);
  return sum;
}

// One query of one head, as the header defines it.
struct Twin {
  std::vector<float> s, p;
  float log_sum = 0;
  Twin(const Case& c, int i, int h, int kv) : s(c.visible(i)), p(s.size()) {
    const int w = c.shape.head_dim;
    float most = -INFINITY;
    for (std::size_t j = 0; j < s.size(); ++j) {
      s[j] = dot(c.q[i] + h * w, c.k[static_cast<int>(j)] + kv * w, w);
      most = std::max(most, s[j] * c.scale());
    }
    for (std::size_t j = 0; j < s.size(); ++j) p[j] = vexp(s[j] * c.scale() - most);
    const float sum = sum16(p), inverse = 1 / sum;
    for (float& x : p) x *= inverse;
    log_sum = most + vlog(sum);
  }
};

void expect_twin(Case& c) {
  Case want = c;
  const int w = c.shape.head_dim, group = c.shape.heads / c.shape.kv_heads;
  for (int j = 0; j < c.k.rows(); ++j) {
    for (int d = 0; d < c.k.cols(); ++d) want.dk[j][d] = want.dv[j][d] = 0;
  }
  for (int h = 0; h < c.shape.heads; ++h) {
    const int kv = h / group * w;
    for (int i = 0; i < c.q.rows(); ++i) {
      const Twin t(c, i, h, h / group);
      const int seen = c.visible(i);
      float* o = want.o[i] + h * w;
      for (int d = 0; d < w; ++d) {
        o[d] = 0;
        for (int j = 0; j < seen; ++j) o[d] = std::fma(t.p[j], c.v[j][kv + d], o[d]);
      }
      const float* d_o = c.d_o[i] + h * w;
      const float mean =
          dot16({d_o, static_cast<std::size_t>(w)}, {o, static_cast<std::size_t>(w)});
      for (int d = 0; d < w; ++d) want.dq[i][h * w + d] = 0;
      for (int j = 0; j < seen; ++j) {
        const float p = vexp(t.s[j] * c.scale() - t.log_sum);
        const float ds = p * (dot(d_o, c.v[j] + kv, w) - mean) * c.scale();
        for (int d = 0; d < w; ++d) {
          want.dv[j][kv + d] = std::fma(p, d_o[d], want.dv[j][kv + d]);
          want.dq[i][h * w + d] = std::fma(ds, c.k[j][kv + d], want.dq[i][h * w + d]);
          want.dk[j][kv + d] = std::fma(ds, c.q[i][h * w + d], want.dk[j][kv + d]);
        }
      }
    }
  }
  c.run();
  EXPECT_EQ(differing(c.o, want.o), 0);
  EXPECT_EQ(differing(c.dq, want.dq), 0);
  EXPECT_EQ(differing(c.dk, want.dk), 0);
  EXPECT_EQ(differing(c.dv, want.dv), 0);
}

TEST(AttentionTest, IsItsDefinitionBitByBit) {
  const struct {
    Attention shape;
    int queries, keys;
  } cases[] = {{{1, 1, 4, true}, 1, 1},    {{4, 2, 8, true}, 33, 33},   {{4, 1, 6, false}, 20, 20},
               {{2, 2, 32, true}, 70, 70}, {{6, 3, 10, true}, 1, 40},   {{3, 3, 16, false}, 65, 17},
               {{8, 4, 8, true}, 5, 50},   {{2, 1, 64, false}, 40, 129}};
  for (const auto& c : cases) {
    SCOPED_TRACE(std::to_string(c.queries) + " queries, " + std::to_string(c.keys) + " keys, " +
                 std::to_string(c.shape.heads) + " heads");
    Case one(c.shape, c.queries, c.keys);
    expect_twin(one);
  }
}

TEST(AttentionTest, AnEarlierQueryDoesNotSeeLaterKeys) {
  Case a({2, 1, 8, true}, 40, 40), b = a;
  for (int d = 0; d < 8; ++d) b.k[39][d] = b.v[39][d] = 100;
  a.run();
  b.run();
  for (int i = 0; i < 39; ++i) {
    EXPECT_EQ(differing({a.o[i], 16}, {b.o[i], 16}), 0);
  }
  EXPECT_GT(differing({a.o[39], 16}, {b.o[39], 16}), 0);
}

TEST(AttentionTest, OneQueryAtTheEndOfACacheIsTheLastRowOfAll) {
  Case all({4, 2, 8, true}, 45, 45);
  all.run();
  for (int t : {0, 1, 31, 32, 44}) {
    std::vector<float> o(32), scratch(attention_scratch(all.shape, t + 1));
    const MatrixView k{all.k[0], t + 1, 16, all.k.view().stride};
    const MatrixView v{all.v[0], t + 1, 16, all.v.view().stride};
    attention_forward(dense(o.data(), 1, 32), {}, dense(all.q[t], 1, 32), k, v, all.shape, scratch);
    EXPECT_EQ(differing(o, {all.o[t], 32}), 0) << t;
  }
}

// sum of d_o * o, in double
double value(const Case& c, const std::vector<double>& q, const std::vector<double>& k,
             const std::vector<double>& v) {
  const int w = c.shape.head_dim, n = c.q.cols(), m = c.k.cols();
  double total = 0;
  for (int h = 0; h < c.shape.heads; ++h) {
    const int kv = h / (c.shape.heads / c.shape.kv_heads) * w;
    for (int i = 0; i < c.q.rows(); ++i) {
      double sum = 0, out = 0;
      for (int j = 0; j < c.visible(i); ++j) {
        double s = 0, value = 0;
        for (int d = 0; d < w; ++d) s += q[i * n + h * w + d] * k[j * m + kv + d];
        for (int d = 0; d < w; ++d) value += v[j * m + kv + d] * c.d_o[i][h * w + d];
        sum += std::exp(s / std::sqrt(w));
        out += std::exp(s / std::sqrt(w)) * value;
      }
      total += out / sum;
    }
  }
  return total;
}

std::vector<double> wide(const Matrix& m) {
  std::vector<double> all;
  for (int i = 0; i < m.rows(); ++i) all.insert(all.end(), m[i], m[i] + m.cols());
  return all;
}

TEST(AttentionTest, GradientsAreSlopes) {
  for (const bool causal : {true, false}) {
    Case c({4, 2, 4, causal}, 7, 9);
    c.run();
    std::vector<double> inputs[3] = {wide(c.q), wide(c.k), wide(c.v)};
    const std::vector<double> gradients[3] = {wide(c.dq), wide(c.dk), wide(c.dv)};
    for (int which = 0; which < 3; ++which) {
      for (std::size_t i = 0; i < inputs[which].size(); ++i) {
        double& x = inputs[which][i];
        const double kept = x;
        x = kept + 1e-5;
        const double above = value(c, inputs[0], inputs[1], inputs[2]);
        x = kept - 1e-5;
        const double below = value(c, inputs[0], inputs[1], inputs[2]);
        x = kept;
        EXPECT_NEAR(gradients[which][i], (above - below) / 2e-5, 2e-6) << which << " " << i;
      }
    }
  }
}

TEST(AttentionTest, BitsArePinned) {
  Case c({4, 2, 24, true}, 75, 75, 9);
  c.run();
  EXPECT_EQ(hash(c.dq) ^ hash(c.dk) ^ hash(c.dv) ^ hash(c.o), 13387470527451134976u);
}

}  // namespace
}  // namespace skiff::kernels
