// Scaffnew on quadratics whose trajectories are known in double precision. The problems are shifted
// so that the optimum is 0.

#include "algorithms/refusals.h"
#include "tests/aggregation/method_test.h"

namespace skiff::testing {
namespace {

using Matrix = std::vector<std::vector<double>>;
constexpr int kClients = 10, kSize = 20;

// f_i(x) = x' D_i x / 2 - c_i' x, c_i[j] = 10 sin(1 + i + j/2), around its optimum x*.
struct Problem {
  Matrix curvature = Matrix(kClients, std::vector<double>(kSize)), pull = curvature;
  std::vector<double> optimum = std::vector<double>(kSize);

  // `turned`: client i sees the curvatures kappa^(j/19) beginning at the i-th; else all alike.
  Problem(double kappa, bool turned) {
    for (int i = 0; i < kClients; ++i) {
      for (int j = 0; j < kSize; ++j) {
        const int at = turned ? (j + i) % kSize : j;
        curvature[i][j] = std::pow(kappa, at / 19.0);
        pull[i][j] = 10 * std::sin(1 + i + 0.5 * j);
      }
    }
    for (int j = 0; j < kSize; ++j) {
      double d = 0, c = 0;
      for (int i = 0; i < kClients; ++i) d += curvature[i][j], c += pull[i][j];
      optimum[j] = c / d;
    }
    for (int i = 0; i < kClients; ++i) {
      for (int j = 0; j < kSize; ++j) pull[i][j] -= curvature[i][j] * optimum[j];
    }
  }
  Federation federation(const std::string& method, const Keys& keys, const std::string& rate,
                        std::shared_ptr<const Codec> up = named<Codec>("dense")) const {
    std::vector<float> start;
    for (const double x : optimum) start.push_back(static_cast<float>(-x));
    return {method,
            keys,
            std::make_shared<Quadratics>(start),
            quadratic_rows(curvature, pull),
            one_row_each(kClients),
            rate,
            std::move(up)};
  }
  double relative_error(Federation& f) const {  // |x - x*|^2 / |x*|^2
    double top = 0, below = 0;
    for (int j = 0; j < kSize; ++j) {
      top += double(f.model()[j]) * double(f.model()[j]);
      below += optimum[j] * optimum[j];
    }
    return top / below;
  }
};

// h_i after the round: what the client keeps, completed with the mean.
std::vector<double> shift_of(Federation& f, std::size_t client) {
  const std::size_t n = f.model().size();
  State& state = f.states[client].method;
  const std::span<double> kept = state.array<double>("proxskip.shift", n);
  const double rate = state.array<double>("proxskip.rate", 1)[0];
  std::vector<double> h(kept.begin(), kept.end());
  for (std::size_t j = 0; j < n; ++j) h[j] += rate * f.model()[j];
  return h;
}
double greatest_sum_of_shifts(Federation& f) {
  std::vector<double> sum(f.model().size());
  for (std::size_t k = 0; k < f.clients(); ++k) {
    const std::vector<double> h = shift_of(f, k);
    for (std::size_t j = 0; j < h.size(); ++j) sum[j] += h[j];
  }
  double most = 0;
  for (const double s : sum) most = std::max(most, std::abs(s));
  return most;
}
// sum |x_i - x*|^2 + (gamma/p)^2 sum |h_i - h_i*|^2 with h_i* = -pull_i: the optimum is 0.
double lyapunov(const Problem& problem, Federation& f, double gamma_over_p) {
  double psi = 0;
  for (std::size_t i = 0; i < kClients; ++i) {
    const std::vector<double> h = shift_of(f, i);
    for (std::size_t j = 0; j < kSize; ++j) {
      const double x = f.model()[j], off = gamma_over_p * (h[j] + problem.pull[i][j]);
      psi += x * x + off * off;
    }
  }
  return psi;
}

TEST(Scaffnew, LyapunovFunctionEqualsAnIndependentOne) {
  const Problem problem(1000, true);
  Federation f =
      problem.federation("scaffnew", {{"communication_probability", "0.03125"}}, "0.001");
  constexpr double kStart = 9.8109660;
  EXPECT_NEAR(lyapunov(problem, f, 0.032), kStart, 1e-5);
  const std::tuple<int, double, double> expected[] = {
      {992, 3.3495836e-3, 1e-4}, {4992, 1.9676191e-7, 1e-3}, {9984, 1.771764e-12, 0.05}};
  int t = 0;
  for (const auto& [steps, psi, tolerance] : expected) {
    for (; t < steps; t += 32) f.round(32);
    EXPECT_NEAR(lyapunov(problem, f, 0.032) / kStart, psi, tolerance * psi) << steps;
  }
}

TEST(Scaffnew, StaysBelowTheTheoremWithDrawnSteps) {
  const Problem problem(1000, true);
  const double p = 1 / std::sqrt(1000.0);
  Federation f =
      problem.federation("scaffnew", {{"communication_probability", std::to_string(p)}}, "0.001");
  const double start = lyapunov(problem, f, 0.001 / p);
  std::int64_t t = 0;
  int rounds = 0;
  while (t < 6000) {
    const std::int64_t steps = f.method->drawn_steps(f.composition, f.server.version);
    f.round(steps);
    t += steps;
    if (++rounds % 20 == 0) {
      EXPECT_LE(lyapunov(problem, f, 0.001 / p) / start, std::pow(1 - 1e-3, double(t))) << t;
    }
  }
  EXPECT_NEAR(rounds, p * double(t), 4 * std::sqrt(p * double(t)));
}

TEST(Scaffnew, ShiftsSumToZeroUpToTheModelsLastBits) {
  const Problem problem(1000, true);
  for (const auto& up : {named<Codec>("dense"), named<Codec>("qsgd", {{"levels", "8"}})}) {
    Federation f =
        problem.federation("scaffnew", {{"communication_probability", "0.03125"}}, "0.001", up);
    for (int round = 0; round < 300; ++round) {
      f.round(32);
      double most = 0;
      for (const float x : f.model()) most = std::max(most, std::abs(double(x)));
      // n (p / gamma) half a unit in the last place
      ASSERT_LE(greatest_sum_of_shifts(f), 10 * 31.25 * most * 0x1p-24 + 1e-11) << round;
    }
  }
}

// Rounds until |x - x*|^2 / |x*|^2 <= 1e-2, 1e-4, 1e-6, 1e-10; gamma = 1 / kappa.
std::vector<double> rounds_needed(const Problem& problem, double kappa, double p,
                                  std::uint64_t seed, std::vector<double> errors) {
  Federation f = problem.federation("scaffnew", {{"communication_probability", std::to_string(p)}},
                                    std::to_string(1 / kappa));
  f.composition.seed = seed;
  std::vector<double> needed;
  for (int round = 0; needed.size() < errors.size(); ++round) {
    if (problem.relative_error(f) <= errors[needed.size()]) {
      needed.push_back(round);
      --round;
      continue;
    }
    f.round(f.method->drawn_steps(f.composition, f.server.version));
  }
  return needed;
}

TEST(Scaffnew, TakesRootKappaRoundsWhereGradientDescentTakesKappa) {
  const Problem problem(1000, false);
  const std::vector<double> errors{1e-2, 1e-4, 1e-6, 1e-10};
  const double descent[] = {2152, 4449, 6749, 11352}, proxskip[] = {67, 138, 211, 359};
  const std::vector<double> every_step = rounds_needed(problem, 1000, 1, 0, errors);
  std::vector<double> mean(errors.size());
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto rounds = rounds_needed(problem, 1000, 1 / std::sqrt(1000.0), seed, errors);
    for (std::size_t e = 0; e < errors.size(); ++e) mean[e] += rounds[e] / 20;
  }
  for (std::size_t e = 0; e < errors.size(); ++e) {
    EXPECT_NEAR(every_step[e], descent[e], 1 + 1e-4 * descent[e]) << errors[e];
    const double noise = std::sqrt(proxskip[e] / 20) * 4;  // a count of coins, 20 times
    EXPECT_NEAR(mean[e], proxskip[e], noise) << errors[e];
  }
}

TEST(Scaffnew, RoundsGrowWithTheRootOfKappa) {
  std::vector<double> slow, fast;
  for (const double kappa : {1e2, 1e3, 1e4}) {
    const Problem problem(kappa, false);
    slow.push_back(rounds_needed(problem, kappa, 1, 0, {1e-4})[0]);
    double mean = 0;
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
      mean += rounds_needed(problem, kappa, 1 / std::sqrt(kappa), seed, {1e-4})[0] / 8;
    }
    fast.push_back(mean);
  }
  const auto slope = [](const std::vector<double>& rounds) {
    return std::log(rounds.back() / rounds.front()) / std::log(100.0);
  };
  EXPECT_NEAR(slope(slow), 1.0, 0.1);
  EXPECT_NEAR(slope(fast), 0.5, 0.1);
}

