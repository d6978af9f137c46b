#include "sim/cli/run_info.h"

#include <fmt/format.h>
#include <skiff_version.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>

#include "algorithms/layer_targets.h"
#include "sim/cli/version_text.h"
#include "sim/core/parallel.h"

namespace skiff::cli {
namespace {

std::string now_utc() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

Provenance provenance(const Scenario& s) {
  Provenance p;
  p.config_yaml = s.config_yaml;
  p.overrides = s.overrides;
  p.config_sha256 = s.config_sha256;
  p.skiff_version = kVersion;
  p.git_commit = kGitCommit;
  p.compiler = fmt::format("{} {} {}", kCompiler, kBuildType, kFlags);
  p.cpu = cpu_name();
  p.threads = threads();
  p.started_utc = now_utc();
  p.library_versions = library_versions();
  return p;
}

std::string protocol_text(const SynchronousSpec& server, std::int64_t clients) {
  const auto invited = static_cast<std::int64_t>(
      std::ceil(server.over_selection * static_cast<double>(server.participants)));
  return fmt::format("synchronous, {} of {}", server.participants, std::min(invited, clients));
}

// What the planner chose: by tier, or for devices one by one.
std::vector<std::string> chosen_plans(const FederationSetup& setup) {
  std::vector<std::string> lines;
  if (setup.planner->choices() == nullptr) return lines;
  const std::vector<Plan>& plans = setup.composition.plans;
  const auto& tiers = setup.devices.tiers;
  if (tiers.empty() || plans.size() > tiers.size()) {
    for (const Plan& plan : plans) lines.push_back(plan.name);
    return lines;
  }
  for (std::size_t t = 0; t < tiers.size(); ++t) {
    lines.push_back(tiers[t].first + ": " + plans[setup.planner->plan_of_tier(t)].name);
  }
  return lines;
}

}  // namespace

RunInfo run_info(const Scenario& s, const FederationSetup& setup) {
  RunInfo info;
  info.name = s.name;
  info.seed = setup.seed;
  if (setup.has_model()) {
    info.model = s.model.checkpoint ? s.model.checkpoint->written : s.model.architecture.name;
    info.parameters = static_cast<std::int64_t>(setup.composition.models[0]->layout()->size);
    info.model_config = setup.composition.models[0]->config_json();
  }
  info.protocol = protocol_text(setup.server, setup.composition.clients);
  info.rounds = static_cast<std::uint32_t>(setup.server.rounds);
  info.heuristics = setup.composition.heuristic;
  info.neutral_defaults = s.neutral_defaults;
  if (setup.has_model()) info.plans = chosen_plans(setup);
  if (!setup.server.stop.target.empty()) info.target = setup.server.stop.target.front();
  const auto& plans = setup.composition.plans;
  const bool by_plan = std::any_of(plans.begin(), plans.end(), [&](const Plan& p) {
    return p.compresses() || !p.at_end.empty() || p.model != plans.front().model;
  });
  const bool by_prefix = s.compression.distillation.has_value();
  for (const std::string& metric : setup.evaluation.metrics) {
    if (metric != "train_loss" || by_plan || by_prefix) info.metrics.push_back(metric);
  }
  if (std::any_of(plans.begin(), plans.end(), [](const Plan& p) { return !p.at_end.empty(); })) {
    info.metrics.emplace_back("model_bytes");
  }
  if (std::any_of(plans.begin(), plans.end(), [](const Plan& p) {
        return p.optimizer != nullptr && p.optimizer->notes_contraction();
      })) {
    info.metrics.emplace_back("contraction");
  }
  if (setup.has_model()) {
    for (const std::string& figure : setup.method->figure_names()) info.metrics.push_back(figure);
  }
  info.device_classes = setup.devices.catalogue->class_names();
  for (std::size_t i = 0; i < setup.devices.fleet->size(); ++i) {
    info.class_of_device.push_back(setup.devices.fleet->class_of(i));
  }
  for (const auto& [tier, ram] : setup.devices.tiers) info.tiers.push_back(tier);
  info.keep_attempts = s.record.attempts;
  info.keep_layers = s.record.layers;
  for (const auto& model : setup.composition.models) {
    for (const Slice& slice : model->layout()->slices) {
      if (info.keep_layers && slice.is_matrix()) info.layers.push_back(layer_of(slice));
    }
  }
  info.provenance = provenance(s);
  return info;
}

}  // namespace skiff::cli
