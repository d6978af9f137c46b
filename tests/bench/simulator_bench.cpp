// Whole runs: CPU time a client update with a thousand tiny clients a round (everything: sampling,
// events, training, encoding, aggregation, recording), and the start of a million devices.

#include <benchmark/benchmark.h>

#include "sim/core/parallel.h"
#include "tests/federation/run_scenario.h"

namespace skiff {
namespace {

const char* kTiny = R"(
seed: 1
data: {source: gaussian-mixture, features: 10, classes: 10, clients: 2000, samples_per_client: 20,
       partition: {scheme: natural}}
model: {architecture: logistic-regression}
devices: {population: {pixel-8-pro: 1}}
server: {protocol: synchronous, participants: 1000, rounds: 50}
training: {steps: 1, batch: 20, optimizer: {name: sgd, learning_rate: 0.1}}
evaluation: {every: 1000}
)";

void TinyClients(benchmark::State& state) {
  set_threads(1);
  const Scenario scenario = parse_scenario(kTiny, "bench.yaml", {}, {.profiles = test::profiles()});
  const FederationSetup setup = assemble(scenario);
  std::int64_t updates = 0;
  for (auto _ : state) {
    NullRecorder recorder(cli::run_info(scenario, setup));
    updates += simulate(setup, recorder).rounds * setup.server.participants;
  }
  state.counters["cpu_us_per_update"] =
      benchmark::Counter(static_cast<double>(updates) * 1e-6,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(TinyClients)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime();

void MillionDevicesStart(benchmark::State& state) {
  for (auto _ : state) {
    const Scenario scenario =
        load_scenario(std::string(SKIFF_SOURCE_DIR) + "/scenarios/timing-only-million.yaml",
                      {"server.rounds=1", "server.participants=1"}, {.profiles = test::profiles()});
    const FederationSetup setup = assemble(scenario);
    NullRecorder recorder(cli::run_info(scenario, setup));
    benchmark::DoNotOptimize(simulate(setup, recorder).events);
  }
}
BENCHMARK(MillionDevicesStart)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace skiff

int main(int argc, char** argv) {
  setenv("SKIFF_SOURCE", SKIFF_SOURCE_DIR, 0);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