TEST(LocalSteps, StallFedAvgWhereScaffoldAndScaffnewGoOn) {
  const Problem problem(1000, true);
  Federation fedavg = problem.federation("fedavg", {}, "0.001");
  for (int round = 0; round < 600; ++round) fedavg.round(32);
  EXPECT_NEAR(problem.relative_error(fedavg), .2241, .2241 * 0.01);
  const std::tuple<const char*, int, double> scaffold[] = {{"0.00003125", 32, .475},
                                                           {"0.00003125", 158, .0518},
                                                           {"0.00003125", 316, 3.6e-3},
                                                           {"0.001", 32, 4.1e-5},
                                                           {"0.001", 158, 9.9e-10}};
  for (const auto& [rate, rounds, error] : scaffold) {
    Federation f = problem.federation("scaffold", {}, rate);
    for (int round = 0; round < rounds; ++round) f.round(32);
    EXPECT_NEAR(problem.relative_error(f), error, error * 0.03) << rate << " " << rounds;
  }
}

TEST(Scaffnew, DrawsStepsOnceForEveryVersion) {
  const Problem problem(10, false);
  Federation f = problem.federation("scaffnew", {{"communication_probability", "0.1"}}, "0.01");
  double sum = 0, squares = 0;
  for (std::int64_t version = 0; version < 20000; ++version) {
    const auto k = double(f.method->drawn_steps(f.composition, version));
    EXPECT_GE(k, 1);
    EXPECT_EQ(k, f.method->drawn_steps(f.composition, version));
    sum += k / 20000, squares += k * k / 20000;
  }
  EXPECT_NEAR(sum, 10, 0.3);                // 1/p, four standard errors
  EXPECT_NEAR(squares - sum * sum, 90, 6);  // (1 - p) / p^2
  EXPECT_TRUE(f.method->draws_steps());
}

