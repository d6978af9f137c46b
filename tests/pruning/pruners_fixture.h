// Small models and samples on which every pruner can be run, and pruners by their words.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "algorithms/calibration.h"
#include "algorithms/compressor.h"
#include "sim/core/registry.h"

namespace skiff::testing {

using Keys = std::vector<std::pair<std::string, std::string>>;

inline Node node_of(const Keys& keys) {
  Node node;
  node.kind = Node::Kind::kMap;
  for (const auto& [key, value] : keys) node.set(key, Node::scalar(value));
  return node;
}

inline std::shared_ptr<const Compressor> pruner(const std::string& name,
                                                const std::string& sparsity,
                                                const std::string& structure,
                                                const Keys& more = {}) {
  Keys keys{{"name", name}, {"sparsity", sparsity}, {"structure", structure}};
  keys.insert(keys.end(), more.begin(), more.end());
  return Registry<Compressor>::instance().make(node_of(keys));
}

// An architecture with random weights, and 24 samples of noise to calibrate with.
struct SmallModel {
  explicit SmallModel(const std::string& family) {
    TaskShape task;
    Stream draws(3, "samples");
    if (family == "mlp") {
      task.width = 20;
      task.classes = 5;
    } else if (family == "vit") {
      task.channels = 1;
      task.height = task.image_width = 8;
      task.width = 64;
      task.classes = 5;
    } else {
      task.kind = family == "bert" ? TaskKind::kClassification : TaskKind::kNextToken;
      task.classes = family == "bert" ? 5 : 0;
      task.vocabulary = 30;
      task.sequence_length = 16;
      samples.length = task.text_length();
      samples.labels.resize(24);
      samples.tokens.resize(24 * static_cast<std::size_t>(samples.length));
      for (std::int32_t& id : samples.tokens) id = static_cast<std::int32_t>(draws.below(30));
    }
    if (!task.is_text()) {
      samples = Samples(24, task.width);
      for (float& x : samples.features) x = draws.uniform_float();
    }
    for (std::int32_t& label : samples.labels) label = static_cast<std::int32_t>(draws.below(5));
    Node shape = node_of({{"architecture", family}});
    if (family == "mlp") {
      Node hidden;
      hidden.kind = Node::Kind::kList;
      hidden.items = {Node::scalar("24"), Node::scalar("16")};
      shape.set("hidden", hidden);
    } else {
      shape.set("preset", Node::scalar("tiny"));
      if (family == "vit") shape.set("patch", Node::scalar("4"));
    }
    architecture = Registry<ModelFamily>::instance().make(shape)->build(task);
    weights = Vector(architecture->layout());
    architecture->initialise(weights, Stream(5, "weights"));
    std::vector<std::uint32_t> rows(24);
    for (std::uint32_t i = 0; i < 24; ++i) rows[i] = i;
    calibration = std::make_unique<Calibration>(*architecture, samples, rows);
  }
  Model model() const { return dense_model(weights); }

  Samples samples;
  std::shared_ptr<const Architecture> architecture;
  Vector weights;
  std::unique_ptr<Calibration> calibration;
};

}  // namespace skiff::testing
