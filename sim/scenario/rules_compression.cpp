#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "sim/scenario/rules.h"

namespace skiff {
namespace {

// Names of layers, in the order of the model: "hidden.0.weight" belongs to hidden.0.
std::vector<std::string> layers_of(const ModelFamily& family) {
  const TaskShape images{
      .width = 784, .classes = 10, .channels = 1, .height = 28, .image_width = 28};
  std::vector<std::string> layers;
  try {
    const LayoutPtr layout = family.build(images)->layout();
    for (const Slice& slice : layout->slices) {
      std::string layer = slice.name.substr(0, slice.name.rfind('.'));
      if (layers.empty() || layers.back() != layer) layers.push_back(std::move(layer));
    }
  } catch (const std::invalid_argument&) {  // not for images: its layers are unknown here
  }
  return layers;
}

void check_targets(const RuleContext& c) {
  const auto& model = c.scenario.model.architecture;
  if (model.object == nullptr) return;
  const std::vector<std::string> layers = layers_of(*model.object);
  if (layers.empty()) return;
  std::string all;
  for (const std::string& layer : layers) all += (all.empty() ? "" : ", ") + layer;
  for (const std::string role : {"quantization", "pruning", "adaptation"}) {
    const std::string path = "compression." + role + ".targets";
    const Node* targets = c.find(path);
    if (targets == nullptr || !targets->is_list()) continue;
    for (const Node& target : targets->items) {
      const auto is = [&](const std::string& layer) {
        return layer == target.text || layer.ends_with("." + target.text);
      };
      if (!target.is_scalar() || std::any_of(layers.begin(), layers.end(), is)) continue;
      c.problem_at(target.where, path,
                   fmt::format("no layer \"{}\" in {}; it has {}", target.text, model.name, all));
    }
  }
}

template <class Role>
bool entry_has(const std::string& name, const std::string& key) {
  const auto* entry = Registry<Role>::instance().find(name);
  if (entry == nullptr) return false;
  const auto& properties = entry->about.properties;
  return std::any_of(entry->fields.begin(), entry->fields.end(),
                     [&](const FieldInfo& f) { return f.name == key; }) ||
         std::find(properties.begin(), properties.end(), "obeys-" + key) != properties.end();
}

struct Obedience {
  const char* key;
  const char* section;  // of compression
};
constexpr Obedience kObeyed[] = {
    {"bits", "quantization"}, {"sparsity", "pruning"}, {"rank", "adaptation"}};

// A plan's key is obeyed by its section, or by a method or optimizer that has such a key.
bool is_obeyed(const RuleContext& c, const Obedience& o) {
  return c.has(std::string("compression.") + o.section) ||
         entry_has<FederatedMethod>(c.word("training.method.name"), o.key) ||
         entry_has<Optimizer>(c.word("training.optimizer.name"), o.key);
}

void check_plan(const RuleContext& c, const std::string& path) {
  std::vector<std::string> allowed{"bits",      "sparsity", "rank",
                                   "optimizer", "batch",    "checkpointing"};
  if (path.starts_with("compression.planner.plans.")) allowed.emplace_back("model");
  const Node* plan = c.find(path);
  if (plan == nullptr || !plan->is_map()) return;
  for (const Node::Entry& e : plan->entries) {
    if (std::find(allowed.begin(), allowed.end(), e.key) == allowed.end()) {
      c.problem_at(e.where, path + "." + e.key, unknown_key_message(e.key, allowed));
    }
    for (const Obedience& o : kObeyed) {
      if (e.key != o.key || is_obeyed(c, o)) continue;
      c.problem_at(
          e.where, path + "." + e.key,
          fmt::format("nothing obeys it; add compression.{} or remove {}", o.section, o.key));
    }
  }
}

void check_planner(const RuleContext& c) {
  const Node* plans = c.find("compression.planner.plans");
  const Node* tiers = c.find("devices.tiers");
  const bool by_tier = plans != nullptr || c.word("compression.planner.name") == "tiers";
  if (by_tier && tiers == nullptr) {
    c.problem("compression.planner", "plans are given by tier; write devices.tiers");
  }
  check_plan(c, "compression.planner.choices");
  if (plans == nullptr || !plans->is_map()) return;
  for (const Node::Entry& e : plans->entries) {
    check_plan(c, "compression.planner.plans." + e.key);
    if (tiers == nullptr || !tiers->is_map() || tiers->find(e.key) != nullptr) continue;
    std::vector<std::string> names;
    for (const Node::Entry& tier : tiers->entries) names.push_back(tier.key);
    c.problem_at(e.where, "compression.planner.plans." + e.key,
                 fmt::format("no such tier; devices.tiers has {}", fmt::join(names, ", ")));
  }
}

}  // namespace

void check_compression(const RuleContext& c) {
  check_targets(c);
  check_planner(c);
}

}  // namespace skiff
