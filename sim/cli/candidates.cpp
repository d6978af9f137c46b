#include "sim/cli/candidates.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "algorithms/planning/adaptive.h"
#include "sim/cli/assemble_steps.h"
#include "sim/core/parse_units.h"

namespace skiff {
namespace {

constexpr std::size_t kMostPlans = 5000;

std::vector<Node> words(const std::vector<std::string>& texts) {
  std::vector<Node> nodes;
  for (const std::string& text : texts) nodes.push_back(Node::scalar(text));
  return nodes;
}

std::optional<double> number_at(const Node& map, const char* key) {
  const Node* value = map.find(key);
  return value != nullptr && value->is_scalar() ? parse_number(value->text) : std::nullopt;
}

template <class Role>
bool has_key(const Chosen<Role>& chosen, const std::string& key) {
  const auto* entry = Registry<Role>::instance().find(chosen.name);
  return entry != nullptr && std::any_of(entry->fields.begin(), entry->fields.end(),
                                         [&](const FieldInfo& f) { return f.name == key; });
}

std::vector<Node> usual_bits(const Scenario& s) {
  if (!s.compression.quantization) return {};
  const auto& quantizer = s.compression.quantization->compressor;
  if (!has_key(quantizer, "bits")) return {};
  const auto& planner = dynamic_cast<const Adaptive&>(*s.compression.planner.object);
  if (!planner.params().per_layer) return words({"2", "3", "4", "8"});
  return words({"2", "2.5", "3", "3.5", "4", "5", "6", "8"});
}

// Patterns remove one share only.
std::vector<Node> usual_sparsities(const Scenario& s) {
  if (!s.compression.pruning) return {};
  const Node* structure = s.compression.pruning->compressor.node.find("structure");
  const bool pattern = structure != nullptr && structure->text.find("-of-") != std::string::npos;
  return pattern ? std::vector<Node>() : words({"0", "0.3", "0.5", "0.6", "0.8"});
}

std::vector<Node> usual_ranks(const Scenario& s) {
  if (!s.compression.adaptation) return {};
  const auto& adaptation = s.compression.adaptation->parametrization;
  const std::optional<double> own = number_at(adaptation.node, "rank");
  if (!own || adaptation.object == nullptr || adaptation.object->needs_equal_ranks()) return {};
  std::vector<int> ranks{4, 8, 16, 32, static_cast<int>(*own)};
  std::sort(ranks.begin(), ranks.end());
  ranks.erase(std::unique(ranks.begin(), ranks.end()), ranks.end());
  std::vector<std::string> texts;
  for (const int rank : ranks) texts.push_back(std::to_string(rank));
  return words(texts);
}

// The keys that all optimizers have, as the scenario writes them.
Node relative_of(const Node& own, const char* name) {
  Node map;
  map.kind = Node::Kind::kMap;
  map.set("name", Node::scalar(name));
  for (const char* key : {"learning_rate", "weight_decay", "schedule", "state_limit"}) {
    if (const Node* value = own.find(key)) map.set(key, *value);
  }
  return map;
}

std::vector<Node> usual_optimizers(const Scenario& s) {
  const auto& own = s.training.optimizer;
  if (own.object == nullptr || own.object->client_state() != ClientStatePolicy::kReset) return {};
  std::vector<Node> tried{own.node};
  if (own.name == "adamw") tried.push_back(relative_of(own.node, "adam-8bit"));
  if (own.name == "adamw" || own.name == "adam-8bit") {
    tried.push_back(relative_of(own.node, "microadam"));
  }
  const std::optional<double> momentum = number_at(own.node, "momentum");
  const std::optional<double> rate = number_at(own.node, "learning_rate");
  if (momentum && *momentum > 0 && rate) {
    tried.push_back(relative_of(own.node, "sgd"));
    tried.back().set("learning_rate", Node::scalar(fmt::format("{:.9g}", *rate / (1 - *momentum))));
  }
  return tried.size() > 1 ? tried : std::vector<Node>();
}

// The user's choices, and the usual ones of what he does not mention.
PlanChoices all_choices(const Scenario& s) {
  PlanChoices all = *s.compression.planner.object->choices();
  const auto add = [&](const char* key, std::vector<Node> usual) {
    const bool said =
        std::any_of(all.begin(), all.end(), [&](const auto& c) { return c.first == key; });
    if (!said && !usual.empty()) all.emplace_back(key, std::move(usual));
  };
  add("bits", usual_bits(s));
  add("sparsity", usual_sparsities(s));
  add("rank", usual_ranks(s));
  add("optimizer", usual_optimizers(s));
  add("checkpointing", words({"false", "true"}));
  return all;
}

}  // namespace

std::vector<Node> candidate_rows(const Scenario& s) {
  std::vector<Node> rows(1);
  for (const auto& [key, values] : all_choices(s)) {
    if (values.empty()) refuse(s, "compression.planner.choices", key + " has no values");
    std::vector<Node> longer;
    for (const Node& row : rows) {
      for (const Node& value : values) {
        longer.push_back(row);
        longer.back().set(key, value);
      }
    }
    rows = std::move(longer);
    if (rows.size() > kMostPlans) {
      refuse(s, "compression.planner.choices",
             fmt::format("more than {} combinations; those that you leave out have several values "
                         "each: write one to settle it, such as rank: [8]",
                         kMostPlans));
    }
  }
  return rows;
}

std::string candidate_name(const Node& row) {
  std::vector<std::string> parts;
  for (const Node::Entry& e : row.entries) {
    const Node* name = e.value.find("name");
    const std::string& text = name != nullptr ? name->text : e.value.text;
    if (e.key == "optimizer") {
      parts.push_back(text);
    } else if (e.key == "checkpointing") {
      if (text == "true") parts.push_back(e.key);
    } else {
      parts.push_back(e.key + " " + text);
    }
  }
  return parts.empty() ? "all" : fmt::format("{}", fmt::join(parts, ", "));
}

Node with_rank(const Node& adaptation, const Node& rank) {
  Node map = adaptation;
  map.set("rank", rank);
  const std::optional<double> alpha = number_at(adaptation, "alpha");
  const std::optional<double> before = number_at(adaptation, "rank"), now = number_at(map, "rank");
  if (alpha && before && now && *before > 0 && *now > 0 && *before != *now) {
    map.set("alpha", Node::scalar(fmt::format("{:.9g}", *alpha * *now / *before)));
  }
  return map;
}

Node whole_bits(const Node& bits) {
  const std::optional<double> value = parse_number(bits.text);
  if (!value || *value == std::floor(*value)) return bits;
  return Node::scalar(fmt::format("{}", std::ceil(*value)), bits.where);
}

}  // namespace skiff
