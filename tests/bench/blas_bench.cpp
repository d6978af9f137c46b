// The 784-200-200-10 perceptron against the same steps written with OpenBLAS, one thread.
//
// Built only where CMake finds OpenBLAS; nothing else uses it. The two loops take turns, 150 steps
// (a client's update) each, on the same shard of 3000 samples; times are CPU time of the thread, so
// what else the machine does counts little, and the medians of many turns are what is compared.
// The rival gathers its batch and adds bias, ReLU and softmax in plain loops, as a C++ user would.
#include <benchmark/benchmark.h>
#include <cblas.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <vector>

#include "algorithms/kernels/gemm.h"
#include "algorithms/kernels/narrow.h"
#include "algorithms/kernels/softmax.h"

extern "C" void openblas_set_num_threads(int);

namespace skiff::kernels {
namespace {
using Floats = std::vector<float>;

constexpr int kBatch = 20, kIn = 784, kHidden = 200, kClasses = 10, kSamples = 3000;
constexpr float kRate = 0.01F;

double thread_seconds() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

Floats numbers(int rows, int cols, float size) {
  Floats v(static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols));
  std::uint64_t s = v.size();
  for (float& x : v) {
    s = s * 6364136223846793005U + 1442695040888963407U;
    x = size * (static_cast<float>(s >> 40) * 0x1p-23F - 1);
  }
  return v;
}

struct Shard {
  Floats x = numbers(kSamples, kIn, 1);
  const float* sample(int i) const { return x.data() + i * 1327 % kSamples * kIn; }
};

struct Network {
  Floats w1 = numbers(kIn, kHidden, 0.04F), w2 = numbers(kHidden, kHidden, 0.07F);
  Floats w3 = numbers(kHidden, kClasses, 0.07F);  // ours: [class][input], the same count
  Floats b1 = Floats(kHidden), b2 = Floats(kHidden), b3 = Floats(kClasses);
  Floats h1 = numbers(kBatch, kHidden, 0), h2 = h1, d1 = h1, d2 = h1;
  Floats z = numbers(kBatch, kClasses, 0), x = numbers(kBatch, kIn, 0);
  Floats turned = numbers(kHidden, kHidden, 0);
  std::vector<std::int32_t> labels = std::vector<std::int32_t>(kBatch);
};

void our_step(Network& n, const Shard& shard, int first) {
  const float* rows[kBatch];
  for (int b = 0; b < kBatch; ++b) rows[b] = shard.sample(first + b);
  const Rows x{rows, kBatch, kIn};
  const auto view = [](Floats& v, int r, int c) { return dense(v.data(), r, c); };
  const MatrixView h1 = view(n.h1, kBatch, kHidden), h2 = view(n.h2, kBatch, kHidden);
  const MatrixView d1 = view(n.d1, kBatch, kHidden), d2 = view(n.d2, kBatch, kHidden);
  const MatrixView w1 = view(n.w1, kIn, kHidden), w2 = view(n.w2, kHidden, kHidden);
  const MatrixView w3 = view(n.w3, kClasses, kHidden), z = view(n.z, kBatch, kClasses);
  const MatrixView turned = view(n.turned, kHidden, kHidden);
  forward(h1, x, w1, n.b1, Activation::kRelu);
  forward(h2, h1, w2, n.b2, Activation::kRelu);
  narrow_forward(z, h2, w3, n.b3);
  benchmark::DoNotOptimize(softmax_cross_entropy(z, z, n.labels, 1.0F / kBatch));
  narrow_input_gradient_relu(d2, z, w3, h2);
  transpose(turned, w2);
  input_gradient_relu(d1, d2, turned, h1);
  narrow_weight_update(w3, h2, z, kRate);
  weight_update(w2, h1, d2, kRate);
  weight_update(w1, x, d1, kRate);
  bias_update(n.b3, z, kRate);
  bias_update(n.b2, d2, kRate);
  bias_update(n.b1, d1, kRate);
}

void blas_layer(Floats& y, const Floats& x, const Floats& w, const Floats& b, int in, int out,
                bool relu) {
  for (int r = 0; r < kBatch; ++r) std::copy_n(b.data(), out, y.data() + r * out);
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, kBatch, out, in, 1, x.data(), in, w.data(),
              out, 1, y.data(), out);
  if (!relu) return;
  for (float& v : y) v = std::max(v, 0.0F);
}
void blas_back(Floats& dx, const Floats& dy, const Floats& w, const Floats& h, int in, int out) {
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, kBatch, in, out, 1, dy.data(), out, w.data(),
              out, 0, dx.data(), in);
  for (std::size_t i = 0; i < dx.size(); ++i) dx[i] = h[i] > 0 ? dx[i] : 0;
}
void blas_update(Floats& w, Floats& bias, const Floats& x, const Floats& dy, int in, int out) {
  cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, in, out, kBatch, -kRate, x.data(), in,
              dy.data(), out, 1, w.data(), out);
  for (int r = 0; r < kBatch; ++r) {
    for (int j = 0; j < out; ++j) bias[j] -= kRate * dy[r * out + j];
  }
}

void blas_step(Network& n, const Shard& shard, int first) {
  for (int b = 0; b < kBatch; ++b) {
    std::copy_n(shard.sample(first + b), kIn, n.x.data() + b * kIn);
  }
  blas_layer(n.h1, n.x, n.w1, n.b1, kIn, kHidden, true);
  blas_layer(n.h2, n.h1, n.w2, n.b2, kHidden, kHidden, true);
  blas_layer(n.z, n.h2, n.w3, n.b3, kHidden, kClasses, false);
  benchmark::DoNotOptimize(softmax_cross_entropy(dense(n.z.data(), kBatch, kClasses),
                                                 dense(n.z.data(), kBatch, kClasses), n.labels,
                                                 1.0F / kBatch));
  blas_back(n.d2, n.z, n.w3, n.h2, kHidden, kClasses);
  blas_back(n.d1, n.d2, n.w2, n.h1, kHidden, kHidden);
  blas_update(n.w3, n.b3, n.h2, n.z, kHidden, kClasses);
  blas_update(n.w2, n.b2, n.h1, n.d2, kHidden, kHidden);
  blas_update(n.w1, n.b1, n.x, n.d1, kIn, kHidden);
}

template <class Step>
double seconds_of_an_update(Step step) {
  const double start = thread_seconds();
  for (int first = 0; first < kSamples; first += kBatch) step(first);
  return thread_seconds() - start;
}

double median(std::vector<double> v) {
  std::nth_element(v.begin(), v.begin() + static_cast<long>(v.size() / 2), v.end());
  return v[v.size() / 2];
}

void mlp_against_openblas(benchmark::State& state) {
  openblas_set_num_threads(1);
  const Shard shard;
  Network ours, rival;
  std::vector<double> our_seconds, blas_seconds, ratios;
  for ([[maybe_unused]] auto _ : state) {
    our_seconds.push_back(seconds_of_an_update([&](int f) { our_step(ours, shard, f); }));
    blas_seconds.push_back(seconds_of_an_update([&](int f) { blas_step(rival, shard, f); }));
    ratios.push_back(blas_seconds.back() / our_seconds.back());
    state.SetIterationTime(our_seconds.back());
  }
  state.counters["updates/s"] = 1 / median(our_seconds);
  state.counters["openblas updates/s"] = 1 / median(blas_seconds);
  state.counters["times openblas"] = median(ratios);
}
BENCHMARK(mlp_against_openblas)->UseManualTime()->Unit(benchmark::kMillisecond)->Iterations(100);

}  // namespace
}  // namespace skiff::kernels

BENCHMARK_MAIN();
