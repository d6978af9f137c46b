// The planner `adaptive`: which plan a device gets, and that runs keep to it.

#include "algorithms/planning/adaptive.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "sim/cli/candidates.h"
#include "sim/federation/assigner.h"
#include "sim/federation/learner.h"
#include "tests/federation/run_scenario.h"

namespace skiff {
namespace {

PlanPrice price(std::int64_t memory, double seconds, double joules, std::int64_t storage) {
  PlanPrice p;
  p.memory.weights = Bytes(memory);
  p.storage = Bytes(storage);
  p.time = Seconds(seconds);
  p.energy = Joules(joules);
  return p;
}

// Plans without an order between memory and loss.
struct Case {
  std::vector<PlanPrice> prices;
  std::vector<double> losses;
};

Case random_case(std::uint64_t seed) {
  Stream draw(seed, "plans");
  Case c;
  for (int i = 0; i < 40; ++i) {
    c.prices.push_back(price(draw.below(100), 10 * draw.uniform(), 10 * draw.uniform(),
                             static_cast<std::int64_t>(draw.below(100))));
    c.losses.push_back(draw.below(8));
  }
  return c;
}

TEST(Adaptive, IsTheBestOfAllThatFit) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const Case c = random_case(seed);
    Stream draw(seed, "limits");
    const DeviceLimits device{"any", 0, Bytes(draw.below(100)), Bytes(draw.below(100))};
    const PlanLimits limits{Seconds(1 + 9 * draw.uniform()), Joules(1 + 9 * draw.uniform()), {}};
    std::set<double> losses;  // of all that fit
    for (std::size_t i = 0; i < c.prices.size(); ++i) {
      const PlanPrice& p = c.prices[i];
      if (p.peak() <= device.memory && p.storage <= device.storage && p.time <= *limits.time &&
          p.energy <= *limits.energy) {
        losses.insert(c.losses[i]);
      }
    }
    const Choice choice = best_plan(device, c.prices, c.losses, limits);
    ASSERT_EQ(choice.plan.has_value(), !losses.empty());
    if (!losses.empty()) {
      EXPECT_EQ(c.losses[*choice.plan], *losses.begin());
      for (std::size_t i = 0; i < c.prices.size(); ++i) {  // no equal that fits is faster
        const bool equal = c.losses[i] == c.losses[*choice.plan];
        if (equal && choose_if_fits(device, c.prices, i, limits).plan) {
          EXPECT_GE(c.prices[i].time, c.prices[*choice.plan].time);
        }
      }
    } else {
      EXPECT_FALSE(choice.part.empty());
      for (const PlanPrice& p : c.prices) {
        EXPECT_GE(p.peak(), c.prices[choice.considered].peak());
      }
    }
  }
}

TEST(Adaptive, MoreMemoryNeverPredictsMoreLoss) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const Case c = random_case(seed);
    double last = 1e9;
    for (int memory = 0; memory < 110; memory += 5) {
      const Choice choice = best_plan({"any", 0, Bytes(memory), Bytes(50)}, c.prices, c.losses, {});
      if (!choice.plan) continue;
      EXPECT_LE(c.losses[*choice.plan], last);
      last = c.losses[*choice.plan];
    }
  }
}

TEST(Adaptive, CurvesAreStraightBetweenTheirPointsAndFlatBeyond) {
  const LossCurve curve{{"0.5", 1}, {"0.7", 2}};
  EXPECT_DOUBLE_EQ(on_curve(curve, "0.6"), 1.5);
  EXPECT_DOUBLE_EQ(on_curve(curve, "0.1"), 1);
  EXPECT_DOUBLE_EQ(on_curve(curve, "0.9"), 2);
  EXPECT_DOUBLE_EQ(on_curve({{"adamw", 0}, {"sgd", 3}}, "sgd"), 3);
}

const char* kFleet = R"(
seed: 3
data: {source: gaussian-mixture, clients: 40, samples_per_client: 30, features: 64, classes: 4, test_fraction: 0.2, partition: {scheme: iid}}
model: {architecture: mlp, hidden: [512, 512]}
devices: {population: {iphone-15-pro: 1, budget-android: 1, iot-sensor: 2}, tiers: {high: 4 GB, middle: 2 GB, low: 1 MB}, network: {rates: constant}}
server: {protocol: synchronous, participants: 20, rounds: 3}
training: {steps: 2, batch: 8, optimizer: {name: sgd, learning_rate: 0.05}}
compression:
  quantization: {name: higgs, bits: 4}