TEST(Scaffnew, IsRefusedWhereItsSumsBreak) {
  const Problem problem(10, false);
  Federation f = problem.federation("scaffnew", {{"communication_probability", "0.1"}}, "0.01");
  const ProtocolProperties all{.synchronous = true, .everyone_takes_part = true};
  const auto paths = [&](const ProtocolProperties& protocol) {
    std::vector<std::string> blamed;
    for (const Refusal& r : refusals(f.composition, *f.method, protocol)) blamed.push_back(r.path);
    return blamed;
  };
  EXPECT_TRUE(paths(all).empty());
  EXPECT_EQ(paths({.synchronous = true, .everyone_takes_part = false}).size(), 1u);
  f.composition.server_learning_rate = 0.5;
  EXPECT_EQ(paths(all), std::vector<std::string>{"server.learning_rate"});
  f.composition.server_learning_rate = 1;
  f.composition.plans[0].down = named<Codec>("fp16");
  EXPECT_EQ(paths(all), std::vector<std::string>{"compression.communication.download"});
  f.composition.plans[0].down = named<Codec>("dense");
  f.composition.plans[0].optimizer =
      named<Optimizer>("sgd", {{"learning_rate", "0.1"}, {"momentum", "0.9"}});
  EXPECT_EQ(paths(all), std::vector<std::string>{"training.optimizer"});
}

}  // namespace
}  // namespace skiff::testing
