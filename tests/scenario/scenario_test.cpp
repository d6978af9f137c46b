// What a scenario that is fine becomes: typed values, defaults, the written-out configuration.
#include "tests/scenario/scenario_test.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/core/metrics.h"
#include "sim/core/random.h"
#include "sim/scenario/json_schema.h"

namespace skiff {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(Scenario, ResolvesUnits) {
  const Scenario s =
      parse(kGood, {"server.deadline=10 min",
                    ("server.stop={virtual_time: 2 h, upload: 20 GiB, energy: 5 kJ, "
                     "target: {test_accuracy: 97%}}"),
                    "devices.network={server_upload: 1 Gbps, rtt: 20 ms}",
                    "devices.failures={crash_rate: 0.36 /h}", "devices.memory_limit=512 MiB"});
  EXPECT_EQ(s.server.deadline, Seconds(600));
  EXPECT_EQ(s.server.stop.virtual_time, Seconds(7200));
  EXPECT_EQ(s.server.stop.upload, Bytes(20LL << 30));
  EXPECT_EQ(s.server.stop.energy, Joules(5000));
  EXPECT_EQ(s.server.stop.target[0].first, "test_accuracy");
  EXPECT_DOUBLE_EQ(s.server.stop.target[0].second, 0.97);
  EXPECT_EQ(s.devices.network.server_upload, BytesPerSecond(125e6));
  EXPECT_FALSE(s.devices.network.server_download);
  EXPECT_EQ(s.devices.network.rtt->distribution.a, 0.02);
  EXPECT_NEAR(s.devices.failures.crash_rate.value(), 1e-4, 1e-18);
  EXPECT_EQ(s.devices.memory_limit.bytes, Bytes(512 << 20));
}

TEST(Scenario, ReadsMemoryLimits) {
  using Kind = MemoryLimit::Kind;
  EXPECT_EQ(parse(kGood).devices.memory_limit.kind, Kind::kBackground);
  EXPECT_EQ(parse(kGood, {"devices.memory_limit=foreground"}).devices.memory_limit.kind,
            Kind::kForeground);
  for (const std::string share : {"30%", "0.3"}) {
    const Scenario s = parse(kGood, {"devices.memory_limit=" + share});
    EXPECT_EQ(s.devices.memory_limit.kind, Kind::kFraction);
    EXPECT_DOUBLE_EQ(s.devices.memory_limit.fraction, 0.3);
  }
}

TEST(Scenario, MakesWhatItNames) {
  const Scenario s = parse(kGood, {"compression.communication={name: top-k, density: 10%, "
                                   "error_feedback: true, download: {name: fp16}}"});
  EXPECT_NE(s.data.source.object, nullptr);
  EXPECT_NE(s.data.partition.object, nullptr);
  EXPECT_NE(s.model.architecture.object, nullptr);
  EXPECT_NE(s.training.optimizer.object, nullptr);
  EXPECT_EQ(s.compression.communication.upload.name, "top-k");
  EXPECT_TRUE(s.compression.communication.upload.object->keeps_state());
  EXPECT_EQ(s.compression.communication.download.name, "fp16");
  EXPECT_NE(s.compression.communication.download.object, nullptr);
}

TEST(Scenario, NeutralChoicesAreInForceUnwritten) {
  const Scenario s = parse(kGood);
  EXPECT_EQ(s.training.method.name, "fedavg");
  EXPECT_NE(s.training.method.object, nullptr);
  EXPECT_EQ(s.compression.communication.upload.name, "dense");
  EXPECT_NE(s.compression.communication.upload.object, nullptr);
  EXPECT_NE(s.compression.communication.download.object, nullptr);
  EXPECT_NE(s.compression.planner.object, nullptr);
  EXPECT_NE(s.devices.availability.object, nullptr);
  EXPECT_THAT(s.neutral_defaults,
              ElementsAre("method fedavg", "weighting by-samples", "memory limit background",
                          "communication dense", "deadline none"));
  EXPECT_THAT(parse(kGood, {"server.weighting=uniform"}).neutral_defaults,
              testing::Not(Contains("weighting by-samples")));
}

TEST(Scenario, QuickstartSaysWhichDefaultsAreInForce) {
  const Scenario s =
      load_scenario(source_folder() + "/scenarios/quickstart.yaml", {}, test_options());
  EXPECT_THAT(s.neutral_defaults,
              ElementsAre("method fedavg", "weighting by-samples", "memory limit background"));
}

TEST(Scenario, TheFilesNameIsItsName) {
  EXPECT_EQ(parse(kGood).name, "test");
  EXPECT_EQ(parse(std::string("name: other\n") + kGood).name, "other");
  EXPECT_EQ(parse_scenario(kGood, "a dir/odd name!.yaml", {}, test_options()).name, "odd-name-");
}

TEST(Scenario, ReportsEverythingAtOnceInOrder) {
  const auto problems = problems_of(kGood, {"seed=-1", "server.rounds=x", "training.batch=0"});
  ASSERT_EQ(problems.size(), 3u);
  EXPECT_THAT(problems[0], HasSubstr("--set: seed"));
  EXPECT_THAT(problems[1], HasSubstr("--set: server.rounds"));
  EXPECT_THAT(problems[2], HasSubstr("--set: training.batch"));
}

TEST(Scenario, ReportsAtMostTwentyProblems) {
  std::string text = kGood;
  for (int i = 0; i < 40; ++i) text += "wrong" + std::to_string(i) + ": 1\n";
  EXPECT_EQ(problems_of(text).size(), 20u);
}

TEST(Scenario, EveryoneTakesPartWhenNothingCanLoseAReport) {
  EXPECT_FALSE(parse(kGood).everyone_takes_part());
  EXPECT_TRUE(parse(kGood, {"server.participants=all"}).everyone_takes_part());
  EXPECT_TRUE(parse(kGood, {"server.participants=200"}).everyone_takes_part());
  EXPECT_FALSE(
      parse(kGood, {"server.participants=all", "server.deadline=1 h"}).everyone_takes_part());
  EXPECT_FALSE(parse(kGood, {"server.participants=all", "devices.failures.crash_rate=1 /h"})
                   .everyone_takes_part());
}

TEST(Scenario, TimingOnlyNeedsNoModelWhenLoadsAreGiven) {
  const Scenario s = parse(
      kGood, {"~model", "~training.epochs", "~training.batch", "~training.optimizer",
              "training.mode=timing-only", "training.compute_time={exponential: {mean: 1 min}}",
              "training.download=1 MB", "training.upload=1 MB"});
  EXPECT_TRUE(s.training.timing_only());
  EXPECT_TRUE(s.training.gives_loads());
  EXPECT_EQ(s.training.compute_time->distribution.a, 60);
  EXPECT_EQ(s.model.architecture.object, nullptr);
}

TEST(Scenario, LaterFindingsKnowTheirPlaceToo) {
  const Scenario s = parse(kGood);
  EXPECT_STREQ(s.error("model.hidden", "too wide").what(),
               "test.yaml:3:36: model.hidden: too wide\n"
               "    model: {architecture: mlp, hidden: [16, 16]}\n"
               "                                       ^");
  EXPECT_THAT(s.error("training.method", "cannot").what(), HasSubstr("test.yaml:6:11: "));
}

// --- the written-out configuration

TEST(PrintConfig, LoadsBackToTheSameConfiguration) {
  for (const auto& file : yaml_files(source_folder() + "/scenarios")) {
    LoadOptions options = test_options();
    if (const char* data = std::getenv("SKIFF_DATA")) options.data_folder = data;
    std::optional<Scenario> first;
    try {
      first = load_scenario(file.string(), {}, options);
    } catch (const ScenarioError& error) {
      EXPECT_THAT(error.what(), HasSubstr("not found; looked in")) << file;  // data elsewhere
      continue;
    }
    const Scenario again = parse_scenario(first->config_yaml, file.string(), {}, options);
    EXPECT_EQ(again.config_yaml, first->config_yaml) << file;
    EXPECT_EQ(again.config_sha256, first->config_sha256) << file;
    EXPECT_TRUE(again.config_sha256.size() == 64);
  }
}

TEST(PrintConfig, SpeaksOfEveryNeutralDefault) {
  const std::string yaml = parse(kGood).config_yaml;
  for (const char* line : {"over_selection: 1\n", "deadline: none\n", "weighting: by-samples\n",
                           "memory_limit: background\n", "momentum: 0\n", "test_fraction: 0.1\n",
                           "final_model: true\n", "    name: fedavg\n", "    name: always\n",
                           "      name: dense\n", "    name: fixed\n", "  heuristic: []\n"}) {
    EXPECT_THAT(yaml, HasSubstr(line));
  }
  EXPECT_THAT(yaml, testing::Not(HasSubstr("quantization")));
  EXPECT_THAT(yaml, testing::Not(HasSubstr("buffer")));
}

// Whatever has a default is written out, with this value; `written`: the map around the fields.
void expect_written_out(const Node& written, const std::vector<FieldInfo>& fields,
                        const std::string& path, int& counted) {
  for (const FieldInfo& f : fields) {
    const Node* value = written.find(f.name);
    const std::string& text = f.default_text;
    if (f.type == "map" && !f.children.empty() && value != nullptr) {
      expect_written_out(*value, f.children, path + f.name + ".", counted);
    }
    const bool open = text == "{}" || (text == "[]" && f.rules.words.empty());
    if (f.required || text.empty() || open) continue;
    ++counted;
    ASSERT_NE(value, nullptr) << path << f.name << " is not printed; default " << text;
    if (f.type != "choice") {
      EXPECT_EQ(to_flow_text(*value), text) << path << f.name;
    }
  }
}
TEST(PrintConfig, WritesOutWhateverHasADefault) {
  const Scenario s = parse(kGood);
  int counted = 0;
  for (const FieldInfo& f : scenario_fields()) {
    if (f.name == "sweep") continue;  // many runs: nothing is in force within one
    const Node* section = s.config.find(f.name);
    if (f.children.empty() || section == nullptr) continue;
    expect_written_out(*section, f.children, f.name + ".", counted);
  }
  EXPECT_GE(counted, 20);
  EXPECT_THAT(to_flow_text(*s.config.find("compression")),
              testing::StartsWith("{communication: {name: dense, download: {name: dense}}, "));
}

TEST(PrintConfig, DoesNotDependOnTheOrderOfKeys) {
  const std::string turned =
      "training: {optimizer: {learning_rate: 0.1, name: sgd}, batch: 20, epochs: 1}\n"
      "server: {rounds: 3, participants: 20, protocol: synchronous}\n"
      "devices: {population: {iphone-15-pro: 30%, budget-android: 70%}}\n"
      "model: {hidden: [16, 16], architecture: mlp}\n"
      "data: {partition: {scheme: iid}, clients: 200, source: glyphs}\n"
      "seed: 7\n";
  EXPECT_EQ(parse(turned).config_sha256, parse(kGood).config_sha256);
  EXPECT_NE(parse(kGood, {"seed=8"}).config_sha256, parse(kGood).config_sha256);
}

TEST(PrintConfig, AWrittenDefaultIsTheSameConfiguration) {
  EXPECT_EQ(
      parse(kGood, {"server.weighting=by-samples", "training.method={name: fedavg}"}).config_sha256,
      parse(kGood).config_sha256);
}

// --- the key tree

TEST(JsonSchema, IsTheShippedOne) {
  EXPECT_TRUE(json_schema() == read_text(source_folder() + "/scenarios/schema.json"))
      << "scenarios/schema.json is stale: skiff schema > scenarios/schema.json";
}

void expect_help(const std::vector<FieldInfo>& fields, const std::string& path) {
  for (const FieldInfo& f : fields) {
    EXPECT_FALSE(f.help.empty()) << path << f.name;
    expect_help(f.children, path + f.name + ".");
  }
}
TEST(KeyTree, EveryKeySaysWhatItMeans) { expect_help(scenario_fields(), ""); }

TEST(Metrics, KnowWhichWayIsBetter) {
  EXPECT_TRUE(metric_rises("test_accuracy"));
  EXPECT_TRUE(metric_rises("client_accuracy_p10"));
  EXPECT_FALSE(metric_rises("suboptimality"));
  EXPECT_FALSE(metric_rises("perplexity"));
}

// --- robustness: whatever is done to a scenario, it loads or is refused

std::string mutated(std::string text, Stream& s) {
  static const std::string junk = "{}[]:,#\"'\n\t -+~&*!|>%0a";
  const auto size = [&] { return static_cast<std::uint32_t>(text.size()); };
  for (std::uint32_t n = 1 + s.below(4); n > 0 && !text.empty(); --n) {
    const std::uint32_t at = s.below(size());
    const std::uint32_t length = 1 + s.below(12);
    switch (s.below(5)) {
      case 0:
        text.erase(at, length);
        break;
      case 1:
        text.insert(at, 1, junk[s.below(static_cast<std::uint32_t>(junk.size()))]);
        break;
      case 2:
        text[at] = static_cast<char>(s.below(256));
        break;
      case 3:
        text.insert(at, text.substr(s.below(size()), length));
        break;
      default:
        text.resize(at);
    }
  }
  return text;
}

TEST(Robustness, AMutatedScenarioLoadsOrIsRefused) {
  const auto files = yaml_files(source_folder() + "/scenarios");
  int refused = 0;
  for (std::uint64_t trial = 0; trial < 3000; ++trial) {
    Stream stream(3, "mutation", trial);
    const auto& file = files[stream.below(static_cast<std::uint32_t>(files.size()))];
    const std::string text = mutated(read_text(file), stream);
    try {
      parse_scenario(text, file.string(), {}, test_options());
    } catch (const ScenarioError& error) {
      ++refused;
      EXPECT_FALSE(error.problems().empty());
      EXPECT_LE(error.problems().size(), 20u);
    } catch (const std::exception& error) {
      FAIL() << error.what() << "\n" << text;
    }
  }
  EXPECT_GT(refused, 1500);
}

TEST(Robustness, AMutatedOverrideIsTakenOrRefused) {
  for (std::uint64_t trial = 0; trial < 2000; ++trial) {
    Stream stream(4, "mutation", trial);
    std::vector<std::string> overrides{
        mutated("server.stop={virtual_time: 2 h, target: {test_accuracy: 97%}}", stream),
        mutated("+evaluation.metrics=test_loss", stream), mutated("~server.deadline", stream)};
    try {
      parse(kGood, overrides);
    } catch (const ScenarioError& error) {
      EXPECT_FALSE(error.problems().empty());
    }
  }
}

}  // namespace
}  // namespace skiff
