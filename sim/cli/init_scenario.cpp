#include "sim/cli/init_scenario.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "algorithms/compressor.h"
#include "algorithms/federated_method.h"
#include "algorithms/models/real_size.h"
#include "sim/cli/command.h"
#include "sim/cli/init_starters.h"
#include "sim/core/registry.h"

namespace skiff::cli {
namespace {

std::string flow(const Choice& choice, const char* key_of_name = "name") {
  std::string text = fmt::format("{{{}: {}", key_of_name, choice.name);
  for (const auto& [key, value] : choice.keys) text += fmt::format(", {}: {}", key, value);
  return text + "}";
}

// The small model that trains, and the real-size one that devices pay for.
struct Model {
  std::string architecture, deploy_as;
  bool text() const {
    return architecture == "llama" || architecture == "cifg-lstm" || architecture == "bert";
  }
};

Model model_of(const std::string& word) {
  if (word.empty()) return {"llama", ""};
  if (is_word("model", word)) return {word, ""};
  const KnownModel* known = find_known_model(word);
  if (known == nullptr) throw UsageError(unknown_word("model", word));
  const std::string family = parse_hf_config(known->name, known->config).family;
  const bool encoder = family == "bert" || family == "distilbert" || family == "mobilebert";
  if (encoder) return {"bert", word};
  return {family == "vit" || family == "cifg-lstm" ? family : "llama", word};
}

std::string model_text(const Model& m) {
  const bool sized = m.architecture != "mlp" && m.architecture != "logistic-regression";
  const std::string preset =
      m.architecture == "cnn" || m.architecture == "resnet" ? "small" : "tiny";
  std::string text = "{architecture: " + m.architecture;
  if (m.architecture == "mlp") text += ", hidden: [200, 200]";
  if (sized) text += ", preset: " + preset;
  if (!m.deploy_as.empty()) text += ", deploy_as: " + m.deploy_as;
  return text + "}";
}

std::string model_comment(const Model& m) {
  if (m.deploy_as.empty()) return "What is trained for real, and what devices pay for.";
  return "A small model of the same kind is trained for real; devices are charged the memory, time "
         "and\n# bytes of " +
         m.deploy_as + ".";
}

struct Seats {
  Model model;
  bool everyone = false, draws_steps = false, prunes_itself = false, calibrates = false;
};

// Null if something about it is wrong: the loader says what, with its place.
template <class Role>
std::shared_ptr<const Role> made(const std::optional<Choice>& choice) {
  if (!choice) return nullptr;
  Node map;
  map.set(Role::kKey, Node::scalar(choice->name));
  for (const auto& [key, value] : choice->keys) map.set(key, Node::scalar(value));
  Reader reader;
  return Registry<Role>::instance().make(map, reader, {"at", "rest"});
}

// sparse-proxskip and its like stand where users seek them, among pruners, and are methods.
bool seat_pruning(FirstScenario& asked) {
  if (!asked.pruning || !is_word("method", asked.pruning->name)) return false;
  if (asked.method) {
    throw UsageError(
        fmt::format("init: --pruning {} decides local steps and averaging, as --method "
                    "{} does: one of them",
                    asked.pruning->name, asked.method->name));
  }
  asked.method.swap(asked.pruning);
  return true;
}

Seats seats_of(const FirstScenario& asked, bool pruner_is_method) {
  Seats seats;
  seats.model = model_of(asked.model);
  for (const auto* seat : {&asked.quantization, &asked.pruning}) {
    const auto compressor = made<Compressor>(*seat);
    seats.calibrates |= compressor != nullptr && compressor->uses_calibration();
  }
  seats.prunes_itself = pruner_is_method || (asked.method && asked.method->has("sparsity"));
  const auto method = made<FederatedMethod>(asked.method);
  if (method == nullptr) return seats;
  seats.everyone = method->needs_everyone();
  seats.draws_steps = method->draws_steps();
  return seats;
}

bool varies_ranks(const FirstScenario& asked) {
  return asked.adaptation && asked.planner && asked.planner->name != "fixed";
}

// Fills the keys that choices need; answers what follows from them.
Seats fill_choices(FirstScenario& asked) {
  if (asked.quantization && asked.quantization->name.empty()) asked.quantization->name = "higgs";
  if (asked.adaptation && asked.adaptation->name.empty()) asked.adaptation->name = "lora";
  if (asked.adaptation) {  // before the starters: it follows the rank
    asked.adaptation->add("rank", "8");
    for (const auto& [key, value] : std::vector(asked.adaptation->keys)) {
      if (key == "rank") asked.adaptation->add("alpha", value);
    }
  }
  if (varies_ranks(asked) && asked.adaptation->name == "lora") {
    asked.adaptation->add("aggregation", "flexlora");  // of unequal ranks
  }
  const bool pruner_is_method = seat_pruning(asked);
  const Model model = model_of(asked.model);
  add_starters("method", "--method", asked.method);
  const auto method = made<FederatedMethod>(asked.method);
  const bool plain = method != nullptr && method->needs_plain_sgd();
  const bool deep =
      model.architecture == "bert" || model.architecture == "vit" || model.architecture == "resnet";
  if (!asked.optimizer) asked.optimizer = Choice{deep && !plain ? "adamw" : "sgd", {}};
  asked.optimizer->add("learning_rate", starting_rate(asked.optimizer->name, model.architecture,
                                                      asked.adaptation.has_value()));
  add_starters("quantization", "--quantization", asked.quantization);
  add_starters("pruning", "--pruning", asked.pruning);
  add_starters("adaptation", "--lora", asked.adaptation);
  add_starters("optimizer", "--optimizer", asked.optimizer);
  add_starters("communication", "--communication", asked.communication);
  return seats_of(asked, pruner_is_method);
}

std::string data_text(FirstScenario& asked, const Seats& seats) {
  const bool own = asked.data.has_value();
  if (!own) asked.data = Choice{seats.model.text() ? "grammar" : "glyphs", {}};
  Choice& data = *asked.data;
  if (!own && seats.model.architecture == "bert") data.add("objective", "topic");
  add_starters("data", "--data", asked.data);
  const bool users = data.name == "grammar" || data.name == "text" || data.name == "tff" ||
                     data.name == "leaf" || data.name == "synthetic";
  const bool generated = data.name == "grammar" || data.name == "glyphs";
  if (generated) data.add("clients", seats.everyone ? "20" : "40");
  if (generated) data.add("samples_per_client", data.name == "glyphs" ? "100" : "40");
  if (!generated && !users) data.add("clients", "20");
  if (seats.calibrates) data.add("server_samples", "64");
  std::string text = flow(data, "source");
  text.pop_back();
  return text + (users ? ", partition: {scheme: natural}}"
                       : ", partition: {scheme: dirichlet, alpha: 0.3}}");
}

std::string devices_text(const FirstScenario& asked, bool tiers) {
  std::string population;
  for (const std::string& word : asked.devices) {
    const std::size_t equals = word.find('=');
    population += fmt::format("{}{}: {}", population.empty() ? "" : ", ", word.substr(0, equals),
                              equals == std::string::npos ? "1" : word.substr(equals + 1));
  }
  if (population.empty()) {
    population = tiers ? "iphone-15-pro: 40%, budget-android: 40%, android-go: 20%"
                       : "iphone-15-pro: 30%, pixel-8-pro: 40%, budget-android: 30%";
  }
  std::string text = "{population: {" + population + "}";
  if (tiers) text += ", tiers: {high-end: 8 GB, mid-range: 4 GB, low-end: 2 GB}";
  return text + "}";
}

// The usual table by RAM, of the words that something here obeys.
std::string tiers_text(const FirstScenario& asked, const Seats& seats) {
  struct Row {
    const char *tier, *bits, *sparsity, *rank;
  };
  std::string text = "{name: tiers, plans: {";
  for (const Row& row : {Row{"high-end", "8", "0.3", "32"}, Row{"mid-range", "4", "0.6", "16"},
                         Row{"low-end", "4", "0.8", "8"}}) {
    std::string plan;
    const auto add = [&](bool obeyed, const char* key, const char* value) {
      if (obeyed) plan += fmt::format("{}{}: {}", plan.empty() ? "" : ", ", key, value);
    };
    add(asked.quantization.has_value(), "bits", row.bits);
    add(asked.pruning.has_value() || seats.prunes_itself, "sparsity", row.sparsity);
    add(asked.adaptation.has_value(), "rank", row.rank);
    if (plan.empty()) {
      throw UsageError(
          "init: --planner tiers varies bits, sparsity and rank by device: add "
          "--quantization, --pruning or --lora");
    }
    text += fmt::format("{}{}: {{{}}}", text.ends_with("{") ? "" : ", ", row.tier, plan);
  }
  return text + "}}";
}

std::string planner_text(const FirstScenario& asked, const Seats& seats) {
  const Choice& planner = *asked.planner;
  if (planner.name == "tiers" && planner.keys.empty()) return tiers_text(asked, seats);
  return flow(planner);
}

std::string compression_text(const FirstScenario& asked, const Seats& seats) {
  std::string text;
  const auto add = [&](const char* comment, const char* key, const std::string& value) {
    text += fmt::format("  # {}\n  {}: {}\n", comment, key, value);
  };
  if (asked.quantization) {
    Choice quantization = *asked.quantization;
    quantization.add("rest", "fp16");
    add("Fewer bits a weight of linear layers; the rest is stored as floats of 16 bits.",
        "quantization", flow(quantization));
  }
  if (asked.pruning)
    add("Fewer weights, before they are quantized.", "pruning", flow(*asked.pruning));
  if (asked.adaptation) {
    add("The weights are frozen; low-rank factors beside them are trained and travel. Here the "
        "frozen\n  # weights are drawn, so factors alone learn little: name trained ones by model: "
        "{checkpoint: FILE}.",
        "adaptation", flow(*asked.adaptation));
  }
  if (asked.communication) {
    add("What the wire carries of an update.", "communication", flow(*asked.communication));
  }
  if (asked.planner) add("Who gets which plan.", "planner", planner_text(asked, seats));
  if (!asked.target_size.empty()) {
    add("The largest model that a device may hold.", "target_size", asked.target_size);
  }
  return text.empty() ? "" : "compression:\n" + text;
}

std::string training_text(const FirstScenario& asked, const Seats& seats) {
  std::string text = "{";
  if (!seats.draws_steps) text += "epochs: 1, ";
  text += fmt::format("batch: 8, optimizer: {}", flow(*asked.optimizer));
  if (asked.method) text += ", method: " + flow(*asked.method);
  if (!asked.heuristic.empty()) {
    text += fmt::format(", heuristic: [{}]", fmt::join(asked.heuristic, ", "));
  }
  return text + "}";
}

std::string server_text(const FirstScenario& asked, const Seats& seats) {
  if (!seats.everyone) return "{protocol: synchronous, participants: 10, rounds: 40}";
  return fmt::format(
      "{{protocol: synchronous, participants: all, weighting: uniform, rounds: 40}}"
      "  # {} needs every client in every round",
      asked.method->name);
}

}  // namespace

std::string first_scenario(FirstScenario asked) {
  const Seats seats = fill_choices(asked);
  const bool tiers = asked.planner && asked.planner->name != "fixed";
  std::string text;
  const auto add = [&](const std::string& comment, const char* key, const std::string& value) {
    text += fmt::format("\n# {}\n{}: {}\n", comment, key, value);
  };
  text = fmt::format(
      "# Written by: {}\n"
      "# Run it: skiff run {}.yaml   every word: skiff explain NAME   any key, for once: --set "
      "training.batch=16\n",
      asked.command, asked.name);
  add("The only source of chance: the same seed gives the same bits.", "seed", "1");
  add("Who holds which samples; built-in sources need no download: skiff list data.", "data",
      data_text(asked, seats));
  add(model_comment(seats.model), "model", model_text(seats.model));
  add("Whose RAM, speed, battery and links count: skiff list devices.", "devices",
      devices_text(asked, tiers));
  add("Rounds: invite, train, average.", "server", server_text(asked, seats));
  add("What a client does in a round: skiff list algorithms --role optimizer, method.", "training",
      training_text(asked, seats));
  const std::string compression = compression_text(asked, seats);
  if (!compression.empty())
    text += "\n# What is smaller on the device and on the wire.\n" + compression;
  add("How often the model is measured, on how many held-out samples.", "evaluation",
      "{every: 5, samples: 400}");
  return text;
}

}  // namespace skiff::cli
