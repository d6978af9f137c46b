// Device models: completions of a shared link, the making of a fleet, questions about availability.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdlib>

#include "devices/diurnal.h"
#include "devices/population.h"
#include "devices/shared_link.h"
#include "sim/core/distributions.h"
#include "sim/scenario/yaml.h"

namespace skiff {
namespace {

// n flows at a time: each completion starts another flow. Caps straddle the water level.
void BM_SharedLink(benchmark::State& state) {
  const std::int64_t flows = state.range(0);
  Stream stream(1, "bench.link");
  SharedLink link(flows * 5'000'000);
  const auto start = [&](VirtualTime now) {
    const auto cap = static_cast<std::int64_t>(lognormal(stream, 6e6, 0.9)) + 1;
    const auto bytes = static_cast<std::int64_t>(lognormal(stream, 1e6, 1)) + 1;
    link.start(0, Bytes(bytes), cap, now);
  };
  for (std::int64_t i = 0; i < flows; ++i) start({0});
  SharedLink::Completion done;
  for (auto _ : state) {
    const VirtualTime at = link.next_completion();
    while (link.pop(at, done)) start(at);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_SharedLink)->Arg(100)->Arg(1'000)->Arg(10'000)->Arg(100'000);

Catalogue shipped() {
  const char* home = std::getenv("SKIFF_HOME");
  std::vector<Node> documents;
  std::vector<Problem> problems;
  for (const auto& file : catalogue_files(std::string(home ? home : ".") + "/devices/profiles")) {
    documents.push_back(parse_yaml(read_scenario_file(file), file, problems));
  }
  Reader reader;
  return Catalogue::read(documents, reader);
}

void BM_Catalogue(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(shipped().classes().size());
}
BENCHMARK(BM_Catalogue)->Unit(benchmark::kMillisecond);

void BM_Fleet(benchmark::State& state) {
  const Catalogue catalogue = shipped();
  PopulationSpec spec;
  spec.classes = {{"iphone-13", 0.2}, {"galaxy-a54", 0.4}, {"redmi-note-8", 0.4}};
  for (auto _ : state) {
    const Fleet fleet(catalogue, spec, static_cast<std::size_t>(state.range(0)), 1);
    benchmark::DoNotOptimize(fleet.size());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Fleet)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

Diurnal four_fold() {
  DiurnalParams params;
  params.swing = 4;
  params.time_zones = {{"utc-8", 0.3}, {"utc-5", 0.7}};
  return Diurnal(params);
}

void BM_DiurnalSolve(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(four_fold().rates().amplitude);
}
BENCHMARK(BM_DiurnalSolve)->Unit(benchmark::kMillisecond);

void BM_DiurnalAt(benchmark::State& state) {
  const Diurnal diurnal = four_fold();
  std::uint64_t device = 0;
  for (auto _ : state) {
    const VirtualTime time{static_cast<std::int64_t>(device % 1000) * 600'000'000'000};
    benchmark::DoNotOptimize(diurnal.at(1, ++device, time));
  }
}
BENCHMARK(BM_DiurnalAt);

}  // namespace
}  // namespace skiff

BENCHMARK_MAIN();
