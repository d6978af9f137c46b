// What is trained and how: models, and for each tier its compressors, optimizer and codecs.
#include <algorithm>
#include <map>
#include <string>

#include "algorithms/distillation.h"
#include "algorithms/models/deployed_model.h"
#include "algorithms/models/pretrained.h"
#include "algorithms/planning/adaptive.h"
#include "sim/cli/assemble_compressors.h"
#include "sim/cli/assemble_steps.h"
#include "sim/cli/candidates.h"

namespace skiff {
namespace {

// What was chosen, or what the method says itself, or dense.
std::shared_ptr<const Codec> codec_of(const Scenario& scenario, const Chosen<Codec>& chosen,
                                      std::shared_ptr<const Codec> own) {
  if (own != nullptr && chosen.object != nullptr && !chosen.object->lossless()) {
    refuse(scenario, "compression.communication",
           scenario.training.method.name +
               " says by itself what is sent of its vectors, so remove " + chosen.name);
  }
  if (own != nullptr) return own;
  return chosen.object != nullptr ? chosen.object : by_name<Codec>("dense");
}

// An optimizer that trains in its own way takes the place of `full`, and of nothing else.
void take_training_seat(const Scenario& s, Plan& plan) {
  if (plan.optimizer == nullptr) return;
  const auto own = plan.optimizer->training();
  if (own == nullptr) return;
  const std::string& name = s.training.optimizer.name;
  if (s.compression.adaptation && s.compression.adaptation->parametrization.object) {
    refuse(s, "compression.adaptation",
           name + " says by itself what is trained: remove it, or choose adamw");
  }
  const auto& codes = s.compression.quantization;
  if (codes && codes->at == "dispatch" && codes->compressor.object->training() != nullptr) {
    refuse(s, "compression.quantization",
           name + " trains weights, and " + codes->compressor.name +
               " codes: choose another quantizer, or adamw");
  }
  plan.parametrization = own;
}

Plan assemble_plan(const Scenario& s) {
  Plan plan;
  plan.name = "all";
  const auto& adaptation = s.compression.adaptation;
  plan.parametrization = adaptation && adaptation->parametrization.object
                             ? adaptation->parametrization.object
                             : by_name<Parametrization>("full");
  assemble_compressors(s, plan);
  plan.optimizer = s.training.optimizer.object;
  take_training_seat(s, plan);
  const auto& wire = s.compression.communication;
  const FederatedMethod* method = s.training.method.object.get();
  plan.down = codec_of(s, wire.download, method != nullptr ? method->own_down() : nullptr);
  plan.up = codec_of(s, wire.upload, method != nullptr ? method->own_up() : nullptr);
  plan.work = s.training;
  plan.checkpointing = s.training.checkpointing;
  return plan;
}

// What a plan says of one key, read as that key's own section reads it; said wrong, it is blamed
// where the plan stands.
class PlanKey {
 public:
  PlanKey(const Scenario& s, const Node::Entry& entry, const std::string& plans)
      : scenario_(s), entry_(entry), path_(plans + "." + entry.key) {}
  PlanKey(const PlanKey&) = delete;
  PlanKey& operator=(const PlanKey&) = delete;

  // The strategy of `chosen` with this value; keys of the section around it are left alone.
  template <class Role>
  void set_in(Chosen<Role>& chosen, const std::vector<std::string>& section_keys) {
    chosen.node.set(entry_.key, entry_.value);
    chosen.object = Registry<Role>::instance().make(chosen.node, reader_, section_keys);
    check();
  }
  // The same, for a whole map of the strategy's keys.
  template <class Role>
  void make_of(Chosen<Role>& chosen, Node map) {
    chosen.node = std::move(map);
    chosen.object = Registry<Role>::instance().make(chosen.node, reader_);
    check();
  }
  template <class Role>
  void make(std::shared_ptr<const Role>& object) {
    object = Registry<Role>::instance().make(entry_.value, reader_);
    check();
  }
  template <class T>
  void read(T& out, const Rules& rules) {
    convert(entry_.value, out, rules, reader_);
    check();
  }

 private:
  void check() const {
    if (!reader_.ok()) throw scenario_.error(path_, reader_.problems().front().message);
  }
  const Scenario& scenario_;
  const Node::Entry& entry_;
  std::string path_;
  Reader reader_;
};

// The plan of the scenario with what a tier, or a candidate, has otherwise. `plans`: where they
// are written.
Plan assemble_row(const Scenario& scenario, const Node& row, const std::string& plans) {
  Scenario s = scenario;
  const auto* adaptive = dynamic_cast<const Adaptive*>(s.compression.planner.object.get());
  const bool by_layer = adaptive != nullptr && adaptive->params().per_layer;
  std::optional<double> sparsity;  // of the method's own pruning
  for (const Node::Entry& e : row.entries) {
    PlanKey key(scenario, e, plans);
    if (e.key == "bits" && s.compression.quantization) {
      const Node::Entry whole{e.key, e.where, by_layer ? whole_bits(e.value) : e.value};
      PlanKey(scenario, whole, plans)
          .set_in(s.compression.quantization->compressor, {"at", "rest"});
    } else if (e.key == "sparsity" && s.compression.pruning) {
      key.set_in(s.compression.pruning->compressor, {"at"});
    } else if (e.key == "sparsity") {
      key.read(sparsity, {.least = 0, .most = 0.999999, .fraction = true});
    } else if (e.key == "rank" && s.compression.adaptation) {
      auto& adaptation = s.compression.adaptation->parametrization;
      key.make_of(adaptation, with_rank(adaptation.node, e.value));
    } else if (e.key == "rank") {
      key.set_in(s.training.optimizer, {});
    } else if (e.key == "optimizer") {
      key.make(s.training.optimizer.object);
    } else if (e.key == "checkpointing") {
      key.read(s.training.checkpointing, {});
    } else if (e.key == "batch") {
      key.read(s.training.batch, {.least = 1, .none_word = "full"});
    }
  }
  Plan plan = assemble_plan(s);
  plan.sparsity = sparsity;
  return plan;
}

// The architecture that a tier's row names, for methods that can do with several; tiers that name
// the same share it.
class TierModels {
 public:
  TierModels(const Scenario& s, const TaskShape& task, Composition& c)
      : scenario_(s), task_(task), composition_(c) {}

