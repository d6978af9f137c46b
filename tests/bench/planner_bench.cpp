// What choosing a plan takes for one class of devices: 40 candidates, whose shapes and costs are
// known, priced on the class (roofline, link, radio, flash) and compared. Budget: 50 us.
#include <benchmark/benchmark.h>

#include "algorithms/planning/adaptive.h"
#include "sim/cli/assemble.h"
#include "sim/federation/assigner.h"
#include "sim/federation/learner.h"
#include "sim/scenario/scenario.h"

namespace skiff {
namespace {

constexpr std::size_t kPlans = 40;

const char* kScenario = R"(
seed: 1
data: {source: gaussian-mixture, clients: 50, samples_per_client: 30, features: 64, classes: 4, partition: {scheme: iid}}
model: {architecture: mlp, hidden: [512, 512]}
devices: {population: {iphone-15-pro: 1, budget-android: 1, iot-sensor: 1}}
server: {protocol: synchronous, participants: 50, rounds: 1}
training: {steps: 2, batch: 8, optimizer: {name: sgd, learning_rate: 0.05}}
compression: {quantization: {name: higgs, bits: 4}, planner: {name: adaptive, choices: {bits: [2, 4, 8]}}}
)";

void choose_for_a_class(benchmark::State& state) {
  const Scenario scenario = parse_scenario(kScenario, "bench.yaml", {},
                                           {.profiles = SKIFF_SOURCE_DIR "/devices/profiles"});
  const FederationSetup setup = assemble(scenario);
  const Assigner assigner(setup);
  const Server server = initial_server(setup);
  const Cost cost = assigner.cost_of(setup.composition.global(), 30, server);
  const std::vector<Cost> costs(kPlans, cost);
  std::vector<double> losses;
  for (std::size_t i = 0; i < kPlans; ++i) losses.push_back(1.0 / static_cast<double>(i + 1));
  std::vector<PlanPrice> prices;
  std::uint32_t device = 0;
  for (auto _ : state) {
    device = (device + 1) % 50;
    const Device d = (*setup.devices.fleet)[device];
    prices.clear();
    for (const Cost& c : costs) prices.push_back(assigner.priced(c, d));
    benchmark::DoNotOptimize(best_plan(assigner.limits_of(device), prices, losses, {}));
  }
}
BENCHMARK(choose_for_a_class)->Unit(benchmark::kMicrosecond);

// The cost of one plan from shapes alone: once for each number of samples and plan.
void cost_of_a_plan(benchmark::State& state) {
  const Scenario scenario = parse_scenario(kScenario, "bench.yaml", {},
                                           {.profiles = SKIFF_SOURCE_DIR "/devices/profiles"});
  const FederationSetup setup = assemble(scenario);
  const Assigner assigner(setup);
  const Server server = initial_server(setup);
  for (auto _ : state) {
    benchmark::DoNotOptimize(assigner.cost_of(setup.composition.global(), 30, server));
  }
}
BENCHMARK(cost_of_a_plan)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace skiff

BENCHMARK_MAIN();
