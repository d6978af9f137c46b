// skiff fit: does this model fit that device, how, and how fast? `--all`: every model on every
// class of devices. Times and energies are those that runs with model.deploy_as are charged: fp32
// arithmetic on the processor, weights read from DRAM as they are stored when text is written.

#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "sim/cli/command.h"
#include "sim/cli/fit_verdict.h"
#include "sim/cli/table.h"
#include "sim/core/parse_units.h"
#include "sim/core/registry.h"
#include "sim/record/human.h"
#include "sim/scenario/catalogue_file.h"

namespace skiff::cli {
namespace {

namespace po = boost::program_options;
using Json = nlohmann::ordered_json;

Json json_of(const FitPlan& plan, const Verdict& v, const DeviceProfile& device) {
  Json memory;
  for (const MemoryPart& part : v.parts) memory[part.name] = part.bytes.value();
  Json json{{"plan", plan.name},
            {"bits_per_parameter", plan.bits},
            {"fits", v.fits()},
            {"memory", memory},
            {"total", v.total().value()},
            {"limit", v.limit.value()},
            {"system", (v.ram - v.limit).value()},
            {"seconds", v.work.time.value()},
            {"joules", v.work.energy().value()}};
  if (v.tokens_per_second > 0) json["tokens_per_second"] = v.tokens_per_second;
  if (device.battery) json["battery_share"] = v.work.energy() / device.battery->capacity.value;
  return json;
}

std::vector<FitPlan> plans_of(const KnownModel& model, const Asked& asked) {
  return asked.trains ? training_plans(model, asked.tokens, asked.batch)
                      : inference_plans(model, asked.tokens);
}

void print_plans(const KnownModel& model, const DeviceProfile& device, const Asked& asked) {
  const std::vector<FitPlan> plans = plans_of(model, asked);
  fmt::print("{} ({} parameters) on {}: may take {} in the {}{}\n", model.name,
             grouped(static_cast<std::uint64_t>(model.parameters)), device.name,
             human(limit_of(device, asked)), asked.foreground ? "foreground" : "background",
             asked.budget ? ", or the budget" : "");
  TextTable table({"  plan", "bits", "weights", "others", "total", "fits",
                   asked.trains ? "a step" : "a sample", "energy", "battery", "tokens/s"});
  const FitPlan *best = nullptr, *least = nullptr;
  Bytes fewest;
  for (const FitPlan& plan : plans) {
    const Verdict v = judge(plan, device, asked);
    if (best == nullptr && v.fits()) best = &plan;
    if (least == nullptr || v.total() < fewest) least = &plan, fewest = v.total();
    table.add({"  " + plan.name, fmt::format("{:.2f}", plan.bits), human(v.weights()),
               human(v.total() - v.weights()), human(v.total()), v.fits() ? "yes" : "no",
               human(v.work.time), human(v.work.energy()),
               device.battery ? fmt::format("{:.2g} %", 100 * (v.work.energy() /
                                                               device.battery->capacity.value))
                              : "mains",
               v.tokens_per_second > 0 ? fmt::format("{:.3g}", v.tokens_per_second) : ""});
  }
  fmt::print("{}", table.aligned());
  const Verdict v = judge(best != nullptr ? *best : *least, device, asked);
  if (best != nullptr) {
    fmt::print("best: {}\n", best->name);
  } else {
    fmt::print("nothing fits; the least, {}, lacks {}: it needs {}\n", least->name,
               human(v.total() - v.limit), human(v.total()));
  }
  print_memory(v);
}

// The first plan that fits, of every model on every class.
Json all_pairs(const Catalogue& devices, const Asked& asked) {
  Json rows = Json::array();
  for (const KnownModel& model : known_models()) {
    const std::vector<FitPlan> plans = plans_of(model, asked);
    for (const DeviceProfile& device : devices.classes()) {
      Json row{{"model", model.name}, {"device", device.name}, {"plan", nullptr}};
      for (const FitPlan& plan : plans) {
        const Verdict v = judge(plan, device, asked);
        if (!v.fits()) continue;
        row.update(json_of(plan, v, device));
        break;
      }
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

void print_all(const Json& rows, const Catalogue& devices) {
  std::vector<std::string> header{"device"};
  for (const KnownModel& model : known_models()) header.push_back(model.name);
  TextTable table(header);
  for (const DeviceProfile& device : devices.classes()) {
    std::vector<std::string> cells{device.name};
    for (const Json& row : rows) {
      if (row["device"] != device.name) continue;
      cells.push_back(row["plan"].is_null() ? "-" : row["plan"].get<std::string>());
    }
    table.add(cells);
  }
  fmt::print("{}", table.aligned());
}

Asked asked_of(const po::variables_map& given) {
  Asked asked;
  asked.trains = given.count("train") != 0;
  if (asked.trains && given.count("infer") != 0) throw UsageError("fit: --train or --infer?");
  const std::string memory = given["memory"].as<std::string>();
  if (memory != "foreground" && memory != "background") {
    throw UsageError("fit: --memory foreground or background");
  }
  asked.foreground = memory == "foreground";
  asked.tokens = given["tokens"].as<int>();
  asked.batch = asked.trains ? given["batch"].as<int>() : 1;
  if (asked.tokens < 1 || asked.batch < 1) throw UsageError("fit: --tokens and --batch from 1 on");
  if (given.count("budget") != 0) {
    const Measure bytes = parse_measure(given["budget"].as<std::string>(), Dimension::kBytes, "GB");
    if (!bytes.problem.empty()) throw UsageError("fit: --budget: " + bytes.problem);
    if (bytes.value <= 0) throw UsageError("fit: --budget: must be above 0");
    asked.budget = Bytes(static_cast<std::int64_t>(bytes.value));
  }
  return asked;
}

const KnownModel& model_named(const std::string& name) {
  if (const KnownModel* model = find_known_model(name)) return *model;
  std::vector<std::string> names;
  for (const KnownModel& m : known_models()) names.push_back(m.name);
  const std::string near = nearest_word(name, names);
  throw UsageError(fmt::format("fit: model \"{}\" unknown{}; skiff list models", name,
                               near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near)));
}

}  // namespace

int fit_verb(const std::vector<std::string>& arguments) {
  po::options_description options;
  options.add_options()("model,m", po::value<std::string>(), "a name of `skiff list models`")(
      "device,d", po::value<std::string>(), "a class of `skiff list devices`")(
      "all", "every model on every class: the best plan that fits")(
      "infer", "predicting (default)")("train", "a training step")(
      "budget", po::value<std::string>(), "the most that it may take, such as 2GB")(
      "memory", po::value<std::string>()->default_value("foreground"),
      "whose share of the RAM it gets: foreground or background")(
      "tokens", po::value<int>()->default_value(128), "of a sample of text")(
      "batch", po::value<int>()->default_value(1), "samples of a training step")("json", "as JSON");
  po::variables_map given;
  if (!parse(verb_named("fit"), arguments, options, "", given)) return kOk;
  const Asked asked = asked_of(given);
  const bool as_json = given.count("json") != 0, all = given.count("all") != 0;
  const auto devices = builtin_catalogue();
  if (all) {
    if (given.count("model") + given.count("device") != 0) {
      throw UsageError("fit: --all takes every model and device; leave --model and --device out");
    }
    const Json rows = all_pairs(*devices, asked);
    if (as_json) {
      std::cout << rows.dump(1) << "\n";
    } else {
      print_all(rows, *devices);
    }
    return kOk;
  }
  if (given.count("model") == 0 || given.count("device") == 0) {
    throw UsageError("fit: which --model on which --device? or --all");
  }
  const KnownModel& model = model_named(given["model"].as<std::string>());
  const std::int64_t most = inference_plans(model, asked.tokens).front().tokens;
  if (most > 0 && most < asked.tokens) {
    throw UsageError(fmt::format("fit: --tokens: {} reads at most {}", model.name, most));
  }
  const std::string name = given["device"].as<std::string>();
  const DeviceProfile* device = devices->find_class(name);
  if (device == nullptr) throw UsageError("fit: " + devices->unknown_class(name));
  if (!as_json) {
    print_plans(model, *device, asked);
    return kOk;
  }
  Json rows = Json::array();
  for (const FitPlan& plan : plans_of(model, asked)) {
    rows.push_back(json_of(plan, judge(plan, *device, asked), *device));
  }
  std::cout << rows.dump(1) << "\n";
  return kOk;
}

}  // namespace skiff::cli
