#include "sim/scenario/protocol.h"

#include <algorithm>

#include "sim/scenario/section_schemas.h"

namespace skiff {
namespace {

bool contains(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

const std::vector<ProtocolWords>& protocols() {
  static const std::vector<std::string> rounds{"over_selection", "min_fraction", "deadline",
                                               "select_timeout"};
  static const std::vector<ProtocolWords> all{
      {.name = "synchronous",
       .summary = "rounds: invite, wait for the reports or the deadline, average",
       .paper = "Bonawitz et al. 2019, arXiv:1902.01046",
       .required = {"participants"},
       .optional = rounds},
      {.name = "fedbuff",
       .summary = "clients come and go; a new version after every `buffer` reports",
       .paper = "Nguyen et al. 2022, arXiv:2106.06639",
       .required = {"concurrency", "buffer"},
       .optional = {"staleness", "deadline"},
       .planned = true},
      {.name = "fedasync",
       .summary = "every report makes a new version, mixed in by its staleness",
       .paper = "Xie et al. 2019, arXiv:1903.03934",
       .required = {"concurrency", "mixing"},
       .optional = {"staleness", "deadline"},
       .planned = true},
      {.name = "tifl",
       .summary = "rounds within groups of clients of like latency",
       .paper = "Chai et al. 2020, arXiv:2001.09249",
       .required = {"participants", "latency_tiers", "tier_interval"},
       .optional = rounds,
       .planned = true},
      {.name = "hierarchical",
       .summary = "rounds at edge servers, then one between them",
       .paper = "Liu et al. 2020, arXiv:1905.06641",
       .required = {"participants", "edges", "edge_rounds"},
       .optional = rounds,
       .planned = true},
  };
  return all;
}

bool ProtocolWords::uses(const std::string& key) const {
  return contains(required, key) || contains(optional, key);
}

const ProtocolWords* find_protocol(const std::string& name) {
  const auto& all = protocols();
  const auto it =
      std::find_if(all.begin(), all.end(), [&](const auto& p) { return p.name == name; });
  return it == all.end() ? nullptr : &*it;
}

bool belongs_to_some_protocol(const std::string& key) {
  return std::any_of(protocols().begin(), protocols().end(),
                     [&](const ProtocolWords& p) { return p.uses(key); });
}

void register_protocols() {
  [[maybe_unused]] static const bool once = [] {
    for (const ProtocolWords& p : protocols()) {
      std::vector<FieldInfo> fields;
      for (FieldInfo f : schema<ServerSection>().describe()) {
        if (!p.uses(f.name)) continue;
        f.required = contains(p.required, f.name);
        if (f.required) f.default_text.clear();
        fields.push_back(std::move(f));
      }
      Registry<Protocol>::Entry entry;
      entry.about = {.name = p.name, .summary = p.summary, .paper = p.paper, .planned = p.planned};
      entry.fields = std::move(fields);
      Registry<Protocol>::instance().add(std::move(entry));
    }
    return true;
  }();
}

}  // namespace skiff
