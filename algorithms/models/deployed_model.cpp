#include "algorithms/models/deployed_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "algorithms/models/dense_network.h"
#include "sim/core/error.h"

namespace skiff {
namespace {

constexpr double kFloat = 4;              // bytes
constexpr std::int64_t kLogitRows = 128;  // tokens whose logits exist at a time

bool causal(const HfConfig& c) { return c.decoder(); }

// Values that the backward pass of one block keeps for each token.
double kept_by_block(const HfConfig& c) {
  const double d = c.hidden, f = c.intermediate;
  const double wide = double(c.heads) * c.head_width, narrow = double(c.kv_heads) * c.head_width;
  if (c.gated()) return 4 * d + 2 * wide + 2 * narrow + 3 * f + c.heads;
  if (c.family == "phi") return 2 * d + 2 * wide + 2 * narrow + 2 * f + c.heads;
  if (c.family == "cifg-lstm") return 5.0 * c.hidden + c.embedding;  // gates, cell, its tanh
  if (c.family == "mobilebert") {
    const double b = c.bottleneck;
    return 2 * d + 4 * b + 6 * b + c.feed_forwards * (f + 2 * b) + c.heads;
  }
  return 8 * d + 2 * f + c.heads;
}

// Gradients that are alive inside one block, for each token.
double gradients_of_block(const HfConfig& c) {
  if (c.family == "cifg-lstm") return 4.0 * c.hidden;
  return 2.0 * c.hidden + (c.gated() ? 3.0 : 2.0) * c.intermediate;
}

Bytes whole_bytes(double bytes) { return Bytes(static_cast<std::int64_t>(bytes)); }

}  // namespace

DeployedModel::DeployedModel(std::string name, const HfConfig& config, const TaskShape& task,
                             bool checkpointing)
    : name_(std::move(name)), config_(config), task_(task), checkpointing_(checkpointing) {
  const bool vision = config.family == "vit";
  if (vision ? !task.is_image() : !task.is_text()) {
    throw std::invalid_argument(fmt::format("{} reads {}; the samples here are {}", name_,
                                            vision ? "images" : "text",
                                            task.is_image()  ? "images"
                                            : task.is_text() ? "text"
                                                             : "neither text nor images"));
  }
  tokens_ = vision ? config.positions : task.sequence_length;
  if (tokens_ > config.positions) {
    throw std::invalid_argument(fmt::format("{} has {} positions; the samples have {} tokens",
                                            name_, config.positions, tokens_));
  }
  RealSizeLayout real = real_size_layout(config);
  uses_ = std::move(real.uses);
  layout_ = std::make_shared<const Layout>(std::move(real.layout));
}

std::string DeployedModel::summary() const { return summary_of(name_, *layout_); }

bool DeployedModel::predicts_tokens() const {
  return task_.kind == TaskKind::kNextToken || task_.kind == TaskKind::kMaskedToken;
}

DeployedModel::Pass DeployedModel::forward(const Layout& shapes, int batch) const {
  SKIFF_CHECK(shapes.slices.size() == uses_.size(), "shapes of another model");
  Pass pass;
  const double samples = batch;
  const double tokens = samples * static_cast<double>(tokens_);
  const auto product = [&](const Slice& s, double times, double& sum) {
    const double size = static_cast<double>(s.size());
    sum += 2 * size * times;
    pass.bytes += kFloat * (size + times * (double(s.rows) + s.cols));
  };
  for (std::size_t i = 0; i < uses_.size(); ++i) {
    const Slice& s = shapes.slices[i];
    const bool head = s.name == "lm_head.weight";
    if (uses_[i] == TensorUse::kEachToken && !head) product(s, tokens, pass.blocks);
    if (uses_[i] == TensorUse::kEachSample) product(s, samples, pass.ends);
    if (uses_[i] == TensorUse::kFirst) product(s, tokens - samples, pass.first);  // no class token
    if (uses_[i] == TensorUse::kGather) pass.bytes += kFloat * 2 * tokens * s.cols;
    const bool tied_table = config_.tied && i == 0 && uses_[i] == TensorUse::kGather;
    if (predicts_tokens() && (head || tied_table)) product(s, tokens, pass.ends);
  }
  pass.ends += pass.first;
  if (config_.heads > 0) {
    const auto n = static_cast<double>(tokens_);
    const double pairs = causal(config_) ? n * (n + 1) / 2 : n * n;
    const double wide = double(config_.heads) * config_.head_width;
    const double narrow = double(config_.kv_heads) * config_.head_width;
    pass.attention = config_.layers * samples * 4 * pairs * wide;
    pass.blocks += pass.attention;
    pass.bytes += kFloat * config_.layers * tokens * 2 * (wide + narrow);
  }
  return pass;
}

StepCost DeployedModel::training_cost(const Layout& shapes, int batch) const {
  const Pass pass = forward(shapes, batch);
  StepCost cost;
  // Of attention 3.5 passes: four products backward, and the scores again.
  double flops = 3 * (pass.blocks + pass.ends) - pass.first + 0.5 * pass.attention;
  const double tokens = static_cast<double>(batch) * static_cast<double>(tokens_);
  double kept = config_.layers * kept_by_block(config_);
  if (checkpointing_) {
    flops += pass.blocks;
    kept = double(config_.layers) * config_.hidden + kept_by_block(config_);
  }
  const double logits =
      predicts_tokens() ? std::min(tokens, double(kLogitRows)) * config_.vocabulary : 0;
  cost.flops = Flops(flops);
  cost.weight_gradients = Flops(pass.blocks + pass.ends - pass.attention);
  cost.rows = static_cast<std::int64_t>(batch) * tokens_;
  cost.dram = whole_bytes((checkpointing_ ? 4 : 3) * pass.bytes);
  cost.logits = whole_bytes(kFloat * logits);
  cost.activations = whole_bytes(
      kFloat * (tokens * (kept + gradients_of_block(config_) + config_.hidden) + logits));
  return cost;
}

StepCost DeployedModel::inference_cost(const Layout& shapes, int batch) const {
  const Pass pass = forward(shapes, batch);
  const double tokens = static_cast<double>(batch) * static_cast<double>(tokens_);
  const double logits =
      predicts_tokens() ? std::min(tokens, double(kLogitRows)) * config_.vocabulary : 0;
  StepCost cost;
  cost.flops = Flops(pass.blocks + pass.ends);
  cost.dram = whole_bytes(pass.bytes);
  cost.logits = whole_bytes(kFloat * logits);
  cost.activations = whole_bytes(kFloat * (tokens * kept_by_block(config_) + logits));
  return cost;
}

void DeployedModel::initialise(Vector&, Stream) const { SKIFF_CHECK(false, "it has no numbers"); }
double DeployedModel::loss_and_gradient(Weights&, const Batch&, Workspace&) const {
  check_failed("deployed", __FILE__, __LINE__, "it has no numbers");
}
Evaluation DeployedModel::evaluate(Weights&, const Batch&, Workspace&) const {
  check_failed("deployed", __FILE__, __LINE__, "it has no numbers");
}
void DeployedModel::predict(Weights&, const Batch&, std::span<float>, Workspace&) const {
  SKIFF_CHECK(false, "it has no numbers");
}

std::shared_ptr<const Architecture> deployed_model(const std::string& name, const TaskShape& task,
                                                   bool checkpointing) {
  const KnownModel* known = find_known_model(name);
  const HfConfig config =
      known != nullptr ? parse_hf_config(name, known->config) : read_hf_config(name);
  return std::make_shared<const DeployedModel>(known != nullptr ? name : config.family, config,
                                               task, checkpointing);
}

}  // namespace skiff
