#include <limits>

#include "tests/communication/codec_test.h"

namespace skiff::testing {
namespace {

std::shared_ptr<const Codec> ef21(const char* density) {
  return codec("ef21", {{"density", density}});
}

// f_i(x) = x' D_i x / 2 - c_i' x with condition number 1000 and clients that disagree:
// D_i[j] = 1000^(((i + j) mod 20) / 19), c_i[j] = 10 sin(1 + i + j/2), i < 10, j < 20.
struct Quadratic {
  static constexpr int kClients = 10, kSize = 20;
  static double curvature(int i, int j) { return std::pow(1000.0, (i + j) % kSize / 19.0); }
  static double pull(int i, int j) { return 10 * std::sin(1 + i + 0.5 * j); }

  std::vector<double> x = std::vector<double>(kSize);
  std::vector<double> optimum = std::vector<double>(kSize);

  Quadratic() {
    for (int j = 0; j < kSize; ++j) {
      double d = 0, c = 0;
      for (int i = 0; i < kClients; ++i) d += curvature(i, j), c += pull(i, j);
      optimum[static_cast<std::size_t>(j)] = c / d;
    }
  }
  std::vector<float> gradient(int i) const {
    std::vector<float> g(kSize);
    for (int j = 0; j < kSize; ++j) {
      const auto k = static_cast<std::size_t>(j);
      g[k] = static_cast<float>(curvature(i, j) * x[k] - pull(i, j));
    }
    return g;
  }
  double error() const {  // |x - x*|^2 / |x*|^2
    double top = 0, below = 0;
    for (std::size_t j = 0; j < x.size(); ++j) {
      top += std::pow(x[j] - optimum[j], 2);
      below += optimum[j] * optimum[j];
    }
    return top / below;
  }
};

// One round of EF21 through the codec: encode at the clients, decode and combine at the server.
class Federation {
 public:
  explicit Federation(std::shared_ptr<const Codec> codec)
      : codec_(std::move(codec)), senders_(Quadratic::kClients) {}

  // g_i = gradient at the start, as in the paper's experiments.
  void start_with_gradients() {
    const std::span<double> g = server_.array<double>("ef21", Quadratic::kSize);
    for (int i = 0; i < Quadratic::kClients; ++i) {
      const std::vector<float> v = problem.gradient(i);
      const std::span<float> own = state(i).array<float>("ef21", v.size());
      for (std::size_t j = 0; j < v.size(); ++j) {
        own[j] = v[j];
        g[j] += static_cast<double>(v[j]) / Quadratic::kClients;
      }
    }
  }
  void step(double gamma) {  // x -= gamma g, then everybody answers
    const std::span<double> g = server_.array<double>("ef21", Quadratic::kSize);
    for (std::size_t j = 0; j < g.size(); ++j) problem.x[j] -= gamma * g[j];
    communicate();
  }
  std::vector<float> communicate() {
    std::vector<double> mean(Quadratic::kSize);
    for (int i = 0; i < Quadratic::kClients; ++i) {
      std::vector<float> v = problem.gradient(i);
      const Payload payload = encode(*codec_, v, &state(i));
      const std::vector<float> read = decode(*codec_, payload, v.size());
      EXPECT_EQ(bits(read), bits(v));
      for (std::size_t j = 0; j < v.size(); ++j) mean[j] += double(read[j]) / Quadratic::kClients;
    }
    std::vector<float> direction(mean.begin(), mean.end());
    codec_->combine(direction, 1.0, server_);
    return direction;
  }
  State& state(int i) { return senders_[static_cast<std::size_t>(i)]; }

  Quadratic problem;