evaluation: {every: 3}
)";

Scenario fleet(const std::string& planner, std::vector<std::string> more = {}) {
  more.push_back("compression.planner=" + planner);
  return parse_scenario(kFleet, "test.yaml", more, {.profiles = test::profiles()});
}

TEST(Adaptive, ARunHasTheChosenPlansAndAllOfThemFit) {
  for (const char* per : {"tier", "device"}) {
    SCOPED_TRACE(per);
    const Scenario scenario = fleet(std::string("{name: adaptive, choices: {bits: [2, 3, 4, 8]}, "
                                                "limits: {storage: 1 GB}, per: ") +
                                    per + "}");
    FederationSetup setup = assemble(scenario);
    EXPECT_LE(setup.composition.plans.size(), 4U);
    const test::Ran ran = test::run(scenario, std::move(setup));
    int accepted = 0;
    for (const AttemptRow& a : ran.attempts()) {
      if (a.cause == Cause::kRam) continue;
      EXPECT_LE(a.peak_memory, a.memory_limit);
      ++accepted;
    }
    EXPECT_GT(accepted, 40);
  }
}

// The widest bits wherever they fit, and the smallest plan for whom nothing does; a limit of time
// that only small models keep sends fewer.
TEST(Adaptive, LimitsDecide) {
  const auto bits_of = [](const std::string& limits, const std::vector<std::string>& more = {}) {
    const FederationSetup setup = assemble(
        fleet("{name: adaptive, choices: {bits: [2, 4, 8]}, per: device, limits: {" + limits + "}}",
              more));
    std::set<std::string> names;
    for (const Plan& plan : setup.composition.plans) names.insert(plan.name);
    return names;
  };
  EXPECT_EQ(bits_of(""), (std::set<std::string>{"bits 2", "bits 8"}));
  EXPECT_EQ(bits_of("time: 1 ms"), (std::set<std::string>{"bits 2"}));
  const auto small = bits_of("", {"compression.target_size=200 kB"});
  EXPECT_FALSE(small.contains("bits 8"));
}

std::set<std::string> names_of(const FederationSetup& setup) {
  std::set<std::string> names;
  for (const Plan& plan : setup.composition.plans) names.insert(plan.name);
  return names;
}

// Bits, ranks and optimizers that nobody lists are tried; where memory is short each gives way, and
// alpha / rank stays.
TEST(Adaptive, TriesRanksAndOptimizersByItself) {
  const std::vector<std::string> adapted{
      "compression.quantization.at=start",
      "compression.adaptation={name: lora, rank: 8, alpha: 16, targets: linear, aggregation: "
      "flexlora}",
      "training.optimizer={name: adamw, learning_rate: 0.01}"};
  const FederationSetup setup = assemble(fleet("{name: adaptive, per: device}", adapted));
  EXPECT_TRUE(names_of(setup).contains("bits 8, rank 32, adamw"));
  const Plan& widest = setup.composition.plans.front();
  EXPECT_EQ(widest.name, "bits 8, rank 32, adamw");

  // One byte short of the widest: something is given up, and what is left fits.
  const Device device = (*setup.devices.fleet)[0];
  const Bytes peak = Assigner(setup).largest_cost(widest, initial_server(setup)).peak();
  std::vector<std::string> narrow = adapted;
  narrow.push_back(fmt::format("devices.memory_limit={} B",
                               (peak + device.profile->memory.runtime.value).value() - 1));
  narrow.push_back("devices.population={" + device.profile->name + ": 1}");
  const FederationSetup less = assemble(fleet("{name: adaptive, per: device}", narrow));
  for (const Plan& plan : less.composition.plans) {
    EXPECT_NE(plan.name, widest.name);
    EXPECT_LT(Assigner(less).largest_cost(plan, initial_server(less)).peak(), peak);
  }
  const auto settled = names_of(
      assemble(fleet("{name: adaptive, choices: {rank: [16], bits: [4], optimizer: [{name: sgd, "
                     "learning_rate: 0.1}]}}",
                     adapted)));
  EXPECT_EQ(settled, (std::set<std::string>{"rank 16, bits 4, sgd"}));
  std::vector<std::string> momentum = adapted;
  momentum.back() = "training.optimizer={name: sgd, learning_rate: 0.01, momentum: 0.9}";
  for (const Node& row :
       candidate_rows(fleet("{name: adaptive, choices: {bits: [4]}}", momentum))) {
    const Node* optimizer = row.find("optimizer");
    ASSERT_NE(optimizer, nullptr);
    const bool plain = optimizer->find("momentum") == nullptr;
    EXPECT_EQ(optimizer->find("learning_rate")->text, plain ? "0.1" : "0.01");
  }
}

