#include <fmt/format.h>

#include <algorithm>

#include "sim/scenario/rules.h"
#include "sim/scenario/section_schemas.h"

namespace skiff {
namespace {

const Registry<FederatedMethod>::Entry* method_entry(const RuleContext& c) {
  const Node* method = c.find("training.method");
  return Registry<FederatedMethod>::instance().find(
      method == nullptr ? "fedavg" : c.word("training.method.name"));
}

bool method_says(const RuleContext& c, const std::string& property,
                 bool (FederatedMethod::*says)() const) {
  const auto* entry = method_entry(c);
  if (entry == nullptr) return false;
  const auto& properties = entry->about.properties;
  if (std::find(properties.begin(), properties.end(), property) != properties.end()) return true;
  const FederatedMethod* object = c.scenario.training.method.object.get();
  return object != nullptr && (object->*says)();
}

bool allowed_as_heuristic(const RuleContext& c, const std::string& word) {
  const Node* list = c.find("training.heuristic");
  return list != nullptr && std::any_of(list->items.begin(), list->items.end(),
                                        [&](const Node& n) { return n.text == word; });
}

// The parameter that says how often: "communication_probability".
std::string drawn_by(const RuleContext& c) {
  for (const FieldInfo& f : method_entry(c)->fields) {
    if (f.name.find("probability") != std::string::npos) return " (" + f.name + ")";
  }
  return "";
}

void check_local_work(const RuleContext& c) {
  const bool epochs = c.has("training.epochs");
  const bool steps = c.has("training.steps");
  if (method_draws_steps(c)) {
    for (const std::string key : {"epochs", "steps"}) {
      if (!c.has("training." + key)) continue;
      c.problem_at_key("training." + key,
                       fmt::format("{} draws its local steps{}; remove {}",
                                   method_entry(c)->about.name, drawn_by(c), key));
    }
  } else if (epochs && steps) {
    const Node* later = c.find("training.steps");
    c.problem_at(later->where, "training",
                 "epochs and steps both given; one of them says how much local work is done");
  } else if (!epochs && !steps && !c.scenario.training.gives_loads()) {
    c.problem("training.epochs", fmt::format("required, or steps; {}", kMovesResult));
  }
}

void check_presence(const RuleContext& c) {
  const TrainingSection& t = c.scenario.training;
  if (t.gives_loads()) return;
  const std::string hint = t.timing_only() ? "; or give compute_time, download and upload" : "";
  if (!c.has("training.batch")) {
    c.problem("training.batch", fmt::format("required; {}{}", kMovesResult, hint));
  }
  if (!c.has("training.optimizer")) {
    c.problem("training.optimizer",
              "required; write {name: sgd, learning_rate: ...} or another" + hint);
  }
  if (!c.has("model")) {
    c.problem("model", "required; write {architecture: ...}, see skiff list models" + hint);
  }
}

void check_mode(const RuleContext& c) {
  const std::string mode = c.word("training.mode");
  const auto& source = c.scenario.data.source;
  const bool timed_source = source.object != nullptr && source.object->timing_only();
  if (mode != "timing-only") {
    for (const std::string key : {"compute_time", "download", "upload"}) {
      if (!c.has("training." + key)) continue;
      c.problem_at_key("training." + key,
                       "belongs to mode timing-only; in mode real it is computed");
    }
    if (timed_source) {
      c.problem("data.source", fmt::format("{} holds no samples; it needs training.mode: "
                                           "timing-only",
                                           source.name));
    }
    return;
  }
  const Node* target = c.find("server.stop.target");
  if (target != nullptr && !target->entries.empty()) {
    c.problem("server.stop.target", "timing-only computes no metrics; remove target");
  }
}

// What keeps a client from taking part in every round, in words; empty: nothing.
std::string who_is_missing(const RuleContext& c) {
  const auto participants = c.number("server.participants");
  const auto clients = c.number("data.clients");
  if (participants && !(clients && *participants >= *clients)) {
    return fmt::format("participants is {}{}, write all", *participants,
                       clients ? fmt::format(" of {}", *clients) : "");
  }
  const std::string deadline = c.word("server.deadline");
  if (!deadline.empty() && deadline != "none")
    return "server.deadline leaves late ones out, remove it";
  for (const char* rate : {"crash_rate", "interrupt_rate"}) {
    const std::string path = std::string("devices.failures.") + rate;
    const Measure m = parse_measure(c.word(path), Dimension::kHazard);
    if (m.problem.empty() && m.value > 0) return path + " loses some, remove it";
  }
  return "";
}

}  // namespace

bool method_draws_steps(const RuleContext& c) {
  return method_says(c, "draws-steps", &FederatedMethod::draws_steps);
}
bool method_needs_everyone(const RuleContext& c) {
  return method_says(c, "needs-everyone", &FederatedMethod::needs_everyone);
}

void check_training(const RuleContext& c) {
  if (c.has("training") && c.find("training")->is_map()) {
    check_local_work(c);
    check_presence(c);
    check_mode(c);
  }
  if (method_needs_everyone(c) && !allowed_as_heuristic(c, "participation")) {
    const std::string missing = who_is_missing(c);
    if (!missing.empty()) {
      c.problem("training.method",
                fmt::format("{} needs every client in every round; {}, or allow it with "
                            "training.heuristic: [participation]",
                            method_entry(c)->about.name, missing));
    }
  }
  const auto* method = method_entry(c);
  if (method == nullptr || c.has("server.learning_rate")) return;
  const auto& properties = method->about.properties;
  if (std::find(properties.begin(), properties.end(), "server-learning-rate") != properties.end()) {
    c.problem("server.learning_rate",
              fmt::format("required by {}; {}", method->about.name, kMovesResult));
  }
}

}  // namespace skiff
