// Whole methods on l2-logistic regression over mushrooms: 10 clients of 812 rows in file order (the
// last 4 rows dropped).
//
// Scaffnew and Sparse-ProxSkip: kappa = 1000, gamma = 1/L, a communication after every 32nd of
// 4,000 steps with p = 1/32; the losses are those of an independent double-precision recursion.
// DIANA and MARINA: kappa = 100, steps by their theorems, against gradient descent's optimum.

#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "tests/aggregation/method_test.h"
#include "tests/real_data.h"

namespace skiff::testing {
namespace {

constexpr int kFeatures = 112, kClients = 10, kRows = 812;
constexpr double kCurvature = 3.657920440, kMu = kCurvature / 1000, kOptimum = .0961123005;
constexpr double kSmooth = 3.654262519;  // greatest of the clients' curvatures without l2

std::string mushrooms() { return skiff::test::real_data("libsvm/mushrooms.txt"); }

Samples read_samples(const std::string& path) {
  Samples samples(kClients * kRows, kFeatures);
  std::fill(samples.features.begin(), samples.features.end(), 0.0f);
  std::ifstream file(path);
  std::string line;
  for (int i = 0; i < samples.rows() && std::getline(file, line); ++i) {
    std::istringstream words(line);
    int label = 0;
    words >> label;
    samples.labels[i] = 2 * label - 3;
    for (std::string word; words >> word;) samples.row(i)[std::stoi(word) - 1] = 1;
  }
  return samples;
}

// f(x) in double, over the rows of all clients.
double objective(const Samples& samples, const std::vector<float>& x, double mu = kMu) {
  double loss = 0, square = 0;
  for (int i = 0; i < samples.rows(); ++i) {
    double margin = 0;
    for (int j = 0; j < kFeatures; ++j) margin += double(samples.row(i)[j]) * double(x[j]);
    loss += std::log1p(std::exp(-samples.labels[i] * margin)) / samples.rows();
  }
  for (const float w : x) square += double(w) * double(w);
  return loss + mu / 2 * square;
}

Federation federation(const Samples& samples, const std::string& method, const Keys& keys,
                      double mu = kMu, double rate = 1 / kCurvature,
                      std::shared_ptr<const Codec> up = named<Codec>("dense")) {
  TaskShape task;
  task.kind = TaskKind::kBinaryLogistic;
  task.width = kFeatures;
  task.classes = 2;
  std::vector<std::size_t> begin;
  for (std::size_t k = 0; k <= kClients; ++k) begin.push_back(k * kRows);
  const auto model =
      named<ModelFamily>("logistic-regression", {{"bias", "false"}, {"l2", fmt::format("{}", mu)}})
          ->build(task);
  return {method, keys, model, samples, begin, fmt::format("{}", rate), std::move(up)};
}

struct Outcome {
  double gap = 0, drift = 0;  // f(T(mean)) - f*, greatest |sum of h_i| on the way
};

double greatest_sum(Federation& f) {
  std::vector<double> sum(kFeatures);
  for (ClientState& state : f.states) {
    const auto kept = state.method.array<double>("proxskip.shift", kFeatures);
    const double rate = state.method.array<double>("proxskip.rate", 1)[0];
    for (std::size_t j = 0; j < kFeatures; ++j) sum[j] += kept[j] + rate * double(f.model()[j]);
  }
  double most = 0;
  for (const double s : sum) most = std::max(most, std::abs(s));
  return most;
}

Outcome run(const Samples& samples, const std::string& prune, int kept) {
  Federation f = federation(samples, "sparse-proxskip",
                            {{"sparsity", fmt::format("{}", 1 - kept / 112.0)},
                             {"communication_probability", "0.03125"},
                             {"prune", prune}});
  Outcome outcome;
  for (int round = 0; round < 125; ++round) {
    f.round(32);
    // With server-modified h_i learns from the dense mean, which is the server's model here too.
    outcome.drift = std::max(outcome.drift, greatest_sum(f));
  }
  const auto predictors = f.method->predictors(f.composition, f.server);
  const std::vector<float>& pruned = predictors[0].members[0]->values;
  EXPECT_EQ(std::count_if(pruned.begin(), pruned.end(), [](float x) { return x != 0; }), kept);
  outcome.gap = objective(samples, pruned) - kOptimum;
  return outcome;
}

TEST(SparseProxSkip, LossesOnMushroomsEqualAnIndependentRecursion) {
  const std::string path = mushrooms();
  if (path.empty()) GTEST_SKIP() << "libsvm/mushrooms.txt is not in $SKIFF_DATA";
  const Samples samples = read_samples(path);
  struct Row {
    int kept;
    double naive, modified, client, local, straight_through, drift;
  };
  const Row table[] = {{34, 2.055e-2, 8.323e-3, 7.065e-3, 2.553e-2, 6.444e-3, .117},
                       {23, 3.324e-2, 2.029e-2, 1.857e-2, 3.032e-2, 1.320e-2, .126},
                       {12, 5.017e-2, 5.023e-2, 4.757e-2, 5.860e-2, 5.065e-2, .268}};
  for (const Row& row : table) {
    const std::pair<const char*, double> expected[] = {{"server-naive", row.naive},
                                                       {"server-modified", row.modified},
                                                       {"client", row.client},
                                                       {"local", row.local},
                                                       {"straight-through", row.straight_through}};
    for (const auto& [prune, gap] : expected) {
      const Outcome outcome = run(samples, prune, row.kept);
      EXPECT_NEAR(outcome.gap, gap, gap * 0.01) << prune << ", K = " << row.kept;
      if (std::string(prune) == "server-naive") {
        EXPECT_NEAR(outcome.drift, row.drift, row.drift * 0.01) << row.kept;
      } else {
        EXPECT_LT(outcome.drift, 1e-4) << prune << ", K = " << row.kept;
      }
    }
  }
}

TEST(Scaffnew, ReachesTheOptimumOnMushrooms) {
  const std::string path = mushrooms();
  if (path.empty()) GTEST_SKIP() << "libsvm/mushrooms.txt is not in $SKIFF_DATA";
  const Samples samples = read_samples(path);
  Federation f = federation(samples, "scaffnew", {{"communication_probability", "0.03125"}});
  for (int round = 0; round < 125; ++round) f.round(32);
  const double gap = objective(samples, f.model()) - kOptimum;
  EXPECT_NEAR(gap, 1.3436e-7, 0.1e-7);
}

// The gap to the optimum after `rounds` full-batch steps of FedAvg with this codec, in the mean of
// the last tenth of them.
double gap_with(const Samples& samples, std::shared_ptr<const Codec> codec, double mu, double rate,
                int rounds, double optimum) {
  Federation f = federation(samples, "fedavg", {}, mu, rate, std::move(codec));
  double gap = 0;
  const int tail = rounds / 10;
  for (int t = 0; t < rounds; ++t) {
    f.round(1);
    if (t >= rounds - tail && t % 10 == 0) gap += objective(samples, f.model(), mu) - optimum;
  }
  return gap * 10 / tail;
}

// omega = 3. DIANA: gamma = 1/(Lmax (1 + 6 omega/n)), rate 1 - gamma mu; MARINA: gamma = 1/(L + Lt
// sqrt((1 - q) omega/(q n))), q = 1/4, with Lmax for L and Lt, which is on the safe side.
TEST(Shifts, GoOnToTheOptimumOfMushrooms) {
  const std::string path = mushrooms();
  if (path.empty()) GTEST_SKIP() << "libsvm/mushrooms.txt is not in $SKIFF_DATA";
  const Samples samples = read_samples(path);
  const double mu = kSmooth / 99, most = kSmooth + mu;
  Federation descent = federation(samples, "fedavg", {}, mu, 1 / most);
  for (int t = 0; t < 2500; ++t) descent.round(1);
  const double optimum = objective(samples, descent.model(), mu);

  const double diana_step = 1 / (most * (1 + 6 * 3.0 / 10));
  const double marina_step = 1 / (most * (1 + std::sqrt(0.75 * 3 / (0.25 * 10))));
  const auto random = named<Codec>("random-k", {{"density", "0.25"}, {"error_feedback", "false"}});
  const auto diana = named<Codec>("diana", {{"density", "0.25"}});
  const auto marina = named<Codec>("marina", {{"density", "0.25"}, {"full_probability", "0.25"}});
  const double stalled = gap_with(samples, random, mu, diana_step, 3000, optimum);
  EXPECT_GT(stalled, 1e-4);
  EXPECT_LT(std::abs(gap_with(samples, diana, mu, diana_step, 4000, optimum)), 1e-6);
  EXPECT_LT(std::abs(gap_with(samples, marina, mu, marina_step, 3000, optimum)), 1e-6);
}

}  // namespace
}  // namespace skiff::testing
