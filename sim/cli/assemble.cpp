#include "sim/cli/assemble.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "algorithms/data/federate.h"
#include "algorithms/refusals.h"
#include "sim/cli/assemble_steps.h"
#include "sim/cli/choose_plans.h"
#include "sim/federation/evaluator.h"
#include "sim/federation/preparer.h"
#include "sim/record/human.h"

namespace skiff {
namespace {

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
  if (spec.delivers_only()) spec.participants = clients;
  spec.over_selection = v.over_selection;
  spec.min_fraction = v.min_fraction;
  spec.deadline = v.deadline;
  spec.select_timeout = v.select_timeout;
  spec.weighting = v.weighting == "uniform" ? Weighting::kUniform : Weighting::kBySamples;
  spec.stop = {v.stop.virtual_time, v.stop.upload, v.stop.download, v.stop.energy, v.stop.target};
  return spec;
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

void check_state_limits(const Scenario& s, const Composition& charged) {
  for (const Plan& plan : charged.plans) {
    const std::optional<Bytes> limit = plan.optimizer->state_limit();
    const Bytes needed = client_cost(charged, plan, plan.prepared, 1, 1).memory.optimizer_state;
    if (!limit || needed <= *limit) continue;
    refuse(s, "training.optimizer.state_limit",
           fmt::format("this optimizer keeps {} for this model", human(needed)));
  }
}

// What was put together, for messages: "method scaffold, adaptation rac-lora".
std::string composed(const Scenario& s) {
  const CompressionSection& c = s.compression;
  std::string text;
  const auto add = [&](const char* role, const std::string& name) {
    if (!name.empty()) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", role, name);
  };
  add("method", s.training.method.object ? s.training.method.name : "");
  add("adaptation", c.adaptation ? c.adaptation->parametrization.name : "");
  add("communication", c.communication.upload.name);
  add("download", c.communication.download.name);
  add("pruning", c.pruning ? c.pruning->compressor.name : "");
  add("quantization", c.quantization ? c.quantization->compressor.name : "");
  return text;
}

void check_legal(const Scenario& s, const FederationSetup& setup) {
  if (!setup.has_model()) return;
  check_state_limits(s, setup.charged());
  const ProtocolProperties protocol{.synchronous = true,
                                    .everyone_takes_part = s.everyone_takes_part()};
  std::vector<Problem> problems;
  for (const Refusal& r : refusals(setup.composition, *setup.method, protocol)) {
    std::string message = r.reason + " (" + composed(s) + ")";
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

// Distillation takes the method's seat; its models join the student.
std::shared_ptr<const FederatedMethod> assemble_distillation(const Scenario& s,
                                                             FederationSetup& setup) {
  const auto& chosen = *s.compression.distillation;
  const std::string path = "compression.distillation";
  if (s.training.method.object && s.training.method.name != "fedavg") {
    refuse(s, path, "takes the seat of training.method " + s.training.method.name + "; remove one");
  }
  if (setup.deployed != nullptr) refuse(s, path, "has models of its own; remove model.deploy_as");
  if (!setup.has_model() || setup.timing_only)
    refuse(s, path, "teaches a model, and this run has none");
  if (s.server.rounds == 0) refuse(s, path, "needs rounds");
  setup.composition.server_samples = {setup.data, &setup.data->server};
  at_key(s, path, [&] { chosen.object->join(setup.composition); });
  return chosen.object;
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
  if (s.compression.distillation) setup.method = assemble_distillation(s, setup);
  setup.planner =
      s.compression.planner.object ? s.compression.planner.object : by_name<Planner>("fixed");
  setup.devices = assemble_fleet(s, static_cast<std::size_t>(setup.data->clients()));
  setup.server = assemble_server(s, setup.composition.clients);
  setup.server.min_reports = reports_needed(setup);
  setup.evaluation = assemble_evaluation(s, *setup.data);
  if (setup.planner->choices() != nullptr && setup.has_model()) choose_plans(s, setup);
  at_key(s, s.compression.pruning ? "compression.pruning" : "compression.quantization",
         [&] { prepare_start(setup); });
  // Adapters say here which of their targets the model does not have.
  at_key(s, "compression.adaptation.targets", [&] {
    for (const Plan& plan : setup.composition.plans) setup.composition.update_layout(plan);
    for (const Plan& plan : setup.charged().plans) setup.charged().update_layout(plan);
  });
  check_target_size(s, setup);
  check_legal(s, setup);
  return setup;
}

}  // namespace skiff
