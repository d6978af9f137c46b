// PV-Tuning on devices: exact bytes, the sums of the server, and what the plain mean does instead.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "algorithms/models/full_weights.h"
#include "algorithms/prepare.h"
#include "algorithms/quantization/pv_layer.h"
#include "algorithms/quantization/pv_view.h"
#include "sim/federation/learner.h"
#include "sim/federation/preparer.h"
#include "tests/federation/run_scenario.h"

namespace skiff {
namespace {

using test::Ran;
using test::run;

const char* kGlyphs = R"(
seed: 7
data: {source: glyphs, clients: 6, samples_per_client: 20, partition: {scheme: iid}}
model: {architecture: mlp, hidden: [32, 32]}
devices: {population: {pixel-8-pro: 1}}
server: {protocol: synchronous, participants: 6, rounds: 3}
training: {steps: 4, batch: full, optimizer: {name: sgd, learning_rate: 0.1}}
)";
constexpr std::int64_t kHidden = 784 * 32 + 32 * 32, kRest = 32 * 10 + 32 + 32 + 10;
// Two layers: a code and a half a weight, 32 rows' scales, four levels.
constexpr std::int64_t kStored = kHidden / 4 + 2 * (32 * 2 + 4 * 2) + 4 * kRest;

std::string pv(const std::string& more = "") {
  return "compression.quantization={name: pv-tuning, bits: 2, subspace: 0.1" + more + "}";
}

Scenario scenario_of(const std::vector<std::string>& overrides) {
  return parse_scenario(kGlyphs, "test.yaml", overrides, {.profiles = test::profiles()});
}

std::vector<float> start_of(const FederationSetup& setup) {
  return initial_server(setup).models[0].weights.values;
}

// The steps of a client written out: one full batch, SGD on what has no codes, then P and V.
std::vector<float> centralised(const FederationSetup& setup, int steps) {
  const Server server = initial_server(setup);
  Preparer preparer(setup);
  const auto base = preparer.prepared(server, 0);
  const Vector before = decoded(*base);
  FullWeights weights(before);
  std::vector<std::pair<std::size_t, PvLayer>> layers;
  for (std::size_t t = 0; t < base->tensors.size(); ++t) {
    const auto parts = table_parts(*base->tensors[t].values);
    if (parts) layers.emplace_back(t, PvLayer(*parts));
  }
  BatchRows rows;
  rows.gather(setup.data->train, setup.data->rows_of(0));
  Workspace workspace;
  for (int step = 0; step < steps; ++step) {
    workspace.reset();
    weights.clear_gradient();
    setup.composition.models[0]->loss_and_gradient(weights, rows.batch(), workspace);
    const Vector& g = weights.gradient();
    for (std::size_t t = 0; t < base->tensors.size(); ++t) {
      if (table_parts(*base->tensors[t].values)) continue;
      const Slice& s = base->layout->slices[t];
      for (std::size_t i = s.offset; i < s.offset + s.size(); ++i) {
        weights.parameters().values[i] =
            std::fma(-0.1F, g.values[i], weights.parameters().values[i]);
      }
    }
    for (auto& [t, layer] : layers) {
      layer.step(layer_gradient(*base, t, g), PvMode::kPvSte, {3e-4, 0.01, 0.1}, Stream(1, "x"));
      show_layer(*base, t, layer, weights.parameters());
    }
  }
  Model after = *base;
  for (auto& [t, layer] : layers) after.tensors[t].values = layer.stored();
  Vector end = decoded(after);
  for (std::size_t t = 0; t < base->tensors.size(); ++t) {
    if (table_parts(*base->tensors[t].values)) continue;
    const Slice& s = base->layout->slices[t];
    for (std::size_t i = s.offset; i < s.offset + s.size(); ++i) {
      end.values[i] = weights.parameters().values[i];
    }
  }
  for (std::size_t i = 0; i < end.values.size(); ++i) {
    end.values[i] = server.models[0].weights.values[i] + (end.values[i] - before.values[i]);
  }
  return end.values;
}

TEST(PvTraining, OneClientOneTierIsTheStepsOfPvTuning) {
  const std::vector<std::string> one{pv(), "data.clients=1", "server.participants=1",
                                     "server.rounds=1"};
  const Scenario scenario = scenario_of(one);
  const std::vector<float> expected = centralised(assemble(scenario), 4);
  const Ran r = test::run(scenario, assemble(scenario));
  const std::vector<float>& found = r.record->model_values();
  ASSERT_EQ(found.size(), expected.size());
  EXPECT_NE(found, start_of(assemble(scenario)));
  EXPECT_EQ(found, expected);
}

TEST(PvTraining, ClientsThatDoNothingLeaveTheMasterAsItIsAndThePlainMeanDoesNot) {
  const Scenario idle = scenario_of({pv(", mode: p-only, learning_rate: 1e-12"),
                                     "training.optimizer.learning_rate=1e-12", "server.rounds=2"});
  const std::vector<float> start = start_of(assemble(idle));
  const Ran delta = test::run(idle, assemble(idle));
  const std::vector<float>& kept = delta.record->model_values();
  // Layers of codes to the bit: nothing has moved that fp16 tells apart.
  EXPECT_TRUE(std::equal(start.begin(), start.begin() + 784 * 32, kept.begin()));
  const Scenario mean = scenario_of({pv(", mode: p-only, learning_rate: 1e-12, aggregation: model"),
                                     "training.optimizer.learning_rate=1e-12", "server.rounds=1"});
  const Ran model = test::run(mean, assemble(mean));
  double drift = 0, norm = 0;
  for (std::size_t i = 0; i < 784 * 32; ++i) {
    drift += std::pow(double{model.record->model_values()[i]} - double{start[i]}, 2);
    norm += double{start[i]} * double{start[i]};
  }
  // The plain mean adds what four levels cost, 1/16 of the variance of uniform weights and 0.1175
  // of Gaussian ones.
  EXPECT_GT(drift / norm, 0.05);
  EXPECT_LT(drift / norm, 0.13);
}

TEST(PvTraining, TheWireIsAsLongAsSaid) {
  const Ran delta = run(kGlyphs, {pv()}), codes = run(kGlyphs, {pv(", wire: codes")});
  const Ran higgs = run(kGlyphs, {pv(), "compression.communication={name: higgs, bits: 4}"});
  const auto first = [](const Ran& r) { return r.attempts().front(); };
  for (const Ran* r : {&delta, &codes, &higgs}) {
    EXPECT_EQ(first(*r).bytes_down.value(), kStored);
    EXPECT_LT(r->rounds().back().train_loss, r->rounds().front().train_loss);
  }
  EXPECT_EQ(first(delta).bytes_up.value(), 4 * (kHidden + kRest));
  EXPECT_EQ(first(codes).bytes_up.value(), kStored);
  EXPECT_LT(first(higgs).bytes_up.value(), (kHidden + kRest) / 2 + 400);
}

TEST(PvTraining, CodesOnTheWireSayWhatTheDenseChangesSay) {
  const Ran delta = run(kGlyphs, {pv(), "server.rounds=1"});
  const Ran codes = run(kGlyphs, {pv(", wire: codes"), "server.rounds=1"});
  EXPECT_EQ(codes.record->model_values(), delta.record->model_values());
}

TEST(PvTraining, AMaskUnderTheCodesStays) {
  const Ran r = run(kGlyphs, {pv(", wire: codes"),
                              "compression.pruning={name: magnitude, sparsity: 50%, structure: "
                              "unstructured}"});
  const std::vector<float>& v = r.record->model_values();
  EXPECT_GE(std::count(v.begin(), v.end(), 0.0F), kHidden / 2);
  EXPECT_LT(r.rounds().back().train_loss, r.rounds().front().train_loss);
}

const std::vector<std::string> kTiers{
    "devices.population={iphone-15-pro: 40%, pixel-8-pro: 30%, budget-android: 30%}",
    "devices.tiers={high: 10 GB, middle: 7 GB, low: 1 GB}",
    "data.clients=12",
    "server.participants=12",
    "server.rounds=8",
    "compression.planner={name: tiers, plans: {high: {bits: 4}, middle: {bits: 3}, low: {bits: "
    "2}}}"};

// How far the master ends from that of full precision, which trains the same batches.
TEST(PvTraining, MixedTiersLeaveTheMasterNearerToFullPrecisionThanThePlainMean) {
  const auto master = [](std::vector<std::string> more) {
    std::vector<std::string> all{kTiers.begin(), kTiers.end() - 1};
    all.insert(all.end(), more.begin(), more.end());
    return run(kGlyphs, all).record->model_values();
  };
  const std::string mixed =
      "compression.planner={name: tiers, plans: {high: {bits: 8}, middle: {bits: 4}, low: {bits: "
      "2}}}";
  const std::vector<float> whole = master({});
  const auto distance = [&](const std::string& aggregation) {
    const std::vector<float> found = master({mixed, pv(", aggregation: " + aggregation)});
    double sum = 0, norm = 0;
    for (std::size_t i = 0; i < kHidden; ++i) {
      sum += std::pow(double{found[i]} - double{whole[i]}, 2);
      norm += double{whole[i]} * double{whole[i]};
    }
    return sum / norm;
  };
  const double delta = distance("delta"), model = distance("model");
  EXPECT_LT(delta, model / 4);  // 0.006 and 0.067 of the weights' squares
}

TEST(PvTraining, SameBitsOnAnyNumberOfThreads) {
  std::vector<std::string> tiers = kTiers;
  tiers.push_back(pv(", wire: codes, mode: stochastic"));
  std::string reference;
  for (const int n : {1, 2, 8}) {
    set_threads(n);
    const Ran r = run(kGlyphs, tiers, n == 2 ? LaunchPolicy::kEager : LaunchPolicy::kDemand);
    const std::string digest = r.result.fingerprint + r.record->results_sha256();
    if (n == 1) reference = digest;
    EXPECT_EQ(digest, reference) << n;
  }
  set_threads(0);
}

}  // namespace
}  // namespace skiff
