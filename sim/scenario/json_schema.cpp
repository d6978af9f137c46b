#include "sim/scenario/json_schema.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "sim/core/registry.h"
#include "sim/scenario/defaults.h"
#include "sim/scenario/scenario.h"

namespace skiff {
namespace {

using Json = nlohmann::ordered_json;

// A number and a unit: "8 GiB". `units`: alternatives of a regular expression.
Json measure(const std::string& units) {
  return {{"type", "string"},
          {"pattern", "^[+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]+)? *(" + units + ")$"}};
}

std::string units_of(const std::string& type) {
  if (type == "bytes") return "[kMGT]?B|[KMGT]iB";
  if (type == "rate") return "[kMG]?bps|[kMG]?B/s|[KMG]iB/s";
  if (type == "time") return "ns|us|ms|s|min|h|d";
  if (type == "energy") return "[mkM]?J|k?Wh";
  if (type == "power") return "[mu]?W";
  if (type == "per time") return "/s|/min|/h|/d";
  if (type == "speed") return "[MGT]?FLOP/s|[GT]OP/s";
  return "";
}

// Bounds hold for numbers written bare; beside a unit they would depend on the unit.
Json number(const char* type, const Rules& rules) {
  Json json{{"type", type}};
  if (std::isfinite(rules.least)) json[rules.above ? "exclusiveMinimum" : "minimum"] = rules.least;
  if (std::isfinite(rules.most)) json["maximum"] = rules.most;
  return json;
}

Json any_of(std::vector<Json> all) { return {{"anyOf", std::move(all)}}; }

Json percent() { return {{"type", "string"}, {"pattern", "^[-+]?[0-9]+[.]?[0-9]*%$"}}; }

Json map_with(Json properties, const std::vector<std::string>& required) {
  Json json{{"type", "object"}, {"properties", std::move(properties)}};
  if (!required.empty()) json["required"] = required;
  json["additionalProperties"] = false;
  return json;
}

Json list_of(Json item, int least) {
  return {{"type", "array"}, {"items", std::move(item)}, {"minItems", least}};
}

// Writes one half of the schema: whole scenarios, or the parts that a file writes which extends
// another: there nothing is required, null removes, and a map may leave its kind to the other file.
class Writer {
 public:
  Writer(Json& definitions, bool partial) : definitions_(definitions), partial_(partial) {}

  Json map(const std::vector<FieldInfo>& fields) {
    Json properties = Json::object();
    std::vector<std::string> required;
    add(fields, properties, required);
    return map_with(std::move(properties), required);
  }

 private:
  void add(const std::vector<FieldInfo>& fields, Json& properties,
           std::vector<std::string>& required) {
    for (const FieldInfo& f : fields) {
      if (properties.contains(f.name)) continue;  // common to all kinds, and the kind's own
      properties[f.name] = property(f);
      if (f.required && !partial_) required.push_back(f.name);
    }
  }

  Json property(const FieldInfo& field) {
    Json json = value(field);
    if (!field.rules.none_word.empty()) {
      json = any_of({{{"const", field.rules.none_word}}, std::move(json)});
    }
    if (partial_) json = any_of({std::move(json), {{"type", "null"}}});
    if (json.contains("$ref")) json = any_of({std::move(json)});  // what stands beside is ignored
    std::string help = field.help;
    if (!field.default_text.empty()) help += ". Default: " + field.default_text;
    if (!help.empty()) json["description"] = help;
    return json;
  }

  Json value(const FieldInfo& field) {
    if (field.type == "choice") return choice(field);
    if (field.type == "map" && !field.children.empty()) return map(field.children);
    return value_of_type(field.type, field.rules);
  }

  Json reference(const std::string& name, const std::function<Json()>& make) {
    if (!definitions_.contains(name)) {
      definitions_[name] = Json::object();
      Json made = make();
      definitions_[name] = std::move(made);
    }
    return {{"$ref", "#/definitions/" + name}};
  }

  Json value_of_type(const std::string& type, const Rules& rules) {
    if (type == "int") return number("integer", rules);
    if (type == "number") return number("number", rules);
    if (type == "fraction") return any_of({number("number", rules), percent()});
    if (type == "bool") return {{"type", "boolean"}};
    if (type == "file" || type == "word or file") return {{"type", "string"}};
    if (type == "map") return {{"type", "object"}};
    if (type == "memory limit") return memory_limit();
    if (type == "dist") return distribution(rules.fraction ? "fraction" : "number", rules);
    if (type == "layers") {
      return any_of({{{"const", "linear"}}, list_of({{"type", "string"}}, 1)});
    }
    if (type == "word") {
      return rules.words.empty() ? Json{{"type", "string"}} : Json{{"enum", rules.words}};
    }
    if (type.starts_with("dist of ")) {
      const std::string of = type.substr(8);
      return reference("dist-" + of, [&] { return distribution(of, rules); });
    }
    if (type == "map of list of map") {  // values of any kind, which other keys' readers take
      return {{"type", "object"}, {"additionalProperties", {{"type", "array"}}}};
    }
    if (type.starts_with("list of ")) return list_of(value_of_type(type.substr(8), rules), 0);
    if (type.starts_with("map of ")) {
      return {{"type", "object"}, {"additionalProperties", value_of_type(type.substr(7), rules)}};
    }
    const std::string units = units_of(type);
    if (units.empty()) return Json::object();  // any
    return reference(type == "per time" ? "per-time" : type, [&] { return measure(units); });
  }

