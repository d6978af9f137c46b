// FedAvg, FedProx, FedNova, FedAvgM and the adaptive methods against closed forms.

#include "algorithms/refusals.h"
#include "tests/aggregation/method_test.h"

namespace skiff::testing {
namespace {

// Where two parabolas with centres 0 and 1 end: client i, with steps tau_i, moves the share c_i of
// the way to its centre. FedAvg: sum p c a / sum p c; FedNova: the same with c / tau.
double after(Federation f, int rounds, std::vector<std::int64_t> steps) {
  f.steps = std::move(steps);
  for (int t = 0; t < rounds; ++t) f.round();
  return f.model()[0];
}

TEST(FixedPoints, WithOneAndTenSteps) {
  EXPECT_NEAR(after(two_parabolas("fedavg", {}, "0.1"), 200, {1, 10}), .8669012, 1e-5);
  EXPECT_NEAR(after(two_parabolas("fednova", {}, "0.1"), 200, {1, 10}), .3944244, 1e-5);
  EXPECT_NEAR(after(two_parabolas("fedprox", {{"mu", "0.5"}}, "0.1"), 200, {1, 10}), .8426230,
              1e-5);
  EXPECT_NEAR(after(two_parabolas("fedavg", {}, "0.001"), 6000, {1, 10}), .9087185, 1e-4);
  EXPECT_NEAR(after(two_parabolas("fednova", {}, "0.001"), 6000, {1, 10}), .4988755, 1e-4);
}

TEST(FixedPoints, ScaffoldFindsTheMeanWhateverTheSteps) {
  EXPECT_NEAR(after(two_parabolas("scaffold", {}, "0.1"), 600, {1, 10}), 0.5, 1e-5);
}

TEST(FixedPoints, FollowTheWeightsOfTheMean) {
  Federation f = two_parabolas("fednova", {}, "0.1");
  f.weight = {3, 1};  // p = (3/4, 1/4), c / tau = (0.1, (1 - 0.9^10) / 10)
  const double one = 0.75 * 0.1, ten = 0.25 * (1 - std::pow(0.9, 10)) / 10;
  EXPECT_NEAR(after(std::move(f), 200, {1, 10}), ten / (one + ten), 1e-5);
}

std::vector<float> path(Federation f, const std::vector<std::int64_t>& steps) {
  std::vector<float> all;
  f.steps = steps;
  for (int t = 0; t < 20; ++t) f.round(), all.push_back(f.model()[0]);
  return all;
}

TEST(Degeneracies, ThatAreFedAvgBitForBit) {
  const std::vector<float> fedavg = path(two_parabolas("fedavg", {}, "0.07"), {3, 7});
  EXPECT_EQ(path(two_parabolas("fedprox", {{"mu", "0"}}, "0.07"), {3, 7}), fedavg);
  EXPECT_EQ(path(two_parabolas("fedavgm", {{"beta", "0"}}, "0.07"), {3, 7}), fedavg);
}

TEST(Degeneracies, FedNovaWithEqualStepsIsFedAvg) {
  for (const Keys& sgd : {Keys{}, Keys{{"momentum", "0.9"}}}) {
    const auto fedavg = path(two_parabolas("fedavg", {}, "0.07", sgd), {6, 6});
    const auto fednova = path(two_parabolas("fednova", {}, "0.07", sgd), {6, 6});
    for (std::size_t t = 0; t < fedavg.size(); ++t) EXPECT_NEAR(fednova[t], fedavg[t], 1e-6);
  }
}

TEST(FedNova, GradientsWeighMoreUnderMomentum) {
  const auto sgd = [](const Keys& extra) {
    Keys keys = extra;
    keys.emplace_back("learning_rate", "0.1");
    return named<Optimizer>("sgd", keys);
  };
  EXPECT_EQ(sgd({})->gradient_weight(7), 7);
  EXPECT_NEAR(sgd({{"momentum", "0.9"}})->gradient_weight(7), 23.046721, 1e-9);
  EXPECT_EQ(sgd({{"momentum", "0.9"}})->gradient_weight(1), 1);
  EXPECT_LT(sgd({{"weight_decay", "0.1"}})->gradient_weight(7), 0);
  EXPECT_LT(sgd({{"momentum", "0.9"}, {"client_state", "persistent"}})->gradient_weight(7), 0);
}

TEST(FedNova, IsRefusedWhereGradientsHaveNoFixedWeights) {
  Federation f = two_parabolas("fednova", {}, "0.1", {{"weight_decay", "0.1"}});
  const auto reasons = refusals(f.composition, *f.method, {});
  ASSERT_EQ(reasons.size(), 1u);
  EXPECT_EQ(reasons[0].path, "training.optimizer");
  f.composition.heuristic = {"optimizer"};
  EXPECT_TRUE(refusals(f.composition, *f.method, {}).empty());
  Federation momentum = two_parabolas("fednova", {}, "0.1", {{"momentum", "0.9"}});
  EXPECT_TRUE(refusals(momentum.composition, *momentum.method, {}).empty());
}

// Clients whose gradient is -1 everywhere, one step of 1: the mean update is 1 in every round.
Federation steady(const std::string& name, const Keys& keys, double server_learning_rate) {
  Federation f(name, keys, std::make_shared<Quadratics>(std::vector<float>{0.0f}),
               quadratic_rows({{0}, {0}}, {{1}, {1}}), one_row_each(2), "1");
  f.composition.server_learning_rate = server_learning_rate;
  return f;
}

TEST(FedAvgM, StepsAreAGeometricSeries) {
  Federation f = steady("fedavgm", {{"beta", "0.9"}}, 0.5);
  double x = 0, m = 0;
  for (int t = 0; t < 10; ++t) {
    f.round();
    m = 0.9 * m + 1;
    x += 0.5 * m;
    EXPECT_NEAR(f.model()[0], x, 1e-5 * x);
  }
}

TEST(FedOpt, FirstStepsEqualTheClosedForm) {
  const std::tuple<const char*, double, double> expected[] = {{"fedadam", .01000099, .0990051},
                                                              {"fedyogi", .010001, .0990050},
                                                              {"fedadagrad", 1.000001, .0999000}};
  for (const auto& [name, second, step] : expected) {
    Federation f = steady(name, {{"tau", "0.001"}}, 0.1);
    f.round();
    EXPECT_NEAR(f.server.state.array<float>("fedopt.v", 1)[0], second, 1e-6 * second) << name;
    EXPECT_NEAR(f.model()[0], step, 1e-7) << name;
  }
}

// The recursions again, in double, over rounds whose mean update changes: D_t = 1 - x_t.
TEST(FedOpt, TrajectoriesEqualTheRecursion) {
  for (const std::string name : {"fedadam", "fedyogi", "fedadagrad"}) {
    const double tau = 0.1, eta = 0.3, b1 = name == "fedadagrad" ? 0.5 : 0.8, b2 = 0.9;
    Keys keys{{"tau", "0.1"}, {"beta1", name == "fedadagrad" ? "0.5" : "0.8"}};
    if (name != "fedadagrad") keys.emplace_back("beta2", "0.9");
    Federation f(name, keys, std::make_shared<Quadratics>(std::vector<float>{0.0f}),
                 quadratic_rows({{1}, {1}}, {{1}, {1}}), one_row_each(2), "1");
    f.composition.server_learning_rate = eta;
    double x = 0, m = 0, v = tau * tau;
    for (int t = 0; t < 60; ++t) {
      const double d = 1 - x, square = d * d;
      m = b1 * m + (1 - b1) * d;
      if (name == "fedadagrad") v += square;
      if (name == "fedadam") v = b2 * v + (1 - b2) * square;
      if (name == "fedyogi") v -= (1 - b2) * square * (v > square ? 1 : v < square ? -1 : 0);
      x += eta * m / (std::sqrt(v) + tau);
      f.round();
      ASSERT_NEAR(f.model()[0], x, 2e-5) << name << " round " << t;
    }
  }
}

TEST(FedOpt, EffectiveStepsOfSparseCoordinatesAreLarger) {
  // Coordinate 0 moves in every round, coordinate 1 in the last one only.
  Federation f("fedadagrad", {{"tau", "0.001"}},
               std::make_shared<Quadratics>(std::vector<float>{0, 0}),
               quadratic_rows({{0, 0}}, {{1, 0}}), one_row_each(1), "1");
  f.composition.server_learning_rate = 0.1;
  for (int t = 0; t < 15; ++t) f.round();
  f.samples.row(0)[3] = 1;
  const std::vector<float> before = f.model();
  f.round();
  EXPECT_NEAR(f.model()[0] - before[0], 0.1 / 4, 1e-4);  // 16 squares of 1: sqrt(v) = 4
  EXPECT_NEAR(f.model()[1] - before[1], 0.1, 1e-3);
}

TEST(Scaffold, RefusesCodecsWithAServerHalf) {
  Federation f = two_parabolas("scaffold", {}, "0.1");
  EXPECT_TRUE(refusals(f.composition, *f.method, {}).empty());
  f.composition.plans[0].up = named<Codec>("ef21", {{"density", "0.5"}});
  const auto reasons = refusals(f.composition, *f.method, {});
  ASSERT_EQ(reasons.size(), 1u);
  EXPECT_EQ(reasons[0].path, "compression.communication");
}

}  // namespace
}  // namespace skiff::testing