  std::size_t index_of(const Node& row, const std::string& plans) {
    const auto entry = std::find_if(row.entries.begin(), row.entries.end(),
                                    [](const Node::Entry& e) { return e.key == "model"; });
    if (entry == row.entries.end()) return 0;
    const auto& distillation = scenario_.compression.distillation;
    if (!distillation || !distillation->object->mixes_models()) {
      throw scenario_.error(plans + ".model",
                            "weights of different architectures have no mean; write "
                            "compression.distillation: {name: feddf, ...} or fedmd, or remove it");
    }
    const auto [known, added] =
        known_.emplace(to_flow_text(entry->value), composition_.models.size());
    if (added) {
      std::shared_ptr<const ModelFamily> family;
      PlanKey(scenario_, *entry, plans).make(family);
      composition_.models.push_back(
          at_key(scenario_, plans + ".model", [&] { return family->build(task_); }));
    }
    return known->second;
  }

 private:
  const Scenario& scenario_;
  const TaskShape& task_;
  Composition& composition_;
  std::map<std::string, std::size_t> known_;
};

std::vector<Plan> assemble_plans(const Scenario& s, TierModels models) {
  const Planner* planner = s.compression.planner.object.get();
  if (planner != nullptr && planner->choices() != nullptr) {
    std::vector<Plan> plans;
    for (const Node& row : candidate_rows(s)) {
      plans.push_back(assemble_row(s, row, "compression.planner.choices"));
      plans.back().name = candidate_name(row);
    }
    return plans;
  }
  if (planner == nullptr || planner->table() == nullptr) return {assemble_plan(s)};
  std::vector<Plan> plans;
  for (const auto& named : s.devices.tiers) {
    const std::string& tier = named.first;
    const PlanTable& table = *planner->table();
    const auto row =
        std::find_if(table.begin(), table.end(), [&](const auto& r) { return r.first == tier; });
    if (row == table.end()) {
      plans.push_back(assemble_plan(s));
    } else {
      const std::string path = "compression.planner.plans." + tier;
      plans.push_back(assemble_row(s, row->second, path));
      plans.back().model = models.index_of(row->second, path);
    }
    plans.back().name = tier;
  }
  return plans;
}

// training.checkpointing, or a plan's: the model that trains keeps less and computes it again.
std::shared_ptr<const Architecture> checkpointed(const Scenario& s, const Composition& c) {
  if (std::none_of(c.plans.begin(), c.plans.end(), [](const Plan& p) { return p.checkpointing; })) {
    return nullptr;
  }
  std::shared_ptr<const Architecture> thrifty = c.models.front()->checkpointed();
  const Planner* planner = s.compression.planner.object.get();
  const auto named = [](const auto& choice) { return choice.first == "checkpointing"; };
  const bool tried = planner != nullptr && planner->choices() != nullptr &&
                     std::none_of(planner->choices()->begin(), planner->choices()->end(), named) &&
                     !s.training.checkpointing;
  // Nobody asked for it by name, or only the devices' model offers it.
  if (thrifty == nullptr && !tried && s.model.deploy_as.name.empty()) {
    refuse(s, s.training.checkpointing ? "training.checkpointing" : "compression.planner",
           "this model does not offer checkpointing; remove it");
  }
  return thrifty;
}

}  // namespace

Composition assemble_composition(const Scenario& s, const FederatedDataset& data) {
  Composition c;
  c.clients = data.clients();
  c.horizon = s.server.rounds;
  c.seed = static_cast<std::uint64_t>(s.seed);
  c.server_learning_rate = s.server.learning_rate;
  c.heuristic = s.training.heuristic;
  const bool stored = s.model.checkpoint.has_value();
  const bool any = stored || s.model.architecture.object != nullptr;
  if (!any || s.training.optimizer.object == nullptr) return c;
  const auto model = at_key(s, stored ? "model.checkpoint" : "model.architecture", [&] {
    if (stored) return pretrained_model(s.model.checkpoint->path, data.shape);
    return s.model.architecture.object->build(data.shape);
  });
  c.models.push_back(model);
  c.plans = assemble_plans(s, {s, data.shape, c});
  c.thrifty.push_back(checkpointed(s, c));
  for (std::size_t m = 1; m < c.models.size(); ++m)
    c.thrifty.push_back(c.models[m]->checkpointed());
  return c;
}

std::shared_ptr<const Composition> assemble_deployed(const Scenario& s, const Composition& trained,
                                                     const TaskShape& task) {
  if (s.model.deploy_as.name.empty() || trained.models.empty()) return nullptr;
  auto charged = std::make_shared<Composition>(trained);
  at_key(s, "model.deploy_as", [&] {
    charged->models = {deployed_model(s.model.deploy_as.name, task, false)};
    const bool any = std::any_of(charged->plans.begin(), charged->plans.end(),
                                 [](const Plan& plan) { return plan.checkpointing; });
    charged->thrifty = {any ? deployed_model(s.model.deploy_as.name, task, true) : nullptr};
  });
  return charged;
}

}  // namespace skiff
