#include "sim/cli/assemble.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "algorithms/data/federate.h"
#include "algorithms/models/deployed_model.h"
#include "algorithms/models/pretrained.h"
#include "algorithms/refusals.h"
#include "sim/cli/assemble_compressors.h"
#include "sim/federation/evaluator.h"
#include "sim/federation/preparer.h"

namespace skiff {
namespace {

[[noreturn]] void refuse(const Scenario& scenario, const std::string& path,
                         const std::string& message) {
  throw scenario.error(path, message);
}

// Runs `make`; what it says about the user's choice becomes a problem at `path`.
template <class Make>
auto at_key(const Scenario& scenario, const std::string& path, Make&& make) {
  try {
    return make();
  } catch (const std::invalid_argument& e) {
    refuse(scenario, path, e.what());
  }
}

template <class Role>
std::shared_ptr<const Role> by_name(const char* name) {
  Node map;
  map.set(Role::kKey, Node::scalar(name));
  return Registry<Role>::instance().make(map);
}

// What was chosen, or what the method says itself, or dense.
std::shared_ptr<const Codec> codec_of(const Scenario& scenario, const Chosen<Codec>& chosen,
                                      std::shared_ptr<const Codec> own) {
  if (own != nullptr && chosen.object != nullptr && !chosen.object->lossless()) {
    refuse(scenario, "compression.communication",
           "the method says by itself what is sent of its vectors: remove it");
  }
  if (own != nullptr) return own;
  return chosen.object != nullptr ? chosen.object : by_name<Codec>("dense");
}

Bytes memory_limit_of(const MemoryLimit& limit, const DeviceProfile& profile) {
  switch (limit.kind) {
    case MemoryLimit::Kind::kBackground:
      return background_memory(profile);
    case MemoryLimit::Kind::kForeground:
      return foreground_memory(profile);
    case MemoryLimit::Kind::kFraction:
      return memory_share(profile, limit.fraction);
    case MemoryLimit::Kind::kBytes:
      return memory_up_to(profile, limit.bytes);
  }
  return {};
}

FleetSpec assemble_fleet(const Scenario& s, std::size_t clients) {
  const DevicesSection& d = s.devices;
  FleetSpec spec;
  spec.catalogue = s.catalogue;
  PopulationSpec population;
  population.classes = d.population;
  population.links = d.network.links;
  population.rates = d.network.rates == "constant" ? LinkRates::kConstant : LinkRates::kLognormal;
  population.upload = d.network.upload;
  population.download = d.network.download;
  population.rtt = d.network.rtt;
  population.battery_start = d.battery_start;
  spec.fleet = std::make_shared<const Fleet>(*spec.catalogue, population, clients,
                                             static_cast<std::uint64_t>(s.seed));
  spec.availability =
      d.availability.object ? d.availability.object : by_name<Availability>("always");
  spec.failures = {.crash = d.failures.crash_rate, .interrupt = d.failures.interrupt_rate};
  for (const DeviceProfile& profile : spec.catalogue->classes()) {
    spec.memory_limits.push_back(memory_limit_of(d.memory_limit, profile));
  }
  spec.tiers = d.tiers;
  spec.min_battery = d.min_battery;
  spec.server_upload = d.network.server_upload;
  spec.server_download = d.network.server_download;
  return spec;
}

SynchronousSpec assemble_server(const Scenario& s, std::int64_t clients) {
  const ServerSection& v = s.server;
  SynchronousSpec spec;
  spec.rounds = v.rounds;
  spec.participants = v.participants.value_or(static_cast<int>(clients));
  if (spec.participants > clients) {
    refuse(s, "server.participants",
           fmt::format("{} of {} clients; at most data.clients can report", spec.participants,
                       clients));
  }
  spec.over_selection = v.over_selection;
  spec.min_fraction = v.min_fraction;
  spec.deadline = v.deadline;
  spec.select_timeout = v.select_timeout;
  spec.weighting = v.weighting == "uniform" ? Weighting::kUniform : Weighting::kBySamples;
  spec.stop = {v.stop.virtual_time, v.stop.upload, v.stop.download, v.stop.energy, v.stop.target};
  return spec;
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
      set_key(s.compression.quantization->compressor, e.key, e.value, {"at"});
    } else if (e.key == "sparsity" && s.compression.pruning) {
      set_key(s.compression.pruning->compressor, e.key, e.value, {"at"});
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

// Where every client is needed, a round that lost one (a device that the model does not fit, say)
// is abandoned: no client's state changes. Clients without samples are never asked.
std::int64_t reports_needed(const FederationSetup& setup) {
  const Composition& c = setup.composition;
  const bool everyone = setup.method->needs_everyone() ||
                        std::any_of(c.plans.begin(), c.plans.end(),
                                    [](const Plan& p) { return p.up->needs_everyone(); });
  const bool allowed =
      std::find(c.heuristic.begin(), c.heuristic.end(), "participation") != c.heuristic.end();
  if (!everyone || allowed) return 0;
  std::int64_t holders = 0;
  for (int k = 0; k < setup.data->clients(); ++k) holders += setup.data->samples_of(k) > 0;
  return holders;
}

// Devices pay for a real-size model while the small one trains.
std::shared_ptr<const Composition> assemble_deployed(const Scenario& s, const Composition& trained,
                                                     const TaskShape& task) {
  if (s.model.deploy_as.name.empty() || trained.models.empty()) return nullptr;
  auto charged = std::make_shared<Composition>(trained);
  charged->models = {at_key(s, "model.deploy_as", [&] {
    return deployed_model(s.model.deploy_as.name, task, s.training.checkpointing);
  })};
  return charged;
}

void check_legal(const Scenario& s, const FederationSetup& setup) {
  if (!setup.has_model()) return;
  const ProtocolProperties protocol{.synchronous = true,
                                    .everyone_takes_part = s.everyone_takes_part()};
  std::vector<Problem> problems;
  for (const Refusal& r : refusals(setup.composition, *setup.method, protocol)) {
    std::string message = r.reason;
    if (!r.heuristic.empty()) {
      message += fmt::format("; allow it with training.heuristic: [{}]", r.heuristic);
    }
    const ScenarioError error = s.error(r.path, message);
    problems.insert(problems.end(), error.problems().begin(), error.problems().end());
  }
  if (!problems.empty()) throw ScenarioError(problems);
}

EvaluationSpec assemble_evaluation(const Scenario& s, const FederatedDataset& data) {
  EvaluationSpec spec;
  spec.every = s.evaluation.every;
  spec.samples = s.evaluation.samples;
  spec.metrics = s.evaluation.metrics.empty() ? default_metrics(data) : s.evaluation.metrics;
  spec.optimum = s.evaluation.optimum;
  if (data.timing_only || s.training.timing_only()) return spec;
  const std::vector<std::string> possible = possible_metrics(data);
  for (const std::string& metric : spec.metrics) {
    if (std::find(possible.begin(), possible.end(), metric) != possible.end()) continue;
    refuse(
        s, "evaluation.metrics",
        data.test.rows() == 0
            ? fmt::format("{} needs test samples, and there are none; raise data.test_fraction or "
                          "write the metrics of training: [train_loss]",
                          metric)
            : fmt::format("{} cannot be measured on this data; it has {}", metric,
                          fmt::join(possible, ", ")));
  }
  return spec;
}

}  // namespace

FederationSetup assemble(const Scenario& s) {
  FederationSetup setup;
  setup.seed = static_cast<std::uint64_t>(s.seed);
  setup.data = at_key(s, "data", [&] {
    return load_dataset(s.data.source.name, *s.data.source.object, *s.data.partition.object,
                        s.data.options(), static_cast<std::uint64_t>(s.seed));
  });
  setup.timing_only = s.training.timing_only();
  setup.keep_final_model = s.record.final_model;
  setup.loads = {s.training.compute_time, s.training.download, s.training.upload};
  setup.composition = assemble_composition(s, *setup.data);
  setup.deployed = assemble_deployed(s, setup.composition, setup.data->shape);
  setup.method =
      s.training.method.object ? s.training.method.object : by_name<FederatedMethod>("fedavg");
  setup.planner =
      s.compression.planner.object ? s.compression.planner.object : by_name<Planner>("fixed");
  setup.devices = assemble_fleet(s, static_cast<std::size_t>(setup.data->clients()));
  setup.server = assemble_server(s, setup.composition.clients);
  setup.server.min_reports = reports_needed(setup);
  setup.evaluation = assemble_evaluation(s, *setup.data);
  at_key(s, s.compression.pruning ? "compression.pruning" : "compression.quantization",
         [&] { prepare_start(setup); });
  // Adapters say here which of their targets the model does not have.
  at_key(s, "compression.adaptation.targets", [&] {
    for (const Plan& plan : setup.composition.plans) setup.composition.update_layout(plan);
    for (const Plan& plan : setup.charged().plans) setup.charged().update_layout(plan);
  });
  check_legal(s, setup);
  return setup;
}

}  // namespace skiff
