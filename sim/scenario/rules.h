// Rules across keys: what no single key can say. They look at the tree itself, so that they speak
// even where another part of the scenario could not be read.
#pragma once

#include <optional>
#include <string>

#include "devices/catalogue.h"
#include "sim/scenario/scenario.h"

namespace skiff {

class RuleContext {
 public:
  RuleContext(const Node& top, const Scenario& read, Reader& reader)
      : scenario(read), top_(top), reader_(reader) {}

  // By dotted path; null or empty if it is not there or is no such thing.
  const Node* find(const std::string& path) const;
  bool has(const std::string& path) const { return find(path) != nullptr; }
  std::string word(const std::string& path) const;
  std::optional<double> number(const std::string& path) const;

  // At the value of `path`, or at the nearest map around it.
  void problem(const std::string& path, const std::string& message) const;
  void problem_at_key(const std::string& path, const std::string& message) const;
  void problem_at(const Location& where, const std::string& path, const std::string& m) const;
  void planned(const std::string& path, const std::string& word) const;

  const Scenario& scenario;  // as far as it could be read

 private:
  Location place_of(const std::string& path, bool key) const;

  const Node& top_;
  Reader& reader_;
};

void check_training(const RuleContext& c);
void check_server(const RuleContext& c);
void check_compression(const RuleContext& c);
void check_devices(const RuleContext& c, const Catalogue* catalogue);
void check_evaluation(const RuleContext& c);
void check_sweep(const RuleContext& c);
// Keys and words that this version cannot run yet, outside the registries.
void check_planned_keys(const RuleContext& c);

// A registered method's declared property, or what its object says.
bool method_draws_steps(const RuleContext& c);
bool method_needs_everyone(const RuleContext& c);

}  // namespace skiff