TEST(Adaptive, ARankKeepsAlphaByRank) {
  Node own;
  own.kind = Node::Kind::kMap;
  own.set("rank", Node::scalar("8"));
  own.set("alpha", Node::scalar("12"));
  EXPECT_EQ(with_rank(own, Node::scalar("32")).find("alpha")->text, "48");
  EXPECT_EQ(with_rank(own, Node::scalar("4")).find("alpha")->text, "6");
  EXPECT_EQ(with_rank(own, Node::scalar("8")).find("alpha")->text, "12");
}

// Factors averaged as they are have one rank in all tiers, so none is tried.
TEST(Adaptive, RanksStayWhereTheyMustBeEqual) {
  for (const char* aggregation : {"fedit", "ffa", "hetlora"}) {
    const Scenario s = fleet(
        "{name: adaptive}",
        {std::string("compression.adaptation={name: lora, rank: 8, alpha: 16, targets: linear, "
                     "aggregation: ") +
             aggregation + "}",
         "compression.quantization.at=start"});
    bool ranks = false;
    for (const Node& row : candidate_rows(s)) ranks = ranks || row.find("rank") != nullptr;
    EXPECT_EQ(ranks, std::string(aggregation) == "hetlora") << aggregation;
  }
}

// By layer: within the bytes of the same bits everywhere, never a worse prediction, and the devices
// are charged for what they get.
TEST(Adaptive, BitsByLayerStayWithinTheirBytes) {
  const auto with = [](const std::string& more, const char* quantizer) {
    return fleet("{name: adaptive, per: device, choices: {bits: [2, 3, 4, 8]" + more,
                 {std::string("compression.quantization={name: ") + quantizer +
                      ", bits: 4, targets: [hidden.0, hidden.1, output]}",
                  "compression.target_size=250 kB", "data.server_samples=32"});
  };
  for (const char* quantizer : {"higgs", "rtn", "gptq"}) {
    SCOPED_TRACE(quantizer);
    const FederationSetup alike = assemble(with("}}", quantizer));
    const Scenario scenario = with("}, per_layer: true}", quantizer);
    FederationSetup spent = assemble(scenario);
    const Bytes most = Bytes(250000);
    for (const Plan& plan : spent.composition.plans) {
      EXPECT_LE(plan.prepared.stored, most);
      EXPECT_NE(plan.name.find("by layer"), std::string::npos) << plan.name;
    }
    EXPECT_GE(spent.composition.plans.front().prepared.stored,
              alike.composition.plans.front().prepared.stored * 4 / 5);
    const test::Ran ran = test::run(scenario, std::move(spent));  // as prepared, to the byte
    EXPECT_EQ(ran.rounds().size(), 3U);
  }
}

TEST(Adaptive, BitsByLayerNeedAQuantizerThatHasBits) {
  EXPECT_THROW(assemble(fleet("{name: adaptive, per_layer: true}",
                              {"compression.quantization={name: nf4, group: 64}"})),
               ScenarioError);
  EXPECT_THROW(assemble(fleet("{name: adaptive, per_layer: true}",
                              {"compression.quantization={name: higgs, bits: 4, allocation: "
                               "dynamic}",
                               "data.server_samples=20"})),
               ScenarioError);
}

TEST(Adaptive, ATargetSizeThatNothingMeetsIsRefused) {
  EXPECT_THROW(assemble(fleet("{name: adaptive, choices: {bits: [2, 4]}}",
                              {"compression.target_size=10 kB"})),
               ScenarioError);
  EXPECT_THROW(assemble(fleet("{name: fixed}", {"compression.target_size=10 kB"})), ScenarioError);
}

}  // namespace
}  // namespace skiff