 private:
  std::shared_ptr<const Codec> codec_;
  std::vector<State> senders_;
  State server_;
};

// gamma = 1 / (L + Lt sqrt(beta / theta)), the theorem's step: L = 319.42601, Lt = 1000.
double theorem_step(double contraction) {
  const double theta = 1 - std::sqrt(1 - contraction), beta = (1 - contraction) / theta;
  return 1 / (319.42601 + 1000 * std::sqrt(beta / theta));
}

TEST(Ef21Test, TrajectoryEqualsAnIndependentOneWithTopFive) {
  Federation f(ef21("0.25"));
  f.start_with_gradients();
  const double gamma = theorem_step(0.25);
  EXPECT_NEAR(gamma, 1.4741593e-4, 1e-11);
  const std::pair<int, double> expected[] = {
      {1000, 6.189313e-2}, {4000, 3.491651e-5}, {8000, 1.68392e-9}};
  int t = 0;
  for (const auto& [steps, error] : expected) {
    for (; t < steps; ++t) f.step(gamma);
    EXPECT_NEAR(f.problem.error(), error, error * 1e-4) << steps;
  }
}

TEST(Ef21Test, TrajectoryEqualsAnIndependentOneWithTopOne) {
  Federation f(ef21("0.05"));
  f.start_with_gradients();
  const double gamma = theorem_step(0.05);
  for (int t = 0; t < 1000; ++t) f.step(gamma);
  EXPECT_NEAR(f.problem.error(), .5364841, 1e-4);
  for (int t = 1000; t < 8000; ++t) f.step(gamma);
  EXPECT_NEAR(f.problem.error(), .0227937, .0227937 * 1e-4);
}

TEST(Ef21Test, TopOneAloneStallsWhereEf21Converges) {
  Quadratic problem;
  const auto plain = codec("top-k", {{"density", "0.05"}, {"error_feedback", "false"}});
  for (int t = 0; t < 8000; ++t) {
    std::vector<double> mean(Quadratic::kSize);
    for (int i = 0; i < Quadratic::kClients; ++i) {
      std::vector<float> v = problem.gradient(i);
      encode(*plain, v);
      for (std::size_t j = 0; j < v.size(); ++j) mean[j] += double(v[j]) / Quadratic::kClients;
    }
    for (std::size_t j = 0; j < mean.size(); ++j) problem.x[j] -= mean[j] / 319.42601;
  }
  EXPECT_GT(problem.error(), 0.5);
}

TEST(Ef21Test, WhatTheClientKeepsConvergesToWhatItSees) {
  Federation f(ef21("0.1"));
  for (int round = 0; round < 200; ++round) f.communicate();  // x does not move
  for (int i = 0; i < Quadratic::kClients; ++i) {
    const std::vector<float> v = f.problem.gradient(i);
    const std::span<float> g = f.state(i).array<float>("ef21", v.size());
    for (std::size_t j = 0; j < v.size(); ++j) EXPECT_EQ(g[j], v[j]);
  }
}

TEST(Ef21Test, WithFullDensityTheDirectionIsTheMeanGradient) {
  Federation f(ef21("1"));
  for (int round = 0; round < 50; ++round) {
    const std::vector<float> direction = f.communicate();
    for (int j = 0; j < Quadratic::kSize; ++j) {
      double mean = 0;
      for (int i = 0; i < Quadratic::kClients; ++i) {
        mean += double(f.problem.gradient(i)[static_cast<std::size_t>(j)]) / Quadratic::kClients;
      }
      EXPECT_NEAR(direction[static_cast<std::size_t>(j)], mean, 2e-6) << round;
    }
    for (std::size_t j = 0; j < f.problem.x.size(); ++j) f.problem.x[j] -= 2e-3 * direction[j];
  }
}

TEST(Ef21Test, ASampleOfTheClientsMovesTheMeanByItsShare) {
  const auto c = ef21("1");
  State server;
  std::vector<float> mean = {4, -8};
  c->combine(mean, 1.0, server);  // everybody: g = (4, -8)
  EXPECT_EQ(mean, (std::vector<float>{4, -8}));
  mean = {2, 2};
  c->combine(mean, 0.25, server);  // a quarter of them changed by (2, 2) on average
  EXPECT_EQ(mean, (std::vector<float>{4.5, -7.5}));
}

TEST(Ef21Test, SendsWhatTopKSends) {
  const auto top_k = codec("top-k", {{"density", "0.1"}, {"error_feedback", "false"}});
  std::vector<float> a = sines(300), b = a;
  EXPECT_EQ(octets(encode(*ef21("0.1"), a)), octets(encode(*top_k, b)));  // g_i = 0 at first
  EXPECT_EQ(declared(*ef21("0.01"), 199210), 1992 * 4 + 4482);
}

TEST(Ef21Test, KeepsOneVectorAtTheClient) {
  const auto c = ef21("0.1");
  State state;
  std::vector<float> v = sines(100);
  encode(*c, v, &state);
  EXPECT_EQ(state.bytes(), Bytes(400));
  EXPECT_EQ(c->state_bytes(*flat_layout(100)), Bytes(400));
  EXPECT_TRUE(c->keeps_state());
  EXPECT_TRUE(c->has_server_half());
}

TEST(Ef21Test, AnOverflowingChangeStaysFinite) {
  const auto c = ef21("0.5");
  constexpr float most = std::numeric_limits<float>::max();
  State state;
  for (const float sign : {1.0f, -1.0f, 1.0f}) {
    std::vector<float> v = {sign * most, 1, 2, -sign * most};
    const Payload payload = encode(*c, v, &state);
    EXPECT_EQ(bits(decode(*c, payload, 4)), bits(v));
  }
}

}  // namespace
}  // namespace skiff::testing
