// The game alone, in double: the demonstration on a grid, its certificate, its identities.
#include "algorithms/distillation/game.h"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>

namespace skiff::distillation {
namespace {

constexpr int kSide = 20, kSamples = kSide * kSide, kOutputs = 3;
constexpr double kLimit = 3;
using Answers = Eigen::Matrix<double, kSamples, kOutputs, Eigen::RowMajor>;

double coordinate(int i) { return -1 + 2.0 * i / (kSide - 1); }

Answers teacher() {
  Answers g;
  for (int i = 0; i < kSamples; ++i) {
    const double x1 = coordinate(i / kSide), x2 = coordinate(i % kSide);
    for (int j = 0; j < kOutputs; ++j) {
      g(i, j) = std::sin(2 * x1 + j) * std::cos(3 * x2 - j) + 0.5 * x1 * x2;
    }
  }
  return g;
}

std::span<double> values(Answers& a) { return {a.data(), static_cast<std::size_t>(a.size())}; }

// Features tanh(a0 x1 + a1 x2 + a2) that depend on the attempt, a constant, and a ridge by output.
Eigen::MatrixXd features(int attempt, int width) {
  Eigen::MatrixXd phi(kSamples, width + 1);
  for (int h = 0; h < width; ++h) {
    double a[3];
    for (int c = 0; c < 3; ++c) {
      a[c] = 4 * std::sin((attempt + 1) * (1.7 + 0.9 * c) + (h + 1) * (2.3 + 1.3 * c));
    }
    for (int i = 0; i < kSamples; ++i) {
      phi(i, h) = std::tanh(a[0] * coordinate(i / kSide) + a[1] * coordinate(i % kSide) + a[2]);
    }
  }
  phi.col(width).setOnes();
  return phi;
}

struct Play {
  Answers g = teacher(), gaps = Answers::Zero(), sum = Answers::Zero();
  double eta;
  double push = 1;
  Normaliser all = Normaliser::start(kSamples, kOutputs);
  int attempts = 0, width = 5, members = 0;
  std::vector<double> second = std::vector<double>(kOutputs), edge = second;
  double bound = 0;
  double largest = 0;

  explicit Play(double rate) : eta(rate) {}

  Answers student(int attempt) const {
    const Eigen::MatrixXd phi = features(attempt, width);
    Answers f;
    for (int j = 0; j < kOutputs; ++j) {
      Eigen::VectorXd k(kSamples), y(kSamples);
      for (int i = 0; i < kSamples; ++i) {
        k(i) = weight_of(gaps(i, j), eta, all, j).both();
        y(i) = target_of(g(i, j), gaps(i, j), eta, push, all, j);
      }
      const Eigen::MatrixXd weighted = phi.transpose() * k.asDiagonal();
      Eigen::MatrixXd gram = weighted * phi;
      gram.diagonal().array() += 1e-6;
      f.col(j) = phi * gram.ldlt().solve(weighted * y);
    }
    return f;
  }

  void round(bool grows) {
    for (int failed = 0;;) {
      Answers f = student(attempts++);
      Answers l = f - g;
      const Tally tally = tally_of(values(gaps), values(l), eta, kLimit, all);
      if (grows && tally.least_edge() < -1e-12) {
        if (++failed == 10) width += 3, failed = 0;
        continue;
      }
      accept(f, l, tally);
      return;
    }
  }

  void accept(const Answers& f, const Answers& l, const Tally& tally) {
    largest = std::max(largest, tally.largest);
    ++members;
    gaps += l;
    sum += f;
    all = normaliser_of(values(gaps), kOutputs, eta);
    bound = 0;
    for (std::size_t j = 0; j < kOutputs; ++j) {
      second[j] += tally.second[j];
      edge[j] += tally.edge[j];
      const double right = certificate(kSamples, members, eta, second[j], edge[j]);
      ASSERT_LE(all.most[j] / members, right) << "round " << members << " output " << j;
      bound = std::max(bound, right);
    }
  }

