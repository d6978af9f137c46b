// Bonsai end to end, on trained networks: better than its prior, which is better than chance.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "algorithms/models/evaluate_rows.h"
#include "algorithms/models/full_weights.h"
#include "tests/pruning/numpy_random.h"
#include "tests/pruning/pruners_fixture.h"

namespace skiff::testing {
namespace {

constexpr int kInputs = 20, kClasses = 5, kTrain = 2048, kTest = 2048, kCalibration = 512;

// 20 normal inputs; the class is the greatest output of a random tanh network.
Samples teacher_data(NumpyRandom& draws) {
  constexpr int kHidden = 16;
  const std::vector<double> w = draws.normals(kHidden * kInputs),
                            v = draws.normals(kClasses * kHidden);
  Samples samples(kTrain + kTest, kInputs);
  for (int s = 0; s < samples.rows(); ++s) {
    double outputs[kClasses] = {};
    for (int j = 0; j < kInputs; ++j) samples.row(s)[j] = static_cast<float>(draws.normal());
    for (int h = 0; h < kHidden; ++h) {
      double sum = 0;
      for (int j = 0; j < kInputs; ++j) {
        sum +=
            w[static_cast<std::size_t>(h * kInputs + j)] * static_cast<double>(samples.row(s)[j]);
      }
      for (int c = 0; c < kClasses; ++c) {
        outputs[c] +=
            v[static_cast<std::size_t>(c * kHidden + h)] * std::tanh(sum / std::sqrt(kInputs));
      }
    }
    samples.labels[static_cast<std::size_t>(s)] =
        static_cast<std::int32_t>(std::max_element(outputs, outputs + kClasses) - outputs);
  }
  return samples;
}

std::vector<std::uint32_t> range(int begin, int end) {
  std::vector<std::uint32_t> rows;
  for (int i = begin; i < end; ++i) rows.push_back(static_cast<std::uint32_t>(i));
  return rows;
}

struct Trained {
  explicit Trained(std::uint32_t seed) {
    NumpyRandom draws(seed);
    samples = teacher_data(draws);
    TaskShape task;
    task.width = kInputs;
    task.classes = kClasses;
    Node hidden;
    hidden.kind = Node::Kind::kList;
    hidden.items = {Node::scalar("48"), Node::scalar("48")};
    Node shape = node_of({{"architecture", "mlp"}});
    shape.set("hidden", hidden);
    model = Registry<ModelFamily>::instance().make(shape)->build(task);
    Vector start(model->layout());
    model->initialise(start, Stream(seed, "weights"));
    FullWeights bound(start);
    bound.fuse_sgd(0.1F);
    Workspace workspace;
    for (int epoch = 0; epoch < 30; ++epoch) {
      for (int first = 0; first < kTrain; first += 32) {
        BatchRows batch;
        const std::vector<std::uint32_t> rows = range(first, first + 32);
        batch.gather(samples, rows);
        workspace.reset();
        model->loss_and_gradient(bound, batch.batch(), workspace);
      }
    }
    weights = bound.parameters();
  }
  double test_loss(const Vector& of) const {
    const Evaluation sum = evaluate_rows(
        *model, [&] { return std::make_unique<FullWeights>(of); }, samples,
        range(kTrain, kTrain + kTest));
    return sum.loss / static_cast<double>(sum.rows);
  }
  Samples samples;
  std::shared_ptr<const Architecture> model;
  Vector weights;
};

TEST(BonsaiEndToEndTest, BeatsItsPriorAndChance) {
  constexpr int kSeeds = 8;
  const std::map<std::string, Keys> kinds{
      {"random", {{"prior", "random"}, {"sub_models", "0"}}},
      {"prior by module", {{"sub_models", "0"}}},
      {"prior", {{"sub_models", "0"}, {"selection", "global"}}},
      {"stratified by module", {{"eligible", "3"}}},
      {"stratified", {{"eligible", "3"}, {"selection", "global"}}},
      {"pooled", {{"eligible", "3"}, {"selection", "global"}, {"sampling", "pooled"}}}};
  std::map<std::string, double> mean;
  for (std::uint32_t seed = 0; seed < kSeeds; ++seed) {
    const Trained trained(seed + 50);
    const Calibration calibration(*trained.model, trained.samples, range(0, kCalibration));
    mean["dense"] += trained.test_loss(trained.weights) / kSeeds;
    for (const auto& [name, keys] : kinds) {
      Keys more{{"step", "0.1"}};
      more.insert(more.end(), keys.begin(), keys.end());
      Model model = dense_model(trained.weights);
      State memory;
      pruner("bonsai", "0.5", "channel", more)
          ->compress(model, &calibration, memory, Stream(seed, "prune"));
      const std::size_t cut = trained.weights.values.size() - model.layout->size;
      EXPECT_GT(cut, trained.weights.values.size() * 2 / 5);
      mean[name] += trained.test_loss(decoded(model)) / kSeeds;
    }
  }
  for (const auto& [name, loss] : mean) fmt::print("{}: {:.3f}\n", name, loss);
  EXPECT_LT(mean["dense"], mean["pooled"]);
  EXPECT_LT(mean["stratified"], mean["prior"]);
  EXPECT_LT(mean["stratified by module"], mean["prior by module"]);
  EXPECT_LT(mean["prior"], mean["random"]);
  EXPECT_LE(mean["pooled"], mean["stratified"] + 0.02);
}

}  // namespace
}  // namespace skiff::testing
