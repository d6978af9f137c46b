// skiff explain NAME: one algorithm, model, data source, partition or device class in full.

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sim/cli/command.h"
#include "sim/cli/device_text.h"
#include "sim/cli/field_text.h"
#include "sim/cli/table.h"
#include "sim/core/registry.h"
#include "sim/scenario/catalogue_file.h"
#include "sim/scenario/protocol.h"

namespace skiff::cli {
namespace {

std::string text_of(const CatalogueEntry& e) {
  const std::string family = e.about.family.empty() ? e.role : e.about.family;
  std::string text =
      fmt::format("{} ({}): {}. {}\n", e.about.name, family, e.about.summary, e.about.paper);
  if (e.about.planned) text += "  A word of the language that this version cannot run yet.\n";
  TextTable table({"  parameter", "type", "default", "range", "meaning"});
  for (const FieldInfo& f : e.fields) {
    table.add(
        {"  " + f.name, f.type, f.required ? "required" : f.default_text, range_text(f), f.help});
  }
  if (!table.empty()) text += table.aligned();
  if (!e.about.verified.empty()) text += "  verified  " + e.about.verified + "\n";
  if (!e.about.deviates.empty()) text += "  deviates  " + e.about.deviates + "\n";
  return text;
}

nlohmann::json json_of(const CatalogueEntry& e) {
  nlohmann::json fields = nlohmann::json::array();
  for (const FieldInfo& f : e.fields) fields.push_back(field_json(f));
  return {{"name", e.about.name},         {"role", e.role},
          {"summary", e.about.summary},   {"paper", e.about.paper},
          {"verified", e.about.verified}, {"deviates", e.about.deviates},
          {"planned", e.about.planned},   {"parameters", fields}};
}

[[noreturn]] void unknown(const std::string& name, const Catalogue& devices) {
  std::vector<std::string> names = devices.class_names();
  for (const CatalogueEntry& e : catalogue()) names.push_back(e.about.name);
  const std::string near = nearest_word(name, names);
  throw UsageError(fmt::format("explain: \"{}\" unknown{}", name,
                               near.empty() ? "; skiff list algorithms|models|devices|data"
                                            : fmt::format("; did you mean \"{}\"?", near)));
}

}  // namespace

int explain_verb(const std::vector<std::string>& arguments) {
  namespace po = boost::program_options;
  po::options_description options;
  options.add_options()("json", "as JSON");
  po::variables_map given;
  if (!parse(verb_named("explain"), arguments, options, "name", given)) return kOk;
  if (given.count("name") == 0) throw UsageError("explain: which name?");
  register_protocols();
  const auto devices = builtin_catalogue();
  const bool as_json = given.count("json") != 0;
  nlohmann::json all = nlohmann::json::array();
  for (const std::string& name : given["name"].as<std::vector<std::string>>()) {
    bool found = false;
    for (const CatalogueEntry& e : catalogue()) {
      if (e.about.name != name) continue;
      found = true;
      all.push_back(json_of(e));
      if (!as_json) fmt::print("{}", text_of(e));
    }
    if (const DeviceProfile* device = devices->find_class(name)) {
      found = true;
      all.push_back({{"name", name}, {"role", "device"}, {"summary", device->about}});
      if (!as_json) fmt::print("{}", device_text(*device));
    }
    if (!found) unknown(name, *devices);
  }
  if (as_json) fmt::print("{}\n", all.dump(2));
  return kOk;
}

}  // namespace skiff::cli
