// Speeds of rotating, encoding and decoding groups of weights: items are weights, CPU time of one
// thread.
#include <benchmark/benchmark.h>

#include <vector>

#include "algorithms/kernels/coded_product.h"
#include "algorithms/kernels/fwht.h"
#include "algorithms/kernels/gaussian_grids.h"
#include "algorithms/kernels/reduce.h"
#include "algorithms/kernels/rotated_group.h"
#include "sim/core/distributions.h"

namespace skiff::kernels {
namespace {

constexpr std::size_t kGroup = 1024, kGroups = 256;  // 1 MB of weights

std::vector<float> weights() {
  std::vector<float> w(kGroup * kGroups);
  skiff::Stream stream(1, "bench");
  for (float& v : w) v = static_cast<float>(skiff::normal(stream));
  return w;
}

void report(benchmark::State& state, std::size_t per_round) {
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(per_round));
}

void Fwht1024(benchmark::State& state) {
  std::vector<float> x = weights();
  x.resize(kGroup);
  int since = 0;
  for (auto _ : state) {
    fwht(x);
    if (++since == 16) {  // sixteen of them grow by 2^80
      scale(x, 0x1p-80F, x);
      since = 0;
    }
    benchmark::DoNotOptimize(x.data());
  }
  report(state, kGroup);
}
BENCHMARK(Fwht1024);

void Nearest(benchmark::State& state) {
  const PointGrid& grid = gaussian_grid(
      *find_gaussian_grid(static_cast<int>(state.range(0)), static_cast<int>(state.range(1))));
  const std::vector<float> x = weights();
  std::vector<std::uint16_t> codes(x.size() / static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    grid.nearest(codes, x);
    benchmark::DoNotOptimize(codes.data());
  }
  report(state, x.size());
}
BENCHMARK(Nearest)->Args({1, 4})->Args({1, 16})->Args({1, 256})->Args({2, 16})->Args({2, 256});
BENCHMARK(Nearest)->Args({4, 256});

void Encode(benchmark::State& state) {
  const PointGrid& grid = gaussian_grid(
      *find_gaussian_grid(static_cast<int>(state.range(0)), static_cast<int>(state.range(1))));
  const std::vector<float> w = weights();
  std::vector<float> signs(kGroup), work(kGroup);
  random_signs(signs, skiff::Stream(1, "signs"));
  std::vector<std::uint16_t> codes(kGroup / static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    for (std::size_t k = 0; k < kGroups; ++k) {
      for (std::size_t i = 0; i < kGroup; ++i) work[i] = w[k * kGroup + i] * signs[i];
      benchmark::DoNotOptimize(encode_rotated(grid, work, codes, false));
      benchmark::DoNotOptimize(codes.data());
    }
  }
  report(state, w.size());
}
BENCHMARK(Encode)->Args({1, 16})->Args({2, 256});

void Decode(benchmark::State& state) {
  const PointGrid& grid = gaussian_grid(
      *find_gaussian_grid(static_cast<int>(state.range(0)), static_cast<int>(state.range(1))));
  const auto p = static_cast<std::size_t>(state.range(0));
  std::vector<std::uint16_t> codes(kGroup * kGroups / p);
  grid.nearest(codes, weights());
  std::vector<float> out(kGroup);
  for (auto _ : state) {
    for (std::size_t k = 0; k < kGroups; ++k) {
      decode_rotated(grid, std::span(codes).subspan(k * kGroup / p, kGroup / p), 0.5F, out);
      benchmark::DoNotOptimize(out.data());
    }
  }
  report(state, kGroup * kGroups);
}
BENCHMARK(Decode)->Args({1, 16})->Args({2, 256});

// A vector times a matrix beyond the last cache: 256 MB of float32, or 32 MB of codes.
constexpr std::size_t kRows = 8192, kCols = 8192;

void ProductOfCodes(benchmark::State& state) {
  const PointGrid& grid = gaussian_grid(*find_gaussian_grid(1, 16));
  std::vector<std::uint8_t> codes(kRows * kCols / 2);
  for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<std::uint8_t>(i * 167);
  const std::vector<float> scales(kRows * kCols / kGroup, 0.5F), x(kCols, 0.25F);
  std::vector<float> y(kRows);
  for (auto _ : state) {
    coded_product(y, codes, scales, grid.points(), x, kGroup);
    benchmark::DoNotOptimize(y.data());
  }
  report(state, kRows * kCols);
}
BENCHMARK(ProductOfCodes);

void ProductOfFloats(benchmark::State& state) {
  const std::vector<float> w(kRows * kCols, 0.5F), x(kCols, 0.25F);
  std::vector<float> y(kRows);
  for (auto _ : state) {
    for (std::size_t r = 0; r < kRows; ++r) {
      y[r] = dot16(std::span(w).subspan(r * kCols, kCols), x);
    }
    benchmark::DoNotOptimize(y.data());
  }
  report(state, kRows * kCols);
}
BENCHMARK(ProductOfFloats);

}  // namespace
}  // namespace skiff::kernels

BENCHMARK_MAIN();
