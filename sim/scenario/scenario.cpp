#include "sim/scenario/scenario.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <tuple>

#include "sim/core/sha256.h"
#include "sim/scenario/catalogue_file.h"
#include "sim/scenario/defaults.h"
#include "sim/scenario/merge.h"
#include "sim/scenario/overrides.h"
#include "sim/scenario/protocol.h"
#include "sim/scenario/rules.h"
#include "sim/scenario/section_schemas.h"
#include "sim/scenario/tree.h"

namespace skiff {
namespace {

namespace fs = std::filesystem;

const Schema<Scenario>& scenario_schema() {
  static const Schema<Scenario> fields = [] {
    Schema<Scenario> s;
    s.field("name", &Scenario::name, "names the results folder; by default the file's name");
    s.field("seed", &Scenario::seed, "the only source of chance: one stream a purpose")
        .in(0, 9223372036854775807.0)
        .required("every run is reproducible, so the seed is written down");
    s.field("data", &Scenario::data, "samples and who holds them")
        .choice(DataSource::kRole, schema<DataSection>().describe())
        .required("write {source: ..., clients: ..., partition: {scheme: ...}}");
    s.field("model", &Scenario::model, "what is trained")
        .choice(ModelFamily::kRole, schema<ModelSection>().describe());
    s.section("devices", &Scenario::devices, schema<DevicesSection>(),
              "who trains, over which "
              "links")
        .required("write {population: {...}}, see skiff list devices");
    s.field("server", &Scenario::server, "who is asked, and how long")
        .choice("protocol", common_server_fields())
        .required("write {protocol: synchronous, participants: ..., rounds: ...}");
    s.section("training", &Scenario::training, schema<TrainingSection>(), "a client's work")
        .required("write {epochs: ..., batch: ..., optimizer: {name: sgd, learning_rate: ...}}");
    s.section("compression", &Scenario::compression, schema<CompressionSection>(),
              "what is made smaller; absent = not done");
    s.section("evaluation", &Scenario::evaluation, schema<EvaluationSection>(), "what is measured");
    s.section("record", &Scenario::record, schema<RecordSection>(),
              "what is kept besides rounds, devices and tiers");
    s.section("sweep", &Scenario::sweep, schema<SweepSection>(), "many runs from one file");
    return s;
  }();
  return fields;
}

// A choice that nobody wrote is in force all the same.
template <class Role>
void make_neutral(Chosen<Role>& chosen, const Node* written, Reader& reader) {
  if (written != nullptr || chosen.object != nullptr) return;
  chosen.object = Registry<Role>::instance().make(chosen.node, reader);
}

void make_neutral_choices(const RuleContext& c, Scenario& s, Reader& reader) {
  make_neutral(s.devices.availability, c.find("devices.availability"), reader);
  make_neutral(s.training.method, c.find("training.method"), reader);
  make_neutral(s.compression.planner, c.find("compression.planner"), reader);
  CommunicationSection& wire = s.compression.communication;
  make_neutral(wire.upload, c.find("compression.communication"), reader);
  make_neutral(wire.download, c.find("compression.communication.download"), reader);
}

void name_scenario(Scenario& s, const RuleContext& c) {
  const auto fine = [](char ch) {
    return std::isalnum(static_cast<unsigned char>(ch)) || ch == '-' || ch == '_' || ch == '.';
  };
  if (s.name.empty()) {
    s.name = fs::path(s.file).stem().string();
    std::replace_if(
        s.name.begin(), s.name.end(), [&](char ch) { return !fine(ch); }, '-');
    if (s.name.empty() || s.name.front() == '.') s.name = "scenario";
  } else if (!std::all_of(s.name.begin(), s.name.end(), fine) || s.name.front() == '.' ||
             s.name.size() > 100) {
    c.problem("name", "names a folder: letters, digits, - _ . and no more than 100 of them");
  }
}

void check_rules(const RuleContext& c, const Catalogue* catalogue) {
  check_training(c);
  check_server(c);
  check_compression(c);
  check_devices(c, catalogue);
  check_evaluation(c);
  check_sweep(c);
  check_planned_keys(c);
}

// In the order of reading: overrides, the scenario's own file, the files that it extends.
void throw_if_any(std::vector<Problem> problems, const std::string& own) {
  if (problems.empty()) return;
  const auto rank = [&](const Problem& p) {
    const int file = p.where.file == kOverrideFile ? 0 : p.where.file == own ? 1 : 2;
    return std::tuple(file, file == 2 ? p.where.file : "", std::abs(p.where.line), p.where.column);
  };
  std::stable_sort(problems.begin(), problems.end(),
                   [&](const Problem& a, const Problem& b) { return rank(a) < rank(b); });
  constexpr std::size_t kMost = 20;
  if (problems.size() > kMost) problems.resize(kMost);
  throw ScenarioError(std::move(problems));
}

Scenario read(Tree tree, const std::string& file, const std::vector<std::string>& overrides,
              const LoadOptions& options) {
  auto texts = std::make_shared<SourceTexts>(std::move(tree.texts));
  Reader reader([texts](const Location& where) { return texts->line(where); }, tree.folders);
  reader.describe_search(tree.searched);
  for (const Problem& p : tree.problems) reader.problem_at(p.where, p.path, p.message);

  Scenario s;
  s.file = file;
  s.overrides = overrides;
  scenario_schema().read(tree.top, s, reader);
  const RuleContext context(tree.top, s, reader);
  name_scenario(s, context);
  const auto& own = s.devices.catalogue;
  s.catalogue = options.catalogue;
  if (s.catalogue == nullptr || own) {
    s.catalogue = read_catalogue(options.profiles.value_or(builtin_catalogue_folder()),
                                 own ? own->path : "", *texts, reader);
  }
  make_neutral_choices(context, s, reader);
  check_rules(context, s.catalogue.get());
  throw_if_any(reader.problems(), file);

  s.neutral_defaults = neutral_defaults(tree.top);
  tree.top.set("name", Node::scalar(s.name));
  s.config = with_defaults(tree.top, scenario_fields());
  s.config_yaml = to_yaml(s.config);
  s.config_sha256 = sha256_hex(s.config_yaml);
  s.texts = std::move(texts);
  return s;
}

}  // namespace

bool Scenario::everyone_takes_part() const {
  const bool all = !server.participants || (data.clients && *server.participants >= *data.clients);
  const FailuresSection& failures = devices.failures;
  return all && !server.deadline && failures.crash_rate.value() == 0 &&
         failures.interrupt_rate.value() == 0;
}

ScenarioError Scenario::error(const std::string& path, const std::string& message) const {
  Reader reader([this](const Location& where) { return texts->line(where); });
  RuleContext(config, *this, reader).problem(path, message);
  std::vector<Problem> problems = reader.problems();
  for (Problem& p : problems) {
    if (p.where.file.empty()) p.where.file = file;
  }
  return ScenarioError(std::move(problems));
}

Scenario load_scenario(const std::string& file, const std::vector<std::string>& overrides,
                       const LoadOptions& options) {
  return parse_scenario(read_scenario_file(file), file, overrides, options);
}

Scenario parse_scenario(const std::string& text, const std::string& file,
                        const std::vector<std::string>& overrides, const LoadOptions& options) {
  register_protocols();
  return read(read_tree(text, file, overrides, options.point, options.data_folder), file, overrides,
              options);
}

std::vector<FieldInfo> scenario_fields() {
  register_protocols();
  return scenario_schema().describe();
}

}  // namespace skiff
