// skiff init NAME: a commented scenario that runs at once. It is read and put together before it
// is written: what the composition rules refuse is told, and no file appears.

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "sim/cli/assemble.h"
#include "sim/cli/command.h"
#include "sim/cli/init_scenario.h"
#include "sim/cli/init_starters.h"
#include "sim/cli/table.h"
#include "sim/core/registry.h"

namespace skiff::cli {
namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;

struct Option {
  const char* name;
  const char* role;
  std::optional<Choice> FirstScenario::*seat;
  const char* help;
};
constexpr Option kOptions[] = {
    {"quantization", "quantization", &FirstScenario::quantization, "4bit, or pv-tuning,bits=3"},
    {"pruning", "pruning", &FirstScenario::pruning, "sparse-proxskip, or wanda,50%"},
    {"lora", "adaptation", &FirstScenario::adaptation, "rank=16, or rac-lora,rank=16"},
    {"optimizer", "optimizer", &FirstScenario::optimizer, "sgd, or adamw,learning_rate=0.001"},
    {"method", "method", &FirstScenario::method, "fedavg, or fedprox,mu=0.1"},
    {"communication", "communication", &FirstScenario::communication, "top-k,density=0.1"},
    {"planner", "planner", &FirstScenario::planner, "who gets which plan: fixed, tiers, adaptive"},
    {"data", "data", &FirstScenario::data, "glyphs, grammar, or text,path=FILE"},
};

po::options_description options_of_init() {
  po::options_description options;
  options.add_options()("model,m", po::value<std::string>(),
                        "an architecture, or a real-size model that devices pay for");
  for (const Option& o : kOptions) {
    options.add_options()(o.name, po::value<std::string>(), o.help);
  }
  options.add_options()("devices,d", po::value<std::string>(),
                        "classes and shares: iphone-15-pro=40%,budget-android=60%")(
      "target-size", po::value<std::string>(), "the largest model that a device may hold: 4GB")(
      "heuristic", po::value<std::string>(),
      "allows a combination without a theory, as its refusal says: optimizer,participation")(
      "list", "the words of every option")("stdout", "prints the scenario, writes no file");
  return options;
}

void print_words() {
  TextTable table({"option", "words"});
  for (const Option& o : kOptions) {
    std::string words;
    for (const CatalogueEntry& entry : catalogue()) {
      if (entry.about.planned || (entry.role != o.role && entry.about.family != o.role)) continue;
      words += (words.empty() ? "" : " ") + entry.about.name;
    }
    table.add({std::string("--") + o.name, words});
  }
  fmt::print(
      "{}\nskiff list models and skiff list devices say the words of --model and --devices; "
      "skiff explain NAME\nsays what each does, and its keys\n",
      table.aligned());
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    words.push_back(text.substr(at, comma - at));
    at = comma + 1;
  }
  return words;
}

FirstScenario asked_of(const po::variables_map& given, const std::vector<std::string>& arguments) {
  const std::vector<std::string> names = words_of(given, "name");
  if (names.size() != 1) throw UsageError("init: one name, of the scenario that is written");
  FirstScenario asked;
  asked.name = names[0].ends_with(".yaml") ? names[0].substr(0, names[0].size() - 5) : names[0];
  asked.command = "skiff init";
  for (const std::string& word : arguments) {
    if (word.find_first_of("\n\r") != std::string::npos) throw UsageError("init: a broken line");
    asked.command += " " + word;
  }
  if (given.count("model") != 0) asked.model = given["model"].as<std::string>();
  for (const Option& o : kOptions) {
    if (given.count(o.name) == 0) continue;
    asked.*o.seat = read_choice(o.name, given[o.name].as<std::string>());
  }
  if (given.count("devices") != 0) asked.devices = split(given["devices"].as<std::string>());
  if (given.count("target-size") != 0) asked.target_size = given["target-size"].as<std::string>();
  if (given.count("heuristic") != 0) asked.heuristic = split(given["heuristic"].as<std::string>());
  return asked;
}

void write_new(const std::string& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary);
  out << text;
  out.close();
  if (!out) throw UsageError("init: " + file + " cannot be written");
}

}  // namespace

int init_verb(const std::vector<std::string>& arguments) {
  po::variables_map given;
  if (!parse(verb_named("init"), arguments, options_of_init(), "name", given)) return kOk;
  if (given.count("list") != 0) {
    print_words();
    return kOk;
  }
  const FirstScenario asked = asked_of(given, arguments);
  const std::string file = asked.name + ".yaml";
  const bool prints = given.count("stdout") != 0;
  if (!prints && fs::exists(file)) {
    throw UsageError("init: " + file + " is there already; choose another name or move it");
  }
  const std::string text = first_scenario(asked);
  try {
    assemble(parse_scenario(text, file));
  } catch (const ScenarioError&) {
    fmt::print(stderr, "skiff: init: this does not go together, so no file is written:\n");
    throw;
  }
  if (prints) {
    fmt::print("{}", text);
    return kOk;
  }
  write_new(file, text);
  fmt::print("{}: written; next: skiff run {}\n", file, file);
  return kOk;
}

}  // namespace skiff::cli
