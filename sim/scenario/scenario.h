// A scenario: one YAML file, its base files and overrides, read into typed values.
//
// Everything that is wrong is reported at once: ScenarioError with place, path and reason of up to
// 20 problems. A Scenario is a plain value; loading is not thread-safe, what it returns is
// immutable and may be shared.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "devices/catalogue.h"
#include "sim/scenario/overrides.h"
#include "sim/scenario/sections.h"
#include "sim/scenario/yaml.h"

namespace skiff {

struct Scenario {
  std::string name;       // of the results folder: the file's name unless written
  std::int64_t seed = 0;  // the only source of chance
  DataSection data;
  ModelSection model;
  DevicesSection devices;
  ServerSection server;
  TrainingSection training;
  CompressionSection compression;
  EvaluationSection evaluation;
  RecordSection record;
  SweepSection sweep;

  std::string file;                           // as it was named on the command line
  std::vector<std::string> overrides;         // of --set, as written
  Node config;                                // merged, in the language's order, defaults filled in
  std::string config_yaml;                    // the same as YAML; loading it gives the same hash
  std::string config_sha256;                  // of config_yaml, 64 hex digits
  std::vector<std::string> neutral_defaults;  // in force: "method fedavg", ...

  std::shared_ptr<const Catalogue> catalogue;  // of devices; null if it was not found
  std::shared_ptr<const SourceTexts> texts;    // for the caret of later messages

  // Reports come from all clients, and nothing can lose one: no deadline, no failures.
  bool everyone_takes_part() const;
  // What the assembly of a run finds wrong, with place and source line: throw it.
  ScenarioError error(const std::string& path, const std::string& message) const;
};

struct LoadOptions {
  // Where files are sought after the scenario's folder; empty: $SKIFF_DATA, if that is set.
  std::optional<std::string> data_folder;
  // The built-in device catalogue; empty: $SKIFF_HOME/devices/profiles or ./devices/profiles.
  std::optional<std::string> profiles;
  // That catalogue if it was read already: for many scenarios in a row.
  std::shared_ptr<const Catalogue> catalogue;
  // One point of the file's sweep instead of the sweep.
  std::optional<std::vector<Change>> point;
};

// `overrides`: "server.rounds=3", "+evaluation.metrics=perplexity", "~compression.communication".
Scenario load_scenario(const std::string& file, const std::vector<std::string>& overrides = {},
                       const LoadOptions& options = {});
// The same from text; `file` stands in messages, its folder is where files are sought.
Scenario parse_scenario(const std::string& text, const std::string& file,
                        const std::vector<std::string>& overrides = {},
                        const LoadOptions& options = {});

// The whole key tree, for docs and the JSON Schema.
std::vector<FieldInfo> scenario_fields();

}  // namespace skiff