  double error() const { return (sum / members - g).cwiseAbs().maxCoeff(); }
  double rmse() const { return std::sqrt((sum / members - g).squaredNorm() / double(g.size())); }
  double agreement() const {
    int same = 0;
    for (int i = 0; i < kSamples; ++i) {
      int a = 0, b = 0;
      sum.row(i).maxCoeff(&a);
      g.row(i).maxCoeff(&b);
      same += a == b;
    }
    return double(same) / kSamples;
  }
};

TEST(GameTest, DemonstrationReachesItsFiguresAndNeverBreaksItsCertificate) {
  struct Row {
    int round;
    double error, rmse, agreement;
    int width, attempts;
    double bound;
  };
  const Row rows[] = {{1, 1.164694, .382404, .5075, 5, 1, 12.38},
                      {5, .542495, .113524, .9625, 14, 41, 2.529},
                      {10, .283145, .058131, .9775, 17, 58, 1.272},
                      {20, .129359, .031930, .9825, 20, 99, .6477},
                      {40, .069559, .013851, .9875, 23, 148, .3288}};
  Play play(4 / kLimit * std::sqrt(std::log(800.0) / 40));
  EXPECT_NEAR(play.eta, .545, 1e-3);
  for (const Row& row : rows) {
    while (play.members < row.round) play.round(true);
    EXPECT_NEAR(play.error(), row.error, 0.01 * row.error) << row.round;
    EXPECT_NEAR(play.rmse(), row.rmse, 0.01 * row.rmse) << row.round;
    EXPECT_NEAR(play.agreement(), row.agreement, 1e-9) << row.round;
    EXPECT_EQ(play.width, row.width) << row.round;
    EXPECT_EQ(play.attempts, row.attempts) << row.round;
    EXPECT_NEAR(play.bound, row.bound, 0.01 * row.bound) << row.round;
  }
  EXPECT_NEAR(play.largest, 2.08, 0.01);
}

// B2: the tilt is -tanh; the weights of all samples sum to 1; merging parts changes neither.
TEST(GameTest, WeightsAreHedgesAndPartsMergeToTheWhole) {
  std::vector<double> gaps(60);
  for (std::size_t i = 0; i < gaps.size(); ++i) gaps[i] = 9 * std::sin(1.0 + 7.0 * double(i));
  const double eta = 0.7;
  const Normaliser all = normaliser_of(gaps, 3, eta);
  Normaliser parts = normaliser_of(std::span(gaps).first(6), 3, eta);
  parts.merge(normaliser_of(std::span(gaps).subspan(6, 33), 3, eta));
  parts.merge(normaliser_of(std::span(gaps).subspan(39), 3, eta));
  for (std::size_t j = 0; j < 3; ++j) {
    double total = 0;
    for (std::size_t i = j; i < gaps.size(); i += 3) {
      const Weight k = weight_of(gaps[i], eta, all, j), p = weight_of(gaps[i], eta, parts, j);
      EXPECT_NEAR(k.tilt() / k.both(), -std::tanh(eta * gaps[i]), 1e-14);
      EXPECT_NEAR(p.both(), k.both(), 1e-14 * k.both());
      total += k.both();
    }
    EXPECT_NEAR(total, 1, 1e-14);
  }
}

// Without a growing class the edges turn negative, and yet the certificate holds.
TEST(GameTest, WithoutGrowthTheCertificateHoldsWhileEdgesAreNegative) {
  Play play(std::sqrt(std::log(800.0) / 30) / kLimit);
  int negative = 0;
  for (int t = 0; t < 30; ++t) {
    const std::vector<double> before = play.edge;
    play.round(false);
    bool any = false;
    for (std::size_t j = 0; j < kOutputs; ++j) any |= play.edge[j] - before[j] < -1e-12;
    negative += any;
  }
  EXPECT_GT(negative, 20);
}

TEST(GameTest, RateIsCappedWhereMembersAreFew) {
  EXPECT_NEAR(rate_of(400, 30, 3), std::sqrt(std::log(800.0) / 30) / 3, 1e-12);
  EXPECT_EQ(rate_of(400, 3, 2), 0.5);
}

}  // namespace
}  // namespace skiff::distillation
