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

// An optimizer of all weights; of projected gradients, with the rank of their subspace.
struct TrainedWith {
  const char* name;
  int rank = 0;

  std::string text() const { return rank > 0 ? fmt::format("{} rank {}", name, rank) : name; }
  std::shared_ptr<const Optimizer> made() const {
    std::vector<std::pair<const char*, std::string>> keys{{"name", name},
                                                          {"learning_rate", "0.001"}};
    if (rank > 0) keys.emplace_back("rank", std::to_string(rank));
    return cli::made<Optimizer>(std::move(keys));
  }
};
constexpr int kSubspace = 128;
constexpr TrainedWith kAllWeights[] = {{"adamw"},
                                       {"adam-8bit"},
                                       {"microadam"},
                                       {"galore", kSubspace},
                                       {"grass", kSubspace},
                                       {"flora", kSubspace},
                                       {"sgd"}};

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
  const auto both = [&](const std::string& name, int bits,
                        const std::shared_ptr<const Parametrization>& parametrization,
                        const std::shared_ptr<const Optimizer>& optimizer) {
    for (const Pricing* pricing : {&plain, &thrifty}) {
      if (pricing == &thrifty && parametrization->forward_passes() > 0) continue;
      const std::string text = name + (pricing == &thrifty ? ", checkpointing" : "");
      add(plans, [&] { return pricing->training(text, bits, parametrization, optimizer, batch); });
    }
  };
  const auto all_weights = [&](const TrainedWith& way) {
    const auto optimizer = way.made();
    const auto own = optimizer->training();
    both("all weights, " + way.text(), 32, own != nullptr ? own : full, optimizer);
  };
  for (const TrainedWith& way : kAllWeights) all_weights(way);
  const auto adamw = TrainedWith{"adamw"}.made();
  for (const int bits : {32, 16, 8, 4, 3, 2}) {
    both(fmt::format("lora rank {} on {}, adamw", kRank, bits_text(bits)), bits, lora, adamw);
  }
  all_weights({"mezo"});
  return plans;
}

}  // namespace skiff::cli
