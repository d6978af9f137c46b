#include "sim/scenario/sweep.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <tuple>

#include "sim/core/sha256.h"
#include "sim/scenario/rules.h"
#include "sim/scenario/section_schemas.h"
#include "sim/scenario/tree.h"

namespace skiff {
namespace {

// One setting of a sweep: several keys that change together.
struct Setting {
  std::string label;
  std::vector<Change> changes;
};
using Axis = std::vector<Setting>;

std::string fit_for_folder(std::string text) {
  const auto fine = [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("._=+,-").find(static_cast<char>(c)) != std::string_view::npos;
  };
  for (char& c : text) {
    if (!fine(static_cast<unsigned char>(c))) c = '-';
  }
  return text.empty() || text.front() == '.' ? "_" + text : text;
}

// "top-k-0.1" of {name: top-k, density: 0.1}.
std::string value_label(const Node& value) {
  if (value.is_scalar()) return value.text;
  std::string text;
  const auto add = [&](const Node& node) { text += (text.empty() ? "" : "-") + value_label(node); };
  for (const Node& item : value.items) add(item);
  for (const Node::Entry& entry : value.entries) add(entry.value);
  return text.empty() ? "none" : text;
}

// The last part of a dotted key, with as many before it as tell it from the other keys.
std::map<std::string, std::string> short_keys(const SweepSection& sweep) {
  std::vector<std::string> keys;
  for (const auto* list : {&sweep.grid, &sweep.zip}) {
    for (const auto& [key, values] : *list) keys.push_back(key);
  }
  std::map<std::string, std::string> names;
  for (const std::string& key : keys) {
    std::size_t dot = key.rfind('.');
    const auto ambiguous = [&] {
      return std::count_if(keys.begin(), keys.end(), [&](const std::string& other) {
               return ("." + other).ends_with("." + key.substr(dot + 1));
             }) > 1;
    };
    while (dot != std::string::npos && ambiguous()) {
      dot = dot == 0 ? std::string::npos : key.rfind('.', dot - 1);
    }
    names[key] = dot == std::string::npos ? key : key.substr(dot + 1);
  }
  return names;
}

std::vector<Axis> axes_of(const SweepSection& sweep) {
  std::vector<Axis> axes;
  const auto names = short_keys(sweep);
  const auto label = [&](const std::string& key, const Node& value) {
    return names.at(key) + "=" + value_label(value);
  };
  Axis cases;
  for (const auto& [name, map] : sweep.cases) {
    Setting one{name, {}};
    for (const Node::Entry& e : map.entries) one.changes.push_back({e.key, e.where, e.value});
    cases.push_back(std::move(one));
  }
  if (!cases.empty()) axes.push_back(std::move(cases));
  for (const auto& [key, values] : sweep.grid) {
    Axis axis;
    for (const Node& v : values) axis.push_back({label(key, v), {{key, v.where, v}}});
    axes.push_back(std::move(axis));
  }
  Axis zipped(sweep.zip.empty() ? 0 : sweep.zip.front().second.size());
  for (const auto& [key, values] : sweep.zip) {
    for (std::size_t i = 0; i < zipped.size(); ++i) {
      Setting& row = zipped[i];
      row.label += (row.label.empty() ? "" : ",") + label(key, values[i]);
      row.changes.push_back({key, values[i].where, values[i]});
    }
  }
  if (!zipped.empty()) axes.push_back(std::move(zipped));
  return axes;
}

std::vector<Setting> combinations(const std::vector<Axis>& axes) {
  std::vector<Setting> all{{}};
  for (const Axis& axis : axes) {
    std::vector<Setting> next;
    for (const Setting& before : all) {
      for (const Setting& one : axis) {
        Setting both = before;
        both.label += (both.label.empty() ? "" : ",") + one.label;
        both.changes.insert(both.changes.end(), one.changes.begin(), one.changes.end());
        next.push_back(std::move(both));
      }
    }
    all = std::move(next);
  }
  return all;
}

std::vector<SweepPoint> points_of(const SweepSection& sweep, const Location& where) {
  std::vector<SweepPoint> points;
  std::set<std::string> labels;
  for (const Setting& setting : combinations(axes_of(sweep))) {
    std::string label = setting.label.empty() ? "" : fit_for_folder(setting.label);
    while (!labels.insert(label).second) label += "+";
    const SweepPoint point{label, setting.changes};
    if (sweep.seeds.empty()) points.push_back(point);
    for (const std::int64_t seed : sweep.seeds) {
      points.push_back(point);
      points.back().changes.push_back({"seed", where, Node::scalar(std::to_string(seed), where)});
    }
  }
  return points;
}

}  // namespace

std::vector<SweepPoint> load_sweep(const std::string& file,
                                   const std::vector<std::string>& overrides,
                                   const LoadOptions& options) {
  const Tree tree =
      read_tree(read_scenario_file(file), file, overrides, std::nullopt, options.data_folder);
  Reader reader([&](const Location& where) { return tree.texts.line(where); });
  for (const Problem& p : tree.problems) reader.problem_at(p.where, p.path, p.message);
  Scenario s;
  if (const Node* sweep = tree.top.find("sweep")) {
    const Reader::Scope scope(reader, "sweep");
    schema<SweepSection>().read(*sweep, s.sweep, reader);
  }
  const RuleContext context(tree.top, s, reader);
  check_sweep(context);
  reader.throw_if_any();
  const Node* seeds = context.find("sweep.seeds");
  return points_of(s.sweep, seeds != nullptr ? seeds->where : Location());
}

std::vector<SweepRun> load_sweep_runs(const std::string& file,
                                      const std::vector<std::string>& overrides,
                                      LoadOptions options) {
  std::vector<SweepRun> runs;
  std::vector<Problem> problems;
  std::set<std::tuple<std::string, int, int, std::string>> seen;
  for (SweepPoint& point : load_sweep(file, overrides, options)) {
    options.point = std::move(point.changes);
    try {
      runs.push_back({point.label, load_scenario(file, overrides, options)});
      options.catalogue = runs.back().scenario.catalogue;
    } catch (const ScenarioError& error) {
      for (const Problem& p : error.problems()) {
        if (seen.insert({p.where.file, p.where.line, p.where.column, p.message}).second) {
          problems.push_back(p);
        }
      }
    }
  }
  if (!problems.empty()) throw ScenarioError(std::move(problems));
  return runs;
}

std::string case_digest(const Scenario& run) {
  Node config = run.config;
  config.erase("seed");
  return sha256_hex(to_yaml(config)).substr(0, 8);
}

}  // namespace skiff
