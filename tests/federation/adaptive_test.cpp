// The planner `adaptive`: which plan a device gets, and that runs keep to it.

#include "algorithms/planning/adaptive.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "sim/cli/choose_plans.h"
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

TEST(Adaptive, ATargetSizeThatNothingMeetsIsRefused) {
  EXPECT_THROW(assemble(fleet("{name: adaptive, choices: {bits: [2, 4]}}",
                              {"compression.target_size=10 kB"})),
               ScenarioError);
  EXPECT_THROW(assemble(fleet("{name: fixed}", {"compression.target_size=10 kB"})), ScenarioError);
}

}  // namespace
}  // namespace skiff
