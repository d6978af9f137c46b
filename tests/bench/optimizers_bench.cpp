// What a step of an optimizer takes beside the bytes that it must move: `GB/s` of those bytes, and
// `of copy`, that as a share of what scaling a long array in place reaches on this core. CPU time.
#include <benchmark/benchmark.h>

#include <ctime>
#include <vector>

#include "algorithms/kernels/reduce.h"
#include "algorithms/optimizer.h"
#include "algorithms/optimizers/grass_space.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

std::vector<float> drawn(std::size_t n) {
  std::vector<float> v(n);
  Stream s(1, "bench");
  for (float& x : v) x = s.uniform_float() - 0.5F;
  return v;
}

// Bytes a second of x = a x over 64 MB: one read and one write of each.
double bandwidth() {
  static std::vector<float> x = drawn(16 << 20);
  const double begin = cpu_seconds();
  kernels::scale(x, 1.0000001F, x);
  return 8.0 * static_cast<double>(x.size()) / (cpu_seconds() - begin);
}

template <class Step>
void measure(benchmark::State& state, double bytes, Step step) {
  step();
  step();
  double share = 0, rate = 0;
  std::int64_t n = 0;
  for (auto _ : state) {
    const double begin = cpu_seconds();
    step();
    const double own = bytes / (cpu_seconds() - begin);
    rate += own;
    share += own / bandwidth();
    ++n;
  }
  state.counters["GB/s"] = rate / 1e9 / static_cast<double>(n);
  state.counters["of copy"] = share / static_cast<double>(n);
}

std::shared_ptr<const Optimizer> make(const char* name) {
  Node map;
  map.set("name", Node::scalar(name));
  map.set("learning_rate", Node::scalar("0.001"));
  return Registry<Optimizer>::instance().make(map);
}

// bytes_per_value: gradient read; weight, moments read and written.
void whole(benchmark::State& state, const char* name, double bytes_per_value) {
  const std::size_t d = 16 << 20;
  const auto optimizer = make(name);
  Layout layout;
  layout.add("x", static_cast<int>(d), 1);
  std::vector<float> w = drawn(d);
  const std::vector<float> g = drawn(d);
  State moments;
  measure(state, bytes_per_value * static_cast<double>(d),
          [&] { optimizer->step(layout.slices[0], w, g, 0.001, moments); });
}

// Of 4096 x 4096 weights, 1,024 rows move.
void grass(benchmark::State& state, const char* side) {
  GrassParams p;
  p.rank = 1024;
  p.refresh = 1000000;
  p.side = side;
  Layout layout;
  layout.add("x", 4096, 4096, Order::kInOut);
  GrassSpace space(p, layout.slices[0]);
  std::vector<float> w = drawn(4096 * 4096);
  const std::vector<float> x = drawn(8 * 4096), dy = drawn(8 * 4096), g = drawn(1024 * 4096);
  std::vector<const float*> rows;
  for (int b = 0; b < 8; ++b) rows.push_back(x.data() + b * 4096);
  Scratch scratch;
  space.choose({rows.data(), 8, 4096}, kernels::dense(dy.data(), 8, 4096), Stream(1, "bench"),
               scratch);
  State moments;
  // Across, the chosen columns lie in all cache lines of the weights.
  const double weights = side[0] == 'c' ? 8.0 * 1024 * 4096 : 8.0 * 4096 * 4096;
  measure(state, 20.0 * 1024 * 4096 + weights, [&] { space.step(w, g, 0.001, moments, scratch); });
}

BENCHMARK_CAPTURE(whole, adamw, "adamw", 28)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(whole, adam_8bit, "adam-8bit", 16)->Unit(benchmark::kMillisecond);
// 4 of gradient, 8 of weights, 1 of codes, 1/8 of ranges, 0.4 of the window.
BENCHMARK_CAPTURE(whole, microadam, "microadam", 13.5)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(grass, rows_together, "cols")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(grass, rows_across, "rows")->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace skiff

BENCHMARK_MAIN();
