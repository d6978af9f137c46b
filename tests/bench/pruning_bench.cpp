// Second-order pruning of one layer against the time of its own flops at the rate of a matrix
// product measured beside it (same library, same precision, one thread): `ratio` is how many times
// that it takes. The budget for 4096 x 4096 with blocks of 128 is 2.
//
//   skiff_bench_pruning --benchmark_filter=4096
#include <benchmark/benchmark.h>

#include <Eigen/Core>
#include <cmath>

#include "algorithms/pruning/second_order.h"
#include "sim/core/parallel.h"
#include "tests/bench/peak.h"

namespace skiff {
namespace {

// Flops per second of a product of the size of the trailing update.
double product_rate(int rows, int block, int cols) {
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const RowMajor a = RowMajor::Random(rows, block), b = RowMajor::Random(block, cols);
  RowMajor c = RowMajor::Zero(rows, cols);
  const double start = thread_seconds();
  constexpr int kTimes = 4;
  for (int i = 0; i < kTimes; ++i) c.noalias() -= a * b;
  const double seconds = thread_seconds() - start;
  benchmark::DoNotOptimize(c.data());
  return 2.0 * kTimes * rows * block * cols / seconds;
}

struct Problem {
  InputStatistics inputs;
  pruning::Layer layer;

  explicit Problem(int n) {
    inputs.width = n;
    inputs.count = inputs.samples = 1;
    const auto size = static_cast<std::size_t>(n) * static_cast<std::size_t>(n);
    inputs.gram.reserve(size);
    for (int i = 0; i < n; ++i) {
      for (int j = 0; j < n; ++j) inputs.gram.push_back(std::pow(0.9, std::abs(i - j)));
    }
    layer.rows = layer.cols = n;
    layer.inputs = &inputs;
    layer.weights.resize(size);
    Stream draws(1, "weights");
    for (double& w : layer.weights) w = draws.uniform() - 0.5;
  }
  Problem(const Problem&) = delete;
};

void Thanos(benchmark::State& state) {
  const int n = static_cast<int>(state.range(0)), block = static_cast<int>(state.range(1));
  set_threads(1);
  for (auto _ : state) {
    Problem problem(n);
    const double rate = product_rate(n, block, n);
    const double start = thread_seconds();
    const pruning::InverseFactor factor(problem.inputs, pruning::kDamping);
    const double factored = thread_seconds();
    benchmark::DoNotOptimize(
        pruning::thanos(problem.layer, factor, {.block = block, .sparsity = 0.5}).data());
    const double end = thread_seconds();
    const double cubed = 2.0 / 3 * std::pow(n, 3);
    const double flops = cubed + pruning::update_flops(n, n, block, 0.5 * block);
    state.counters["product_gflops"] = rate * 1e-9;
    state.counters["factor_s"] = factored - start;
    state.counters["all_s"] = end - start;
    state.counters["ratio"] = (end - start) * rate / flops;
  }
  set_threads(0);
}
BENCHMARK(Thanos)->Args({1024, 128})->Args({4096, 128})->Iterations(1)->Unit(benchmark::kSecond);

}  // namespace
}  // namespace skiff

BENCHMARK_MAIN();
