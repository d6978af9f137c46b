#include <fmt/format.h>

#include <limits>

#include "sim/scenario/protocol.h"
#include "sim/scenario/section_schemas.h"

namespace skiff {
namespace {

constexpr double kUnbounded = std::numeric_limits<double>::infinity();

std::vector<std::string> protocol_names() {
  std::vector<std::string> names;
  for (const ProtocolWords& p : protocols()) names.push_back(p.name);
  return names;
}

Schema<StopSection> stop_schema() {
  Schema<StopSection> s;
  s.field("virtual_time", &StopSection::virtual_time, "of the simulated world").above(0).unit("h");
  s.field("upload", &StopSection::upload, "bytes that the fleet sent").above(0).unit("GB");
  s.field("download", &StopSection::download, "bytes that the fleet received").above(0).unit("GB");
  s.field("energy", &StopSection::energy, "that the fleet spent").above(0).unit("kJ");
  s.field("target", &StopSection::target, "a metric reaches this value: {test_accuracy: 97%}")
      .fraction(-kUnbounded, kUnbounded);
  return s;
}

Schema<StalenessSection> staleness_schema() {
  Schema<StalenessSection> s;
  s.field("name", &StalenessSection::name, "how a late version's weight falls")
      .one_of({"constant", "polynomial", "hinge"})
      .required();
  s.field("exponent", &StalenessSection::exponent, "of polynomial: (1 + staleness)^-exponent")
      .above(0);
  return s;
}

void round_fields(Schema<ServerSection>& s) {
  s.field("participants", &ServerSection::participants, "reports wanted a round")
      .at_least(1)
      .or_word("all")
      .no_default();
  s.field("over_selection", &ServerSection::over_selection,
          "invite that many times more, because some do not come back")
      .in(1, 10);
  s.field("min_fraction", &ServerSection::min_fraction, "abandon a round with fewer of its reports")
      .fraction();
  s.field("deadline", &ServerSection::deadline,
          "of a round; a report that ends exactly on time counts")
      .above(0)
      .unit("min")
      .or_word("none");
  s.field("select_timeout", &ServerSection::select_timeout,
          "how long a round may wait for enough devices to be there")
      .above(0)
      .unit("min")
      .or_word("none");
}

void other_fields(Schema<ServerSection>& s) {
  s.field("concurrency", &ServerSection::concurrency, "clients at work at any time").at_least(1);
  s.field("buffer", &ServerSection::buffer, "reports that make a new version").at_least(1);
  s.field("mixing", &ServerSection::mixing, "weight of the newcomer").fraction().above(0);
  s.section("staleness", &ServerSection::staleness, staleness_schema(),
            "how much less a report from an old version counts");
  s.field("latency_tiers", &ServerSection::latency_tiers, "groups of clients by latency")
      .at_least(1);
  s.field("tier_interval", &ServerSection::tier_interval, "rounds between re-weighings")
      .at_least(1);
  s.field("edges", &ServerSection::edges, "edge servers").at_least(1);
  s.field("edge_rounds", &ServerSection::edge_rounds, "rounds at an edge before they meet")
      .at_least(1);
}

// "concurrency and buffer"
std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    text += (i == 0 ? "" : i + 1 == words.size() ? " and " : ", ") + words[i];
  }
  return text;
}

void check_protocol(const ProtocolWords& protocol, const Node& map, Reader& reader) {
  for (const Node::Entry& e : map.entries) {
    if (protocol.uses(e.key) || !belongs_to_some_protocol(e.key)) continue;
    const Reader::Scope scope(reader, e.key);
    reader.problem(e.where, fmt::format("does not belong to protocol {}; it uses {}", protocol.name,
                                        joined(protocol.required)));
  }
  for (const std::string& key : protocol.required) {
    if (map.find(key) != nullptr) continue;
    const Reader::Scope scope(reader, key);
    reader.problem(map.where, fmt::format("required by {}; {}", protocol.name, kMovesResult));
  }
  if (!protocol.planned) return;
  const Reader::Scope scope(reader, Protocol::kKey);
  reader.problem(map.find(Protocol::kKey)->where,
                 protocol.name + " is a word of the language that this version cannot run yet");
}

}  // namespace

template <>
Schema<ServerSection> schema() {
  Schema<ServerSection> s;
  s.field("protocol", &ServerSection::protocol, "when reports are averaged")
      .one_of(protocol_names())
      .required();
  s.field("rounds", &ServerSection::rounds,
          "the horizon in model versions; 0: compress, evaluate, ask all devices who can hold it")
      .at_least(0)
      .required(kMovesResult);
  s.section("stop", &ServerSection::stop, stop_schema(), "end earlier, at the first one met");
  s.field("weighting", &ServerSection::weighting, "weight of a report in the mean")
      .one_of({"by-samples", "uniform"});
  s.field("learning_rate", &ServerSection::learning_rate, "step on the mean update").above(0);
  round_fields(s);
  other_fields(s);
  return s;
}

std::vector<FieldInfo> common_server_fields() {
  std::vector<FieldInfo> fields = schema<ServerSection>().describe();
  std::erase_if(fields, [](const FieldInfo& f) { return belongs_to_some_protocol(f.name); });
  return fields;
}

bool convert(const Node& node, ServerSection& out, const Rules&, Reader& reader) {
  const std::size_t before = reader.problems().size();
  schema<ServerSection>().read(node, out, reader);
  const Node* kind = node.is_map() ? node.find(Protocol::kKey) : nullptr;
  const ProtocolWords* protocol =
      kind != nullptr && kind->is_scalar() ? find_protocol(kind->text) : nullptr;
  if (protocol != nullptr) check_protocol(*protocol, node, reader);
  return reader.problems().size() == before;
}

}  // namespace skiff
