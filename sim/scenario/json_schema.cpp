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
std::string measure_pattern(const std::string& units) {
  return "^[+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]+)? *(" + units + ")$";
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

// A bound of numbers written bare; in a unit it would depend on the unit.
void bound(Json& json, const Rules& rules) {
  if (std::isfinite(rules.least)) {
    json[rules.above ? "exclusiveMinimum" : "minimum"] = rules.least;
  }
  if (std::isfinite(rules.most)) json["maximum"] = rules.most;
}

Json number(const char* type, const Rules& rules) {
  Json json{{"type", type}};
  bound(json, rules);
  return json;
}

Json percent() { return {{"type", "string"}, {"pattern", "^[-+]?[0-9]+[.]?[0-9]*%$"}}; }

Json word(const Rules& rules) {
  if (rules.words.empty()) return {{"type", "string"}};
  return {{"enum", rules.words}};
}

Json value_of_type(const std::string& type, const Rules& rules);

Json distribution(const std::string& of, const Rules& rules) {
  Rules value = rules;
  const Json one = value_of_type(of, value);
  const auto law = [](const char* name, Json parameters) {
    return Json{{"type", "object"},
                {"properties", {{name, std::move(parameters)}}},
                {"required", Json::array({name})},
                {"additionalProperties", false}};
  };
  const auto map = [](Json properties, std::vector<std::string> required) {
    return Json{{"type", "object"},
                {"properties", std::move(properties)},
                {"required", std::move(required)},
                {"additionalProperties", false}};
  };
  const Json positive{{"type", "number"}, {"minimum", 0}};
  return {{"anyOf",
           {one, law("lognormal", map({{"median", one}, {"sigma", positive}}, {"median", "sigma"})),
            law("exponential", map({{"mean", one}}, {"mean"})),
            law("uniform", {{"type", "array"}, {"items", one}, {"minItems", 2}, {"maxItems", 2}}),
            law("list", {{"type", "array"}, {"items", one}, {"minItems", 1}})}}};
}

Json value_of_type(const std::string& type, const Rules& rules) {
  if (type == "int") return number("integer", rules);
  if (type == "number") return number("number", rules);
  if (type == "fraction") return {{"anyOf", {number("number", rules), percent()}}};
  if (type == "bool") return {{"type", "boolean"}};
  if (type == "word") return word(rules);
  if (type == "file") return {{"type", "string"}};
  if (type == "memory limit") {
    return {{"anyOf",
             {Json{{"enum", Json::array({"background", "foreground"})}}, percent(),
              Json{{"type", "number"}, {"exclusiveMinimum", 0}, {"maximum", 1}},
              Json{{"type", "string"}, {"pattern", measure_pattern(units_of("bytes"))}}}}};
  }
  if (type == "layers") {
    return {{"anyOf",
             {Json{{"const", "linear"}},
              Json{{"type", "array"}, {"items", {{"type", "string"}}}, {"minItems", 1}}}}};
  }
  if (!units_of(type).empty()) {
    return {{"type", "string"}, {"pattern", measure_pattern(units_of(type))}};
  }
  if (type == "dist") return distribution(rules.fraction ? "fraction" : "number", rules);
  if (type.starts_with("dist of ")) return distribution(type.substr(8), rules);
  if (type.starts_with("list of ")) {
    return {{"type", "array"}, {"items", value_of_type(type.substr(8), rules)}};
  }
  if (type.starts_with("map of ")) {
    return {{"type", "object"}, {"additionalProperties", value_of_type(type.substr(7), rules)}};
  }
  if (type == "map") return {{"type", "object"}};
  return Json::object();  // any
}

Json schema_of(const FieldInfo& field);

void add_properties(Json& object, const std::vector<FieldInfo>& fields) {
  for (const FieldInfo& f : fields) {
    if (object["properties"].contains(f.name)) continue;  // common to all kinds, and the kind's own
    object["properties"][f.name] = schema_of(f);
    if (f.required) object["required"].push_back(f.name);
  }
}

Json map_of(const std::vector<FieldInfo>& fields) {
  Json object{{"type", "object"}, {"properties", Json::object()}};
  add_properties(object, fields);
  object["additionalProperties"] = false;
  return object;
}

Json kind_of(const std::string& key, const CatalogueEntry& entry,
             const std::vector<FieldInfo>& common) {
  std::string about = entry.about.summary;
  if (entry.about.planned) about += " (this version cannot run it yet)";
  Json object{{"title", entry.about.name}, {"description", about}, {"type", "object"}};
  object["properties"][key] = {{"const", entry.about.name}, {"description", about}};
  object["required"].push_back(key);
  add_properties(object, entry.fields);
  add_properties(object, common);
  object["additionalProperties"] = false;
  return object;
}

Json choice_of(const FieldInfo& field) {
  const std::string key = opening_key(field.role);
  Json kinds = Json::array();
  for (const CatalogueEntry& entry : catalogue()) {
    if (is_kind_of(entry, field.role)) kinds.push_back(kind_of(key, entry, field.children));
  }
  if (field.role == "model") {
    Json checkpoint = map_of(field.children);
    checkpoint["title"] = "checkpoint";
    checkpoint["required"].push_back("checkpoint");
    for (Json& kind : kinds) kind["properties"].erase("checkpoint");
    kinds.push_back(std::move(checkpoint));
  }
  return {{"oneOf", std::move(kinds)}};
}

Json schema_of(const FieldInfo& field) {
  Json json;
  if (field.type == "choice") {
    json = choice_of(field);
  } else if (field.type == "map" && !field.children.empty()) {
    json = map_of(field.children);
  } else {
    json = value_of_type(field.type, field.rules);
  }
  if (!field.rules.none_word.empty()) {
    json = {{"anyOf", {Json{{"const", field.rules.none_word}}, std::move(json)}}};
  }
  // A scenario that extends another may remove any key by null.
  json = {{"anyOf", {std::move(json), Json{{"type", "null"}}}}};
  std::string help = field.help;
  if (!field.default_text.empty()) help += ". Default: " + field.default_text;
  if (!help.empty()) json["description"] = help;
  return json;
}

// A file that extends another writes only what differs: nothing is required of it.
void forget_required(Json& json) {
  if (json.is_object()) {
    if (json.contains("oneOf")) {  // without the opening key a map may fit many kinds
      json["anyOf"] = std::move(json["oneOf"]);
      json.erase("oneOf");
    }
    if (json.contains("required") && json["required"].is_array()) json.erase("required");
  }
  if (!json.is_structured()) return;
  for (Json& inner : json) forget_required(inner);
}

}  // namespace

std::string json_schema() {
  std::vector<FieldInfo> fields = scenario_fields();
  Json whole = map_of(fields);
  Json part = whole;
  for (auto& [name, property] : part["properties"].items()) forget_required(property);
  part.erase("required");
  part["properties"]["extends"] = {{"type", "string"}, {"description", "start from that scenario"}};
  part["required"] = Json::array({"extends"});
  Json schema{{"$schema", "http://json-schema.org/draft-07/schema#"},
              {"title", "skiff scenario"},
              {"description", "One federated run: data, model, devices, server, training."}};
  schema["if"] = {{"required", Json::array({"extends"})}};
  schema["then"] = std::move(part);
  schema["else"] = std::move(whole);
  return schema.dump(1) + "\n";
}

}  // namespace skiff
