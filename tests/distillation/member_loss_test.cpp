#include "algorithms/distillation/member_loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "sim/core/random.h"

namespace skiff::distillation {
namespace {

constexpr std::size_t kOutputs = 3;
constexpr int kSamples = 12;

struct Position {
  std::vector<float> teacher, answers;
  std::vector<double> gaps;
  std::vector<std::uint32_t> rows;
  Said said;

  explicit Position(std::uint64_t seed, double limit = 2) : rows(kSamples) {
    Stream draw(seed, "position");
    for (std::size_t e = 0; e < kSamples * kOutputs; ++e) {
      teacher.push_back(static_cast<float>(2 * draw.uniform() - 1));
      answers.push_back(static_cast<float>(4 * draw.uniform() - 2));
      gaps.push_back(4 * draw.uniform() - 2);
    }
    std::iota(rows.begin(), rows.end(), 5U);
    said.samples = kSamples;
    said.eta = limit > 0 ? 0.5 : 0;
    said.limit = limit;
    said.all = normaliser_of(gaps, kOutputs, said.eta);
  }
  double value(const std::string& name, std::vector<float>& logits) const {
    const auto loss = member_loss(name, said, teacher, gaps, rows, 1);
    return loss->of(rows)({logits.data(), kSamples, kOutputs, kOutputs});
  }
  double least_edge(const std::vector<float>& logits) const {
    std::vector<double> l(logits.size());
    for (std::size_t e = 0; e < l.size(); ++e) l[e] = double(logits[e]) - double(teacher[e]);
    return tally_of(gaps, l, said.eta, 100, said.all).least_edge();
  }
};

class MemberLossTest : public ::testing::TestWithParam<const char*> {};

TEST_P(MemberLossTest, GradientIsThatOfTheValue) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const Position p(seed);
    std::vector<float> gradient = p.answers;
    p.value(GetParam(), gradient);
    for (std::size_t e = 0; e < gradient.size(); ++e) {
      constexpr float kStep = 1.0F / 512;
      std::vector<float> up = p.answers, down = p.answers;
      up[e] += kStep, down[e] -= kStep;
      const double width = double(up[e]) - double(down[e]);
      const double slope = (p.value(GetParam(), up) - p.value(GetParam(), down)) / width;
      EXPECT_NEAR(gradient[e], slope, 1e-4 + 1e-3 * std::abs(slope)) << e;
    }
  }
}

// From the teacher's own answers, whose edges are 0, a step down the loss makes every edge positive
// or, for the hinge, leaves what is not negative alone.
TEST_P(MemberLossTest, StepsDownMakeEdgesPositive) {
  const Position p(7);
  std::vector<float> f = p.teacher;
  for (int s = 0; s < 50; ++s) {
    std::vector<float> g = f;
    p.value(GetParam(), g);
    for (std::size_t e = 0; e < f.size(); ++e) f[e] -= 2 * g[e];
  }
  if (std::string(GetParam()) == "edge-hinge") {
    EXPECT_EQ(f, p.teacher);
    for (std::size_t e = 0; e < f.size(); ++e) f[e] += p.gaps[e] > 0 ? 1.0F : -1.0F;
    const double wrong = p.least_edge(f);
    for (int s = 0; s < 50; ++s) {
      std::vector<float> g = f;
      p.value(GetParam(), g);
      for (std::size_t e = 0; e < f.size(); ++e) f[e] -= 2 * g[e];
    }
    EXPECT_LT(wrong, -0.1);
    EXPECT_GT(p.least_edge(f), -0.05);
  } else {
    EXPECT_GT(p.least_edge(f), 0.01);
  }
}

INSTANTIATE_TEST_SUITE_P(All, MemberLossTest,
                         ::testing::Values("regression", "log-barrier", "edge-hinge"));

// Nobody has answered: all are the mean square of the logits' error.
TEST(MemberLosses, AreOneBeforeTheFirstMember) {
  Position p(3, 0);
  std::fill(p.gaps.begin(), p.gaps.end(), 0.0);
  p.said.all = Normaliser::start(kSamples, kOutputs);
  std::vector<float> regression = p.answers;
  const double value = p.value("regression", regression);
  for (const char* name : {"log-barrier", "edge-hinge"}) {
    std::vector<float> other = p.answers;
    EXPECT_NEAR(p.value(name, other), value, 1e-12);
    for (std::size_t e = 0; e < other.size(); ++e) EXPECT_FLOAT_EQ(other[e], regression[e]);
  }
}

}  // namespace
}  // namespace skiff::distillation
