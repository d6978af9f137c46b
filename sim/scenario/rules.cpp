#include "sim/scenario/rules.h"

#include <algorithm>

#include "sim/core/metrics.h"

namespace skiff {

const Node* RuleContext::find(const std::string& path) const {
  const Node* node = &top_;
  std::size_t begin = 0;
  while (node != nullptr && begin <= path.size()) {
    const std::size_t end = std::min(path.find('.', begin), path.size());
    node = node->find(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return node;
}

std::string RuleContext::word(const std::string& path) const {
  const Node* node = find(path);
  return node != nullptr && node->is_scalar() ? node->text : "";
}

std::optional<double> RuleContext::number(const std::string& path) const {
  return parse_number(word(path));
}

Location RuleContext::place_of(const std::string& path, bool key) const {
  const std::size_t dot = path.rfind('.');
  const std::string around = dot == std::string::npos ? "" : path.substr(0, dot);
  const Node* map = around.empty() ? &top_ : find(around);
  if (map == nullptr) return place_of(around, false);
  const std::string last = dot == std::string::npos ? path : path.substr(dot + 1);
  for (const Node::Entry& e : map->entries) {
    if (e.key != last) continue;
    const Location& where = key ? e.where : e.value.where;
    if (!where.file.empty()) return where;  // else a default, which nobody wrote
  }
  return !map->where.file.empty() || around.empty() ? map->where : place_of(around, false);
}

void RuleContext::problem(const std::string& path, const std::string& message) const {
  reader_.problem_at(place_of(path, false), path, message);
}
void RuleContext::problem_at_key(const std::string& path, const std::string& message) const {
  reader_.problem_at(place_of(path, true), path, message);
}
void RuleContext::problem_at(const Location& where, const std::string& path,
                             const std::string& message) const {
  reader_.problem_at(where, path, message);
}
void RuleContext::planned(const std::string& path, const std::string& word) const {
  problem(path, word + " is a word of the language that this version cannot run yet");
}

namespace {

struct PlannedKey {
  const char* path;
  const char* word;  // "" = whatever is written
};

// Take a line out when the version can run it.
constexpr PlannedKey kPlanned[] = {
    {"model.pretrain_epochs", ""},      {"devices.network.rates", "markov"},
    {"devices.network.rates", "trace"}, {"devices.thermal", "true"},
    {"record.events", "true"},
};

bool is_neutral(const std::string& word) { return word == "0" || word == "itself"; }

}  // namespace

void check_planned_keys(const RuleContext& c) {
  for (const PlannedKey& key : kPlanned) {
    const std::string path = key.path;
    const std::string word = c.word(path);
    if (!c.has(path) || is_neutral(word)) continue;
    if (*key.word == '\0') c.planned(path, path.substr(path.rfind('.') + 1));
    if (*key.word != '\0' && word == key.word) c.planned(path, word == "true" ? path : word);
  }
  const Node* require = c.find("devices.require");
  if (require != nullptr && require->is_list() && !require->items.empty()) {
    c.planned("devices.require", "require");
  }
}

void check_evaluation(const RuleContext& c) {
  const Node* metrics = c.find("evaluation.metrics");
  const auto measured = [&](const std::string& name) {
    if (metrics == nullptr || !metrics->is_list()) return false;
    return std::any_of(metrics->items.begin(), metrics->items.end(),
                       [&](const Node& n) { return n.text == name; });
  };
  const Node* target = c.find("server.stop.target");
  for (const Node::Entry& e : target != nullptr ? target->entries : std::vector<Node::Entry>()) {
    const std::string path = "server.stop.target." + e.key;
    const auto& names = metric_names();
    if (std::find(names.begin(), names.end(), e.key) == names.end()) {
      c.problem_at(e.where, path, unknown_key_message(e.key, names));
    } else if (metrics != nullptr && !measured(e.key)) {
      c.problem_at(e.where, path, "is not measured; add it to evaluation.metrics");
    }
  }
  const bool suboptimality = measured("suboptimality") || c.has("server.stop.target.suboptimality");
  if (suboptimality && !c.has("evaluation.optimum")) {
    const bool listed = measured("suboptimality");
    c.problem(listed ? "evaluation.metrics" : "server.stop.target.suboptimality",
              "suboptimality is loss - f*; write f* as evaluation.optimum");
  }
  const Node* models = c.find("evaluation.models");
  for (const Node& model : models != nullptr ? models->items : std::vector<Node>()) {
    if (model.text == "tiers" && !c.has("devices.tiers")) {
      c.problem_at(model.where, "evaluation.models", "tiers needs devices.tiers");
    } else if (model.text == "clients") {
      c.planned("evaluation.models", model.text);
    }
  }
}

}  // namespace skiff
