#include "sim/cli/fit_plans.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "algorithms/models/deployed_model.h"
#include "algorithms/plan.h"
#include "sim/core/registry.h"

namespace skiff::cli {
namespace {

constexpr int kRank = 8;
constexpr int kCodes[] = {8, 4, 3, 2};

template <class Role>
std::shared_ptr<const Role> made(std::vector<std::pair<const char*, std::string>> keys) {
  Node map;
  for (const auto& [key, value] : keys) map.set(key, Node::scalar(value));
  return Registry<Role>::instance().make(map);
}

struct Task {
  HfConfig config;
  TaskShape shape;

  Task(const KnownModel& model, int tokens) : config(parse_hf_config(model.name, model.config)) {
    if (config.family == "vit") {
      shape.channels = 3;
      return;
    }
    const bool writes = config.decoder() || config.family == "cifg-lstm";
    shape.kind = writes ? TaskKind::kNextToken : TaskKind::kMaskedToken;
    shape.vocabulary = config.vocabulary;
    shape.sequence_length = std::min(tokens, static_cast<int>(config.positions));
  }
};

// 32 and 16: floats; fewer: codes of the linear layers beside a rest in fp16.
std::vector<std::shared_ptr<const Compressor>> storage(int bits) {
  std::vector<std::shared_ptr<const Compressor>> all;
  if (bits == 32) return all;
  if (bits == 16) {
    all.push_back(made<Compressor>({{"name", "fp16"}}));
  } else {
    all.push_back(made<Compressor>({{"name", "higgs"}, {"bits", std::to_string(bits)}}));
  }
  all.push_back(made<Compressor>({{"name", "fp16"}, {"targets", "rest"}}));
  return all;
}

std::string bits_text(int bits) {
  return bits >= 16 ? fmt::format("fp{}", bits) : fmt::format("{} bits", bits);
}

class Pricing {
 public:
  Pricing(const KnownModel& model, int tokens, bool checkpointing)
      : parameters_(static_cast<double>(model.parameters)), task_(model, tokens) {
    composition_.models = {deployed_model(model.name, task_.shape, checkpointing)};
  }

  FitPlan inference(int bits) const {
    Plan plan;
    FitPlan found = described(bits_text(bits), bits, plan);
    found.cost = prediction_cost(composition_, plan, plan.prepared);
    if (found.decodes && task_.config.heads > 0) {
      const std::int64_t narrow = task_.config.kv_heads * std::int64_t{task_.config.head_width};
      found.key_values = Bytes(4 * 2 * task_.config.layers * narrow * found.tokens);
    }
    return found;
  }

  FitPlan training(const std::string& name, int bits,
                   std::shared_ptr<const Parametrization> parametrization,
                   std::shared_ptr<const Optimizer> optimizer, int batch) const {
    Plan plan;
    FitPlan found = described(name, bits, plan);
    plan.parametrization = std::move(parametrization);
    plan.optimizer = std::move(optimizer);
    plan.work.batch = batch;
    found.cost = client_cost(composition_, plan, plan.prepared, batch, 1);
    return found;
  }

 private:
  FitPlan described(const std::string& name, int bits, Plan& plan) const {
    Shape shape = dense_shape(composition_.architecture(plan).layout());
    for (const auto& compressor : storage(bits)) shape = compressor->shape(shape);
    plan.prepared = std::move(shape);
    FitPlan found;
    found.name = name;
    found.bits = 8 * static_cast<double>(plan.prepared.stored.value()) / parameters_;
    found.tokens = task_.shape.sequence_length;
    found.decodes = task_.shape.kind == TaskKind::kNextToken;
    return found;
  }

  double parameters_;
  Task task_;
  Composition composition_;
};

// What a model has nothing of, codes for linear layers or factors beside them, is left out.
template <class Make>
void add(std::vector<FitPlan>& plans, Make make) {
  try {
    plans.push_back(make());
  } catch (const std::invalid_argument&) {
    return;
  }
}

}  // namespace

std::vector<FitPlan> inference_plans(const KnownModel& model, int tokens) {
  const Pricing pricing(model, tokens, false);
  std::vector<FitPlan> plans{pricing.inference(32), pricing.inference(16)};
  for (const int bits : kCodes) add(plans, [&] { return pricing.inference(bits); });
  return plans;
}

std::vector<FitPlan> training_plans(const KnownModel& model, int tokens, int batch) {
  const Pricing plain(model, tokens, false), thrifty(model, tokens, true);
  const auto full = made<Parametrization>({{"name", "full"}});
  const auto lora = made<Parametrization>({{"name", "lora"},
                                           {"rank", std::to_string(kRank)},
                                           {"alpha", std::to_string(2 * kRank)},
                                           {"targets", "linear"},
                                           {"aggregation", "fedit"}});
  std::vector<FitPlan> plans;
  const auto both = [&](const std::string& name, int bits, const auto& parametrization,
                        const std::string& optimizer) {
    const auto steps = made<Optimizer>({{"name", optimizer}, {"learning_rate", "0.001"}});
    for (const Pricing* pricing : {&plain, &thrifty}) {
      const std::string text =
          fmt::format("{}, {}{}", name, optimizer, pricing == &thrifty ? ", checkpointing" : "");
      add(plans, [&] { return pricing->training(text, bits, parametrization, steps, batch); });
    }
  };
  for (const char* optimizer : {"adamw", "adam-8bit", "microadam", "sgd"}) {
    both("all weights", 32, full, optimizer);
  }
  for (const int bits : {32, 16, 8, 4, 3, 2}) {
    both(fmt::format("lora rank {} on {}", kRank, bits_text(bits)), bits, lora, "adamw");
  }
  return plans;
}

}  // namespace skiff::cli
