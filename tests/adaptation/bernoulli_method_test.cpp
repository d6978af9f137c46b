// Bernoulli-LoRA's estimators on five unequal quadratics, whose figures are known in double.
#include "tests/adaptation/five_clients.h"

namespace skiff::testing {
namespace {

Node map_of(const std::vector<std::pair<std::string, std::string>>& keys) {
  Node map;
  for (const auto& [key, value] : keys) map.set(key, Node::scalar(value));
  return map;
}
Node method(const std::vector<std::pair<std::string, std::string>>& more = {}) {
  std::vector<std::pair<std::string, std::string>> keys{
      {"name", "bernoulli-lora"}, {"rank", "2"}, {"probability", "0.5"}};
  keys.insert(keys.end(), more.begin(), more.end());
  return map_of(keys);
}
MatrixFederation federation(double rate, std::uint64_t seed,
                            const Node& up = map_of({{"name", "dense"}}),
                            const Node& with = method()) {
  return {kRows, kCols, heterogeneous_clients(), map_of({{"name", "full"}}), rate, seed, with, up};
}
double squared_gradient(const MatrixFederation& f) {
  const std::vector<double> w = f.matrix();
  std::vector<double> g(w.size()), mean(w.size());
  for (int i = 0; i < kClients; ++i) {
    heterogeneous(i, w, g);
    for (std::size_t j = 0; j < g.size(); ++j) mean[j] += g[j] / kClients;
  }
  double sum = 0;
  for (const double x : mean) sum += x * x;
  return sum;
}
double after(MatrixFederation f, int rounds) {
  for (int t = 0; t < rounds; ++t) f.round();
  return squared_gradient(f);
}

constexpr const char* kTwelveOf96 = "0.125";

TEST(BernoulliSteps, GradientDescentThroughTheSketchReachesTheOptimum) {
  EXPECT_NEAR(squared_gradient(federation(0.13892, 0)), 201.146316, 1e-3);
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    EXPECT_LT(after(federation(0.13892, seed), 100), 1e-6) << seed;
  }
}

TEST(BernoulliSteps, CompressedGradientsNeedAShift) {
  const Node ef21 = map_of({{"name", "ef21"}, {"density", kTwelveOf96}});
  const Node marina =
      map_of({{"name", "marina"}, {"density", kTwelveOf96}, {"full_probability", kTwelveOf96}});
  const Node bare =
      map_of({{"name", "random-k"}, {"density", kTwelveOf96}, {"error_feedback", "false"}});
  EXPECT_LT(after(federation(0.01364, 1, ef21), 500), 1e-4);
  EXPECT_LT(after(federation(0.04654, 1, marina), 500), 1e-8);  // single precision
  EXPECT_GT(after(federation(0.047, 1, bare), 500), 1e2);
}

TEST(BernoulliSteps, WithFullBatchesPageAndMvrAreGradientDescent) {
  MatrixFederation descent = federation(0.1, 4);
  MatrixFederation page =
      federation(0.1, 4, map_of({{"name", "dense"}}), method({{"estimator", "page"}}));
  MatrixFederation mvr =
      federation(0.1, 4, map_of({{"name", "dense"}}), method({{"estimator", "mvr"}}));
  for (int t = 0; t < 20; ++t) descent.round(), page.round(), mvr.round();
  const std::vector<double> w = descent.matrix();
  for (std::size_t j = 0; j < w.size(); ++j) {
    EXPECT_NEAR(page.matrix()[j], w[j], 1e-5);
    EXPECT_NEAR(mvr.matrix()[j], w[j], 1e-5);
  }
}

TEST(BernoulliSteps, OnlyTheSketchedFactorGoesUpAndTheDenseStateIsCharged) {
  for (const auto& [p, size] : {std::pair("1", 2 * kCols), std::pair("0", 2 * kRows)}) {
    Node map = method({{"estimator", "page"}});
    map.set("probability", Node::scalar(p));
    MatrixFederation f = federation(0.1, 4, map_of({{"name", "dense"}}), map);
    const Plan& plan = f.composition.global();
    EXPECT_EQ(f.method->exchange(f.composition, f.server, plan, plan.prepared, 0).up_bytes(),
              Bytes(4 * size));
    f.round();
    EXPECT_EQ(f.states[0].method.bytes(), f.method->client_state_bytes(f.composition, plan));
    EXPECT_EQ(f.states[0].method.bytes(), Bytes(8 * kRows * kCols));
  }
}

TEST(BernoulliLora, WithAllAdaptersActiveAdapterMaskIsRacLora) {
  const auto clients = heterogeneous_clients();
  MatrixFederation mask(
      kRows, kCols, clients,
      adapter_map("bernoulli-lora", 2, 2, {{"probability", "1"}, {"variant", "adapter-mask"}}), 0.1,
      5);
  MatrixFederation rac(kRows, kCols, clients, adapter_map("rac-lora", 2, 2, {{"sketch", "left"}}),
                       0.1, 5);
  for (int t = 0; t < 5; ++t) mask.round(3), rac.round(3);
  EXPECT_EQ(mask.matrix(), rac.matrix());
}

// Four layers: each is active in about a third of the rounds, and never none.
TEST(BernoulliLora, AdapterMaskDrawsLayersOfItsOwnEachRound) {
  auto layout = std::make_shared<Layout>();
  for (const char* name : {"a.weight", "b.weight", "c.weight", "d.weight", "out.weight"}) {
    layout->add(name, 6, 5, Order::kInOut);
  }
  Node map =
      adapter_map("bernoulli-lora", 2, 2,
                  {{"probability", "0.3"}, {"variant", "adapter-mask"}, {"rescale", "true"}});
  Node targets;
  targets.kind = Node::Kind::kList;
  for (const char* name : {"a", "b", "c", "d"}) targets.items.push_back(Node::scalar(name));
  map.set("targets", targets);
  const auto p = Registry<Parametrization>::instance().make(map);
  double active = 0;
  constexpr int kRounds = 2000;
  for (int t = 0; t < kRounds; ++t) {
    const auto n = p->in_space(7, t, {}).update_layout(dense_shape(layout))->slices.size();
    EXPECT_GE(n, 1U);
    active += static_cast<double>(n) / kRounds;
  }
  EXPECT_NEAR(active, 4 * 0.3 + std::pow(0.7, 4), 0.08);
}

}  // namespace
}  // namespace skiff::testing
