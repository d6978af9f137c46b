// What is trained and how: models, and for each tier its compressors, optimizer and codecs.
#include <algorithm>

#include "algorithms/models/deployed_model.h"
#include "algorithms/models/pretrained.h"
#include "sim/cli/assemble_compressors.h"
#include "sim/cli/assemble_steps.h"

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
  return plan;
}

// The strategy of `chosen` with another value of one of its keys; keys of the section around it are
// left alone.
template <class Role>
void set_key(Chosen<Role>& chosen, const std::string& key, const Node& value,
             const std::vector<std::string>& section_keys) {
  chosen.node.set(key, value);
  Reader reader;
  chosen.object = Registry<Role>::instance().make(chosen.node, reader, section_keys);
  reader.throw_if_any();
}

// The scenario with what a tier's plan has otherwise.
Scenario of_tier(Scenario s, const Node& plan) {
  for (const Node::Entry& e : plan.entries) {
    if (e.key == "bits" && s.compression.quantization) {
      set_key(s.compression.quantization->compressor, e.key, e.value, {"at", "rest"});
    } else if (e.key == "sparsity" && s.compression.pruning) {
      set_key(s.compression.pruning->compressor, e.key, e.value, {"at"});
    } else if (e.key == "sparsity") {
      // of the method's own pruning: Plan::sparsity
    } else if (e.key == "rank" && s.compression.adaptation) {
      set_key(s.compression.adaptation->parametrization, e.key, e.value, {});
    } else if (e.key == "optimizer") {
      s.training.optimizer.object = Registry<Optimizer>::instance().make(e.value);
    } else if (e.key == "batch") {
      Reader reader;
      convert(e.value, s.training.batch, Rules{.least = 1, .none_word = "full"}, reader);
      reader.throw_if_any();
    } else {
      throw ScenarioError({{e.where, "compression.planner.plans",
                            e.key + " by tier is what this version cannot run yet"}});
    }
  }
  return s;
}

std::vector<Plan> assemble_plans(const Scenario& s) {
  const Planner* planner = s.compression.planner.object.get();
  if (planner == nullptr || planner->table() == nullptr) return {assemble_plan(s)};
  std::vector<Plan> plans;
  for (const auto& named : s.devices.tiers) {
    const std::string& tier = named.first;
    const PlanTable& table = *planner->table();
    const auto row =
        std::find_if(table.begin(), table.end(), [&](const auto& r) { return r.first == tier; });
    plans.push_back(assemble_plan(row == table.end() ? s : of_tier(s, row->second)));
    plans.back().name = tier;
    const Node* sparsity = row == table.end() ? nullptr : row->second.find("sparsity");
    if (sparsity == nullptr || s.compression.pruning) continue;
    Reader reader;
    convert(*sparsity, plans.back().sparsity, Rules{.least = 0, .most = 0.999999, .fraction = true},
            reader);
    reader.throw_if_any();
  }
  return plans;
}

// training.checkpointing: the model that trains keeps less and computes it again.
std::shared_ptr<const Architecture> checkpointed(const Scenario& s,
                                                 std::shared_ptr<const Architecture> model) {
  if (!s.training.checkpointing) return model;
  std::shared_ptr<const Architecture> thrifty = model->checkpointed();
  if (thrifty != nullptr) return thrifty;
  if (s.model.deploy_as.name.empty()) {
    refuse(s, "training.checkpointing", "this model does not offer it; remove it");
  }
  return model;  // only the devices' model does
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
  c.models.push_back(checkpointed(s, model));
  c.plans = assemble_plans(s);
  return c;
}

std::shared_ptr<const Composition> assemble_deployed(const Scenario& s, const Composition& trained,
                                                     const TaskShape& task) {
  if (s.model.deploy_as.name.empty() || trained.models.empty()) return nullptr;
  auto charged = std::make_shared<Composition>(trained);
  charged->models = {at_key(s, "model.deploy_as", [&] {
    return deployed_model(s.model.deploy_as.name, task, s.training.checkpointing);
  })};
  return charged;
}

}  // namespace skiff
