// skiff list algorithms|models|devices|data: what is there, from the registries and the catalogue.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "algorithms/models/real_size.h"
#include "devices/memory.h"
#include "sim/cli/command.h"
#include "sim/cli/field_text.h"
#include "sim/cli/table.h"
#include "sim/core/registry.h"
#include "sim/scenario/catalogue_file.h"
#include "sim/scenario/protocol.h"

namespace skiff::cli {
namespace {

using nlohmann::json;

const std::vector<std::string> kKinds{"algorithms", "models", "devices", "data"};

std::string family_of(const CatalogueEntry& e) {
  return e.about.family.empty() ? e.role : e.about.family;
}

// Models, data sources, partitions and availabilities are no algorithms.
bool belongs(const CatalogueEntry& e, const std::string& kind) {
  if (kind == "models") return e.role == "model";
  if (kind == "data") return e.role == "data" || e.role == "partition";
  return e.role != "model" && e.role != "data" && e.role != "partition" && e.role != "availability";
}

json to_json(const CatalogueEntry& e) {
  json fields = json::array();
  for (const FieldInfo& f : e.fields) fields.push_back(field_json(f));
  return {{"name", e.about.name},         {"role", e.role},
          {"family", family_of(e)},       {"summary", e.about.summary},
          {"paper", e.about.paper},       {"verified", e.about.verified},
          {"deviates", e.about.deviates}, {"planned", e.about.planned},
          {"parameters", fields}};
}

std::string parameters_of(const CatalogueEntry& e) {
  std::string text;
  for (const FieldInfo& f : e.fields) {
    text += (text.empty() ? "" : " ") + f.name;
    text += f.required ? "!" : f.default_text.empty() ? "" : "=" + f.default_text;
  }
  return text;
}

std::string required_of(const CatalogueEntry& e) {
  std::string text;
  for (const FieldInfo& f : e.fields) {
    if (f.required) text += (text.empty() ? "" : " ") + f.name;
  }
  return text;
}

// Broken between words into lines of at most 80.
std::string wrapped(const std::string& text) {
  std::string out;
  std::size_t column = 0;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (column > 0 && column + 1 + word.size() > 80) out += "\n", column = 0;
    if (column > 0) out += " ", ++column;
    out += word;
    column += word.size();
  }
  return out;
}

// What model.deploy_as takes.
TextTable known_table() {
  TextTable table({"deploy_as", "parameters", "what it is"});
  for (const KnownModel& m : known_models()) {
    table.add(
        {m.name, fmt::format("{:.4g} M", static_cast<double>(m.parameters) / 1e6), m.summary});
  }
  return table;
}

json known_json(const KnownModel& m) {
  return {{"name", m.name},
          {"role", "deploy_as"},
          {"summary", m.summary},
          {"count", m.parameters},
          {"source", m.source}};
}

struct Format {
  bool as_json = false, as_markdown = false;
};

void list_entries(const std::string& kind, const std::string& role, const Format& format) {
  json all = json::array();
  TextTable whole({"name", "role", "parameters", "what it does", "source"});
  std::map<std::string, TextTable> by_family;  // for people: what must be written, and no more
  std::string planned;
  for (const CatalogueEntry& e : catalogue()) {
    if (!belongs(e, kind)) continue;
    if (!role.empty() && role != e.role && role != family_of(e)) continue;
    all.push_back(to_json(e));
    if (e.about.planned) {
      planned += (planned.empty() ? "" : ", ") + e.about.name;
    } else {
      const std::string family = family_of(e);
      whole.add({e.about.name, family, parameters_of(e), e.about.summary, e.about.paper});
      by_family.try_emplace(family, std::vector<std::string>{family, "needs", "what it does"})
          .first->second.add({e.about.name, required_of(e), e.about.summary});
    }
  }
  if (kind == "models" && role.empty()) {
    for (const KnownModel& m : known_models()) all.push_back(known_json(m));
  }
  if (all.empty()) throw UsageError(fmt::format("no {} with role \"{}\"", kind, role));
  if (format.as_json) {
    fmt::print("{}\n", all.dump(2));
    return;
  }
  if (format.as_markdown) {
    fmt::print("{}", whole.markdown());
    if (kind == "models" && role.empty()) fmt::print("\n{}", known_table().markdown());
    return;
  }
  for (const auto& [family, table] : by_family) fmt::print("{}\n", table.aligned());
  if (kind == "models" && role.empty()) fmt::print("{}\n", known_table().aligned());
  fmt::print("skiff explain NAME says the rest: every parameter, its range and its source\n");
  if (!planned.empty()) {
    fmt::print("\n{}\n", wrapped("words that later versions will run: " + planned));
  }
}

void list_devices(const Format& format) {
  const auto devices = builtin_catalogue();
  json all = json::array();
  TextTable table({"name", "RAM", "background", "foreground", "CPU", "battery", "what it is"});
  const auto mega = [](Bytes b) { return fmt::format("{:.0f} MB", as_double(b) / 1e6); };
  for (const DeviceProfile& d : devices->classes()) {
    const double gflops = d.cpu.fp32.value().value.value() / 1e9;
    const std::string battery =
        d.battery ? fmt::format("{:.1f} Wh", d.battery->capacity.value.value() / 3600) : "mains";
    table.add({d.name, mega(d.memory.ram.value), mega(background_memory(d)),
               mega(foreground_memory(d)), fmt::format("{:.4g} GFLOP/s", gflops), battery,
               d.about});
    all.push_back({{"name", d.name},
                   {"about", d.about},
                   {"ram_bytes", d.memory.ram.value.value()},
                   {"background_bytes", background_memory(d).value()},
                   {"foreground_bytes", foreground_memory(d).value()},
                   {"cpu_flops", d.cpu.fp32.value().value.value()}});
  }
  if (format.as_json) {
    fmt::print("{}\n", all.dump(2));
  } else {
    fmt::print("{}", format.as_markdown ? table.markdown() : table.aligned());
  }
}

}  // namespace

int list_verb(const std::vector<std::string>& arguments) {
  namespace po = boost::program_options;
  po::options_description options;
  options.add_options()("role", po::value<std::string>()->default_value(""),
                        "only these: method, optimizer, communication, quantization, ...")(
      "json", "as JSON")("markdown", "as a Markdown table");
  po::variables_map given;
  if (!parse(verb_named("list"), arguments, options, "kind", given)) return kOk;
  const std::vector<std::string> kinds = words_of(given, "kind");
  if (kinds.size() != 1) throw UsageError("list: one of algorithms, models, devices, data");
  if (std::find(kKinds.begin(), kKinds.end(), kinds[0]) == kKinds.end()) {
    const std::string near = nearest_word(kinds[0], kKinds);
    throw UsageError(fmt::format("list: \"{}\" unknown{}", kinds[0],
                                 near.empty() ? "; one of algorithms, models, devices, data"
                                              : fmt::format("; did you mean \"{}\"?", near)));
  }
  register_protocols();
  const Format format{given.count("json") != 0, given.count("markdown") != 0};
  if (kinds[0] == "devices") {
    list_devices(format);
  } else {
    list_entries(kinds[0], given["role"].as<std::string>(), format);
  }
  return kOk;
}

}  // namespace skiff::cli
