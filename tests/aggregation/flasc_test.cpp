// FLASC on quadratics: what is masked, what is sent, what the server makes of it.
#include <algorithm>
#include <set>

#include "tests/aggregation/method_test.h"

namespace skiff::testing {
namespace {

constexpr int kSize = 20, kClients = 2;
constexpr double kRate = 0.05, kServerRate = 0.1, kDecay = 0.01;

double start_of(int j) { return std::sin(1 + 3 * j); }
double curvature_of(int i, int j) { return 1 + i + 0.1 * j; }
double pull_of(int i, int j) { return std::cos(2 + i + 5 * j); }

Federation federation(const std::string& down, const std::string& up, Keys more = {}) {
  std::vector<float> start;
  std::vector<std::vector<double>> d(kClients), c(kClients);
  for (int j = 0; j < kSize; ++j) {
    start.push_back(static_cast<float>(start_of(j)));
    for (int i = 0; i < kClients; ++i) {
      d[static_cast<std::size_t>(i)].push_back(curvature_of(i, j));
      c[static_cast<std::size_t>(i)].push_back(pull_of(i, j));
    }
  }
  more.insert(more.begin(),
              {{"density_down", down}, {"density_up", up}, {"error_feedback", "false"}});
  Federation f("flasc", more, std::make_shared<Quadratics>(start), quadratic_rows(d, c),
               one_row_each(kClients), std::to_string(kRate));
  Plan& plan = f.composition.plans[0];
  plan.down = f.method->own_down();
  plan.up = f.method->own_up();
  f.composition.server_learning_rate = kServerRate;
  return f;
}

std::set<int> largest(const std::vector<double>& v, int count) {
  std::vector<int> order(v.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return std::abs(v[static_cast<std::size_t>(a)]) > std::abs(v[static_cast<std::size_t>(b)]);
  });
  return {order.begin(), order.begin() + count};
}

// One round from the start in double: the mean of the clients' sparse updates.
std::vector<double> mean_update(int kept_down, int kept_up) {
  std::vector<double> x(kSize), mean(kSize);
  for (int j = 0; j < kSize; ++j) x[static_cast<std::size_t>(j)] = start_of(j);
  const std::set<int> mask = largest(x, kept_down);
  for (int i = 0; i < kClients; ++i) {
    std::vector<double> update(kSize);
    for (int j = 0; j < kSize; ++j) {
      const double at = mask.contains(j) ? start_of(j) : 0;
      update[static_cast<std::size_t>(j)] = -kRate * (curvature_of(i, j) * at - pull_of(i, j));
    }
    for (const int j : largest(update, kept_up)) {
      mean[static_cast<std::size_t>(j)] += update[static_cast<std::size_t>(j)] / kClients;
    }
  }
  return mean;
}

TEST(Flasc, UpdatesAreRelativeToTheMaskedModelAndSparse) {
  for (const auto& [down, up, kept_down, kept_up] :
       {std::tuple("1", "1", 20, 20), std::tuple("0.25", "0.1", 5, 2)}) {
    Federation f = federation(down, up);
    f.round(1);
    const std::vector<double> g = mean_update(kept_down, kept_up);
    for (int j = 0; j < kSize; ++j) {
      const double mean = g[static_cast<std::size_t>(j)];
      // Adam's first step with bias correction: g / (|g| + epsilon).
      const double step = mean / (std::abs(mean) + 1e-8) - kDecay * start_of(j);
      EXPECT_NEAR(f.model()[static_cast<std::size_t>(j)], start_of(j) + kServerRate * step, 1e-5)
          << down << " " << j;
    }
  }
}

TEST(Flasc, IsEvaluatedAtTheMask) {
  Federation f = federation("0.25", "0.1");
  f.round(1);
  const auto predicted = f.method->predictors(f.composition, f.server)[0].members[0];
  int left = 0;
  for (std::size_t j = 0; j < predicted->values.size(); ++j) {
    const float x = predicted->values[j];
    left += x != 0;
    EXPECT_TRUE(x == 0 || x == f.model()[j]);
  }
  EXPECT_EQ(left, 5);
}

TEST(Flasc, AClipBoundsTheSparseUpdate) {
  Federation f = federation("1", "0.5", {{"clip", "0.01"}});
  ClientState state;
  const Message answer = f.answer(0, 3, state);
  Vector update(f.composition.update_layout(f.composition.global()));
  f.method->own_up()->decode(*update.layout, answer.sections[0].second, update.values);
  double square = 0;
  int sent = 0;
  for (const float x : update.values) square += double(x) * double(x), sent += x != 0;
  EXPECT_NEAR(std::sqrt(square), 0.01, 1e-7);
  EXPECT_LE(sent, 10);
}

// What is left out stays on the device: a round without a step sends the next greatest entries.
TEST(Flasc, WithErrorFeedbackWhatWasLeftOutIsSentLater) {
  Federation f = federation("1", "0.1", {{"error_feedback", "true"}});
  std::vector<double> update(kSize);
  for (int j = 0; j < kSize; ++j) {
    update[static_cast<std::size_t>(j)] =
        -kRate * (curvature_of(0, j) * start_of(j) - pull_of(0, j));
  }
  const std::set<int> two = largest(update, 2), four = largest(update, 4);
  ClientState state;
  for (const std::int64_t steps : {1, 0}) {
    const Message answer = f.answer(0, steps, state);
    Vector sent(f.composition.update_layout(f.composition.global()));
    f.method->own_up()->decode(*sent.layout, answer.sections[0].second, sent.values);
    for (int j = 0; j < kSize; ++j) {
      const bool goes = steps == 1 ? two.contains(j) : four.contains(j) && !two.contains(j);
      EXPECT_NEAR(sent.values[static_cast<std::size_t>(j)],
                  goes ? update[static_cast<std::size_t>(j)] : 0, 1e-6);
    }
  }
}

TEST(Flasc, NoiseHasItsDeviation) {
  double square = 0;
  constexpr int kSeeds = 200;
  for (int seed = 0; seed < kSeeds; ++seed) {
    Federation f = federation("1", "1", {{"clip", "0.001"}, {"noise", "500"}});
    f.composition.seed = static_cast<std::uint64_t>(seed);
    f.round(1);
    for (const float m : f.server.state.array<float>("flasc.m", kSize)) {
      square += std::pow(double(m) / 0.1, 2) / (kSeeds * kSize);  // m = (1 - beta1) g
    }
  }
  EXPECT_NEAR(std::sqrt(square), 500 * 0.001 / kClients, 0.02);
}

TEST(Flasc, NoiseHidesAClippedUpdateOnly) {
  Reader reader;
  Node map;
  for (const auto& [key, value] : Keys{{"name", "flasc"},
                                       {"density_down", "1"},
                                       {"density_up", "1"},
                                       {"error_feedback", "false"},
                                       {"noise", "1"}}) {
    map.set(key, Node::scalar(value));
  }
  EXPECT_EQ(Registry<FederatedMethod>::instance().make(map, reader), nullptr);
  map.set("clip", Node::scalar("1"));
  map.set("error_feedback", Node::scalar("true"));
  EXPECT_EQ(Registry<FederatedMethod>::instance().make(map, reader), nullptr);
}

}  // namespace
}  // namespace skiff::testing
