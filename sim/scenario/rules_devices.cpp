#include <fmt/format.h>

#include <algorithm>

#include "sim/scenario/rules.h"

namespace skiff {
namespace {

void check_names(const RuleContext& c, const Catalogue& catalogue) {
  const Node* population = c.find("devices.population");
  if (population != nullptr && population->is_map()) {
    for (const Node::Entry& e : population->entries) {
      if (catalogue.find_class(e.key) != nullptr) continue;
      c.problem_at(e.where, "devices.population", catalogue.unknown_class(e.key));
    }
    if (population->entries.empty()) c.problem("devices.population", "names no device class");
  }
  const Node* links = c.find("devices.network.links");
  if (links != nullptr && links->is_map()) {
    for (const Node::Entry& e : links->entries) {
      if (catalogue.find_link(e.key) != nullptr) continue;
      c.problem_at(e.where, "devices.network.links", catalogue.unknown_link(e.key));
    }
    if (links->entries.empty()) c.problem("devices.network.links", "names no link");
  }
}

void check_tiers(const RuleContext& c) {
  const ByName<Bytes>& tiers = c.scenario.devices.tiers;
  for (std::size_t i = 1; i < tiers.size(); ++i) {
    if (tiers[i].second < tiers[i - 1].second) continue;
    c.problem_at_key("devices.tiers." + tiers[i].first,
                     fmt::format("tiers go down: {} needs less RAM than {}", tiers[i].first,
                                 tiers[i - 1].first));
  }
}

}  // namespace

void check_devices(const RuleContext& c, const Catalogue* catalogue) {
  if (catalogue != nullptr) check_names(c, *catalogue);
  check_tiers(c);
  const bool traced = c.word("devices.network.rates") == "trace";
  if (traced != c.has("devices.network.path")) {
    c.problem("devices.network.path",
              traced ? "required by rates: trace" : "belongs to rates: trace; remove it");
  }
  const Distribution& start = c.scenario.devices.battery_start;
  if (start.kind == Distribution::Kind::kLognormal ||
      start.kind == Distribution::Kind::kExponential) {
    c.problem("devices.battery_start",
              "a charge is between 0 and 1; write a value, uniform or list");
  }
}

}  // namespace skiff