  Json memory_limit() {
    return any_of({{{"enum", {"background", "foreground"}}},
                   percent(),
                   {{"type", "number"}, {"exclusiveMinimum", 0}, {"maximum", 1}},
                   value_of_type("bytes", {})});
  }

  Json distribution(const std::string& of, const Rules& rules) {
    const Json one = value_of_type(of, rules);
    const auto law = [](const char* name, Json parameters) {
      Json properties;
      properties[name] = std::move(parameters);
      return map_with(std::move(properties), {name});
    };
    const Json sigma{{"type", "number"}, {"minimum", 0}};
    Json range = list_of(one, 2);
    range["maxItems"] = 2;
    return any_of(
        {one, law("lognormal", map_with({{"median", one}, {"sigma", sigma}}, {"median", "sigma"})),
         law("exponential", map_with({{"mean", one}}, {"mean"})), law("uniform", std::move(range)),
         law("list", list_of(one, 1))});
  }

  // One definition a role; the same role may also stand without the section's common keys.
  Json choice(const FieldInfo& field) {
    const std::string name = std::string(partial_ ? "part-of-" : "") + field.role +
                             (field.children.empty() ? "-alone" : "");
    return reference(name, [&] { return partial_ ? all_kinds(field) : one_kind(field); });
  }

  static std::vector<CatalogueEntry> kinds_of(const FieldInfo& field) {
    std::vector<CatalogueEntry> kinds = catalogue();
    std::erase_if(kinds, [&](const CatalogueEntry& e) { return !is_kind_of(e, field.role); });
    return kinds;
  }

  Json one_kind(const FieldInfo& field) {
    const std::string key = opening_key(field.role);
    std::vector<Json> kinds;
    for (const CatalogueEntry& entry : kinds_of(field)) {
      std::string about = entry.about.summary;
      if (entry.about.planned) about += " (this version cannot run it yet)";
      Json properties;
      properties[key] = {{"const", entry.about.name}, {"description", about}};
      std::vector<std::string> required{key};
      add(entry.fields, properties, required);
      add(field.children, properties, required);
      if (field.role == "model") properties.erase("checkpoint");
      Json kind{{"title", entry.about.name}};
      kind.update(map_with(std::move(properties), required));
      kinds.push_back(std::move(kind));
    }
    if (field.role == "model") {
      Json checkpoint = map(field.children);
      checkpoint["required"].push_back("checkpoint");
      kinds.push_back(std::move(checkpoint));
    }
    return {{"oneOf", std::move(kinds)}};
  }

  Json all_kinds(const FieldInfo& field) {
    Json properties;
    std::vector<std::string> names, required;
    properties[opening_key(field.role)] = Json::object();
    for (const CatalogueEntry& entry : kinds_of(field)) {
      names.push_back(entry.about.name);
      Json own = Json::object();
      add(entry.fields, own, required);
      for (auto& [key, property] : own.items()) {
        const bool differs = properties.contains(key) && properties[key] != property;
        properties[key] = differs ? Json::object() : std::move(property);
      }
    }
    add(field.children, properties, required);
    properties[opening_key(field.role)] = {{"enum", names}};
    return map_with(std::move(properties), {});
  }

  Json& definitions_;
  bool partial_;
};

}  // namespace

std::string json_schema() {
  const std::vector<FieldInfo> fields = scenario_fields();
  Json definitions = Json::object();
  Json whole = Writer(definitions, false).map(fields);
  Json part = Writer(definitions, true).map(fields);
  part["properties"]["extends"] = {{"type", "string"}, {"description", "start from that scenario"}};
  const Json extends = Json::array({"extends"});
  Json schema{{"$schema", "http://json-schema.org/draft-07/schema#"},
              {"title", "skiff scenario"},
              {"description", "One federated run: data, model, devices, server, training."}};
  schema["if"] = {{"required", extends}};
  schema["then"] = std::move(part);
  schema["else"] = std::move(whole);
  schema["definitions"] = std::move(definitions);
  return schema.dump(1) + "\n";
}

}  // namespace skiff
