// Speeds of the codecs: bytes per second are of the float32 values, encoded or decoded.
//
//   skiff_bench_codecs --benchmark_filter=TopK
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "algorithms/codec.h"
#include "algorithms/kernels/topk.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {
using Parameters = std::vector<std::pair<std::string, std::string>>;

std::shared_ptr<const Codec> codec(const std::string& name, const Parameters& parameters) {
  Node map;
  map.set("name", Node::scalar(name));
  for (const auto& [key, value] : parameters) map.set(key, Node::scalar(value));
  return Registry<Codec>::instance().make(map);
}

// Heavy-tailed, like updates: the product of two uniform numbers, either sign.
std::vector<float> numbers(std::size_t n) {
  std::vector<float> v(n);
  std::uint64_t s = n;
  const auto uniform = [&s] {
    s = s * 6364136223846793005U + 1442695040888963407U;
    return static_cast<float>(s >> 40) * 0x1p-23F - 1;
  };
  for (float& x : v) x = uniform() * uniform();
  return v;
}

void count(benchmark::State& state, std::size_t n) {
  const auto values = static_cast<std::int64_t>(n) * state.iterations();
  state.SetItemsProcessed(values);
  state.SetBytesProcessed(4 * values);
}

// The values are spoilt by encoding, so each time a copy is encoded: `copy` is what that costs.
void encode(benchmark::State& state, const std::string& name, const Parameters& parameters) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const auto c = codec(name, parameters);
  const LayoutPtr layout = flat_layout(n);
  const std::vector<float> original = numbers(n);
  std::vector<float> values(n);
  State memory;
  std::uint64_t draw = 0;
  for (auto _ : state) {
    std::copy(original.begin(), original.end(), values.begin());
    const Payload payload = c->encode(*layout, values, memory, Stream(1, "bench", 0, draw++));
    benchmark::DoNotOptimize(payload.bytes.data());
  }
  count(state, n);
}

void decode(benchmark::State& state, const std::string& name, const Parameters& parameters) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const auto c = codec(name, parameters);
  const LayoutPtr layout = flat_layout(n);
  std::vector<float> values = numbers(n);
  State memory;
  const Payload payload = c->encode(*layout, values, memory, Stream(1, "bench"));
  for (auto _ : state) {
    c->decode(*layout, payload, values);
    benchmark::DoNotOptimize(values.data());
  }
  count(state, n);
}

// What a message of n values costs at least: a copy into new memory, and a copy out of it.
void BM_CopyAndAllocation(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  std::vector<float> values = numbers(n);
  for (auto _ : state) {
    const auto* first = reinterpret_cast<const std::byte*>(values.data());
    const std::vector<std::byte> bytes(first, first + 4 * n);
    benchmark::DoNotOptimize(bytes.data());
    std::memcpy(values.data(), bytes.data(), bytes.size());
    benchmark::DoNotOptimize(values.data());
  }
  count(state, n);
}

void BM_DenseThereAndBack(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const auto c = codec("dense", {});
  const LayoutPtr layout = flat_layout(n);
  std::vector<float> values = numbers(n);
  State memory;
  for (auto _ : state) {
    const Payload payload = c->encode(*layout, values, memory, Stream(1, "bench"));
    c->decode(*layout, payload, values);
    benchmark::DoNotOptimize(values.data());
  }
  count(state, n);
}

// The selection alone, of n values, k = n / range(1).
void BM_TopKSelection(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const std::size_t k = n / static_cast<std::size_t>(state.range(1));
  const std::vector<float> values = numbers(n);
  std::vector<std::uint32_t> indices(k), scratch(kernels::top_k_scratch(n, k));
  for (auto _ : state) {
    kernels::top_k(indices, values, scratch);
    benchmark::DoNotOptimize(indices.data());
  }
  count(state, n);
}

constexpr std::int64_t kTiny = 110, kModel = 199210, kLarge = 10000000;

BENCHMARK(BM_CopyAndAllocation)->Arg(kTiny)->Arg(kModel)->Arg(kLarge);
BENCHMARK(BM_DenseThereAndBack)->Arg(kTiny)->Arg(kModel)->Arg(kLarge);
BENCHMARK(BM_TopKSelection)
    ->ArgsProduct({{kLarge}, {1000, 100, 10}})
    ->Unit(benchmark::kMillisecond);

[[maybe_unused]] const bool registered = [] {
  const std::pair<std::string, Parameters> codecs[] = {
      {"dense", {}},
      {"fp16", {}},
      {"top-k", {{"density", "0.1%"}, {"error_feedback", "false"}}},
      {"top-k", {{"density", "1%"}, {"error_feedback", "false"}}},
      {"top-k", {{"density", "10%"}, {"error_feedback", "false"}}},
      {"top-k", {{"density", "1%"}, {"error_feedback", "true"}}},
      {"random-k", {{"density", "1%"}, {"error_feedback", "false"}}},
      {"qsgd", {{"levels", "7"}}},
      {"qsgd", {{"levels", "1000"}}},
      {"ef21", {{"density", "1%"}}}};
  for (const auto& [name, parameters] : codecs) {
    std::string label = name;
    for (const auto& [key, value] : parameters) label += " " + key + "=" + value;
    for (const std::int64_t n : {kTiny, kModel, kLarge}) {
      benchmark::RegisterBenchmark(("encode " + label).c_str(), encode, name, parameters)->Arg(n);
      benchmark::RegisterBenchmark(("decode " + label).c_str(), decode, name, parameters)->Arg(n);
    }
  }
  return true;
}();

}  // namespace
}  // namespace skiff

BENCHMARK_MAIN();
