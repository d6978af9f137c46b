// Speeds of the kernels, beside the FMA peak of the core measured just before each of them.
//
// All times are CPU time of the thread. `peak` is the share of the measured peak (fma instructions
// on registers alone); compare shares and ratios, not absolute figures, on a machine that is not
// idle.
#include <benchmark/benchmark.h>
#include <immintrin.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <vector>

#include "algorithms/kernels/bitpack.h"
#include "algorithms/kernels/convolution.h"
#include "algorithms/kernels/exp.h"
#include "algorithms/kernels/gemm.h"
#include "algorithms/kernels/narrow.h"
#include "algorithms/kernels/pooling.h"
#include "algorithms/kernels/reduce.h"
#include "algorithms/kernels/softmax.h"
#include "algorithms/kernels/topk.h"

namespace skiff::kernels {
namespace {

double thread_seconds() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// Flops per second of 12 independent chains of 8-lane fmas: the best of a few short runs.
double fma_peak() {
  double best = 0;
  for (int run = 0; run < 5; ++run) {
    __m256 acc[12];
    float start_value = 1;
    for (__m256& a : acc) {  // values that the compiler cannot know to be equal
      benchmark::DoNotOptimize(start_value += 1);
      a = _mm256_set1_ps(start_value);
    }
    __m256 x = _mm256_set1_ps(0.999F), y = _mm256_set1_ps(0.001F);
    const double start = thread_seconds();
    constexpr int kSteps = 200000;
    for (int i = 0; i < kSteps; ++i) {
#pragma GCC unroll 12
      for (__m256& a : acc) a = _mm256_fmadd_ps(a, x, y);
      __asm__ volatile("" : "+x"(x), "+x"(y));
    }
    const double seconds = thread_seconds() - start;
    for (__m256& a : acc) benchmark::DoNotOptimize(a);
    best = std::max(best, 12.0 * 16.0 * kSteps / seconds);
  }
  return best;
}

std::vector<float> numbers(std::size_t n, float low = -1, float high = 1) {
  std::vector<float> v(n);
  std::uint64_t s = n;
  for (float& x : v) {
    s = s * 6364136223846793005U + 1442695040888963407U;
    x = low + (high - low) * static_cast<float>(s >> 40) * 0x1p-24F;
  }
  return v;
}

// A matrix on a 64-byte boundary.
struct Matrix {
  Matrix(int r, int c) : rows(r), cols(c), data(numbers(static_cast<std::size_t>(r * c) + 16)) {}
  float* start() {
    const auto address = reinterpret_cast<std::uintptr_t>(data.data());
    return data.data() + (64 - address % 64) % 64 / sizeof(float);
  }
  MatrixView view() { return dense(start(), rows, cols); }
  std::span<float> span() { return {start(), static_cast<std::size_t>(rows * cols)}; }
  int rows, cols;
  std::vector<float> data;
};

// Samples of a shard of 3000, taken in scattered order, as a batch.
struct Batch {
  Batch(int count, int width) : shard(3000, width) {
    for (int b = 0; b < count; ++b) pointers.push_back(shard.view()[b * 1327 % 3000]);
  }
  Rows rows() const { return {pointers.data(), static_cast<int>(pointers.size()), shard.cols}; }
  Matrix shard;
  std::vector<const float*> pointers;
};

template <class Body>
void measure(benchmark::State& state, double flops, Body body) {
  const double peak = fma_peak();
  for (auto _ : state) {
    body();
    benchmark::ClobberMemory();
  }
  const double total = flops * static_cast<double>(state.iterations());
  using benchmark::Counter;
  state.counters["GFLOP/s"] = Counter(total * 1e-9, Counter::kIsRate);
  state.counters["peak"] = Counter(total / peak, Counter::kIsRate);
}

double product_flops(const benchmark::State& state) {
  return 2.0 * static_cast<double>(state.range(0) * state.range(1) * state.range(2));
}

int arg(const benchmark::State& state, int i) {
  return static_cast<int>(state.range(static_cast<std::size_t>(i)));
}

void forward_relu(benchmark::State& state) {
  const int m = arg(state, 0), k = arg(state, 1), n = arg(state, 2);
  Batch x(m, k);
  Matrix w(k, n), y(m, n), bias(1, n);
  measure(state, product_flops(state),
          [&] { forward(y.view(), x.rows(), w.view(), bias.span(), Activation::kRelu); });
}
BENCHMARK(forward_relu)
    ->Args({20, 784, 200})
    ->Args({20, 200, 200})
    ->Args({1, 784, 200})
    ->Args({2, 784, 200})
    ->Args({4, 784, 200})
    ->Args({5, 784, 200})
    ->Args({10, 784, 200})
    ->Args({32, 784, 200})
    ->Args({100, 784, 200});

void input_gradient_relu(benchmark::State& state) {
  const int m = arg(state, 0), k = arg(state, 1), n = arg(state, 2);
  Matrix dy(m, k), w(k, n), active(m, n), dx(m, n);
  measure(state, product_flops(state),
          [&] { input_gradient_relu(dx.view(), dy.view(), w.view(), active.view()); });
}
BENCHMARK(input_gradient_relu)->Args({20, 200, 200});

void weight_update(benchmark::State& state) {
  const int m = arg(state, 0), k = arg(state, 1), n = arg(state, 2);  // k is the batch
  Batch x(k, m);
  Matrix dy(k, n), w(m, n);
  measure(state, product_flops(state),
          [&] { weight_update(w.view(), x.rows(), dy.view(), 1e-9F); });
}
BENCHMARK(weight_update)->Args({784, 20, 200})->Args({200, 20, 200})->Args({784, 32, 200});

void weight_gradient(benchmark::State& state) {
  const int m = arg(state, 0), k = arg(state, 1), n = arg(state, 2);
  Batch x(k, m);
  Matrix dy(k, n), w(m, n);
  measure(state, product_flops(state), [&] { weight_gradient(w.view(), x.rows(), dy.view()); });
}
BENCHMARK(weight_gradient)->Args({784, 20, 200});

void transpose_square(benchmark::State& state) {
  const int n = arg(state, 0);
  Matrix in(n, n), out(n, n);
  measure(state, 0, [&] { transpose(out.view(), in.view()); });
}
BENCHMARK(transpose_square)->Arg(200)->Arg(256);

template <auto kProduct>
void product(benchmark::State& state) {
  const int m = arg(state, 0), k = arg(state, 1), n = arg(state, 2);
  Matrix a(m, k), b(k, n), c(m, n);
  MatrixView left = a.view(), right = b.view();
  if (kProduct == &gemm_nt) right = dense(b.start(), n, k);
  if (kProduct == &gemm_tn) left = dense(a.start(), k, m);
  measure(state, product_flops(state),
          [&] { kProduct(c.view(), left, right, Output::kOverwrite); });
}
void shapes(benchmark::internal::Benchmark* b) {
  for (const std::vector<std::int64_t>& s :
       std::vector<std::vector<std::int64_t>>{{64, 64, 64},
                                              {256, 256, 256},
                                              {256, 256, 688},
                                              {256, 512, 512},
                                              {512, 2048, 512},
                                              {2048, 256, 688},
                                              {2048, 688, 256}}) {
    b->Args(s);
  }
}
BENCHMARK(product<&gemm_nn>)->Apply(shapes);
BENCHMARK(product<&gemm_nt>)->Apply(shapes);
BENCHMARK(product<&gemm_tn>)->Apply(shapes);

void head_forward(benchmark::State& state) {
  const int m = arg(state, 0), k = arg(state, 1), n = arg(state, 2);
  Batch x(m, k);
  Matrix w(n, k), y(m, n), bias(1, n);
  measure(state, product_flops(state),
          [&] { narrow_forward(y.view(), x.rows(), w.view(), bias.span()); });
}
BENCHMARK(head_forward)->Args({20, 784, 10})->Args({20, 200, 10});

void head_update(benchmark::State& state) {
  const int m = arg(state, 0), k = arg(state, 1), n = arg(state, 2);
  Batch x(m, k);
  Matrix w(n, k), dy(m, n);
  measure(state, product_flops(state),
          [&] { narrow_weight_update(w.view(), x.rows(), dy.view(), 1e-9F); });
}
BENCHMARK(head_update)->Args({20, 784, 10})->Args({20, 200, 10});

void head_input_gradient(benchmark::State& state) {
  const int m = arg(state, 0), k = arg(state, 1), n = arg(state, 2);
  Matrix w(n, k), dy(m, n), dx(m, k), active(m, k);
  measure(state, product_flops(state),
          [&] { narrow_input_gradient_relu(dx.view(), dy.view(), w.view(), active.view()); });
}
BENCHMARK(head_input_gradient)->Args({20, 200, 10});

void softmax_loss(benchmark::State& state) {
  const int m = arg(state, 0), n = arg(state, 1);
  Matrix z(m, n), d(m, n);
  std::vector<std::int32_t> labels;
  for (int i = 0; i < m; ++i) labels.push_back(i % n);
  double loss = 0;
  measure(state, 0, [&] { loss += softmax_cross_entropy(d.view(), z.view(), labels, 0.05F); });
  benchmark::DoNotOptimize(loss);
}
BENCHMARK(softmax_loss)->Args({20, 10})->Args({256, 1000});

// One step of the 784-200-200-10 perceptron on a batch of 20. A client's update is 150 of them.
void mlp_step(benchmark::State& state) {
  constexpr int kBatch = 20;
  Batch x(kBatch, 784);
  Matrix w1(784, 200), w2(200, 200), w3(10, 200), b1(1, 200), b2(1, 200), b3(1, 10);
  Matrix h1(kBatch, 200), h2(kBatch, 200), z(kBatch, 10), d1(kBatch, 200), d2(kBatch, 200);
  Matrix w2_transposed(200, 200);
  std::vector<std::int32_t> labels;
  for (int i = 0; i < kBatch; ++i) labels.push_back(i % 10);
  scale(w1.span(), 0.05F, w1.span());
  scale(w2.span(), 0.05F, w2.span());
  const float rate = 1e-6F;
  const double weights = 784 * 200 + 200 * 200 + 200 * 10;
  const double flops = kBatch * (6.0 * weights - 2.0 * 784 * 200);
  measure(state, flops, [&] {
    forward(h1.view(), x.rows(), w1.view(), b1.span(), Activation::kRelu);
    forward(h2.view(), h1.view(), w2.view(), b2.span(), Activation::kRelu);
    narrow_forward(z.view(), h2.view(), w3.view(), b3.span());
    benchmark::DoNotOptimize(softmax_cross_entropy(z.view(), z.view(), labels, 1.0F / kBatch));
    narrow_input_gradient_relu(d2.view(), z.view(), w3.view(), h2.view());
    transpose(w2_transposed.view(), w2.view());
    input_gradient_relu(d1.view(), d2.view(), w2_transposed.view(), h1.view());
    narrow_weight_update(w3.view(), h2.view(), z.view(), rate);
    weight_update(w2.view(), h1.view(), d2.view(), rate);
    weight_update(w1.view(), x.rows(), d1.view(), rate);
    bias_update(b3.span(), z.view(), rate);
    bias_update(b2.span(), d2.view(), rate);
    bias_update(b1.span(), d1.view(), rate);
  });
  state.counters["updates/s"] = benchmark::Counter(static_cast<double>(state.iterations()) / 150,
                                                   benchmark::Counter::kIsRate);
}
BENCHMARK(mlp_step);

// One step of logistic regression 784-10 on a batch of 20.
void logistic_step(benchmark::State& state) {
  constexpr int kBatch = 20;
  Batch x(kBatch, 784);
  Matrix w(10, 784), b(1, 10), z(kBatch, 10);
  std::vector<std::int32_t> labels;
  for (int i = 0; i < kBatch; ++i) labels.push_back(i % 10);
  measure(state, 4.0 * kBatch * 7840, [&] {
    narrow_forward(z.view(), x.rows(), w.view(), b.span());
    benchmark::DoNotOptimize(softmax_cross_entropy(z.view(), z.view(), labels, 1.0F / kBatch));
    narrow_weight_update(w.view(), x.rows(), z.view(), 1e-6F);
    bias_update(b.span(), z.view(), 1e-6F);
  });
  state.counters["updates/s"] = benchmark::Counter(static_cast<double>(state.iterations()) / 150,
                                                   benchmark::Counter::kIsRate);
}
BENCHMARK(logistic_step);

void elements(benchmark::State& state, double count) {
  state.counters["elements/s"] = benchmark::Counter(count * static_cast<double>(state.iterations()),
                                                    benchmark::Counter::kIsRate);
}

template <auto kFunction>
void elementwise(benchmark::State& state) {
  Matrix x(1, 4096), y(1, 4096);
  const auto f = static_cast<void (*)(std::span<float>, std::span<const float>)>(kFunction);
  measure(state, 0, [&] { f(y.span(), x.span()); });
  elements(state, 4096);
}
using SpanFunction = void (*)(std::span<float>, std::span<const float>);
BENCHMARK(elementwise<static_cast<SpanFunction>(vexp)>);
BENCHMARK(elementwise<static_cast<SpanFunction>(vlog)>);
BENCHMARK(elementwise<static_cast<SpanFunction>(vsoftplus)>);
BENCHMARK(elementwise<static_cast<SpanFunction>(vtanh)>);

// k = 1, 10, 100 thousandths of ten million.
void top_k_of_ten_million(benchmark::State& state) {
  const std::size_t n = 10'000'000;
  const auto k = n / 1000 * static_cast<std::size_t>(state.range(0));
  const std::vector<float> x = numbers(n);
  std::vector<std::uint32_t> indices(k), scratch(top_k_scratch(n, k));
  for (auto _ : state) benchmark::DoNotOptimize(top_k(indices, x, scratch));
  elements(state, static_cast<double>(n));
}
BENCHMARK(top_k_of_ten_million)->Arg(1)->Arg(10)->Arg(100)->Unit(benchmark::kMillisecond);

void pack_and_unpack(benchmark::State& state) {
  const int bits = arg(state, 0);
  std::vector<std::uint8_t> codes(65536, 1), packed(packed_bytes(codes.size(), bits));
  for (auto _ : state) {
    pack_bits(packed, codes, bits);
    unpack_bits(codes, packed, bits);
    benchmark::ClobberMemory();
  }
  elements(state, static_cast<double>(codes.size()));
}
BENCHMARK(pack_and_unpack)->Arg(3)->Arg(4);

// Arguments: height (= width), in, out; 5 x 5.
struct Layer {
  explicit Layer(const benchmark::State& state)
      : shape{arg(state, 0), arg(state, 0), arg(state, 1), arg(state, 2), 5},
        x(1, static_cast<int>(shape.inputs())),
        y(1, static_cast<int>(shape.outputs())),
        w(1, static_cast<int>(shape.weights())),
        flipped(1, static_cast<int>(shape.weights())),
        bias(1, shape.out),
        scratch(1, static_cast<int>(convolution_scratch(shape))) {}
  double flops() const { return 2.0 * 25 * shape.in * static_cast<double>(shape.outputs()); }
  Convolution shape;
  Matrix x, y, w, flipped, bias, scratch;
};

void convolution_forward(benchmark::State& state) {
  Layer l(state);
  measure(state, l.flops(), [&] {
    convolution_forward(l.y.span(), l.x.span(), l.w.span(), l.bias.span(), l.shape,
                        l.scratch.span());
  });
}
void convolution_input_gradient(benchmark::State& state) {
  Layer l(state);
  measure(state, l.flops(), [&] {
    convolution_input_gradient(l.x.span(), l.y.span(), l.flipped.span(), l.shape, l.scratch.span());
  });
}
void convolution_weight_gradient(benchmark::State& state) {
  Layer l(state);
  measure(state, l.flops(), [&] {
    convolution_weight_gradient(l.w.span(), l.x.span(), l.y.span(), l.shape, l.scratch.span(),
                                Output::kOverwrite);
  });
}
BENCHMARK(convolution_forward)->Args({28, 1, 8})->Args({12, 8, 16})->Args({16, 16, 32});
BENCHMARK(convolution_input_gradient)->Args({12, 8, 16})->Args({16, 16, 32});
BENCHMARK(convolution_weight_gradient)->Args({28, 1, 8})->Args({12, 8, 16})->Args({16, 16, 32});

void pool_and_unpool(benchmark::State& state) {
  const Pooling shape{24, 24, 8};
  Matrix image(24 * 24, 8), pooled(12 * 12, 8);
  std::vector<std::uint8_t> winner(12 * 12 * 8);
  measure(state, 0, [&] {
    max_pool(pooled.span(), winner, image.span(), shape, Activation::kRelu);
    max_unpool_relu(image.span(), pooled.span(), winner, pooled.span(), shape);
  });
}
BENCHMARK(pool_and_unpool);

// One step on a batch of 20: conv 5x5x8, pool, conv 5x5x16, pool, 256-10.
void cnn_step(benchmark::State& state) {
  constexpr int kBatch = 20;
  const Convolution first{28, 28, 1, 8, 5}, second{12, 12, 8, 16, 5};
  const Pooling pool1{24, 24, 8}, pool2{8, 8, 16};
  Batch x(kBatch, 784);
  Matrix w1(25, 8), w2(200, 16), w3(10, 256), b1(1, 8), b2(1, 16), b3(1, 10), flipped(200, 16);
  Matrix g1(25, 8), g2(200, 16), s1(1, 8), s2(1, 16);
  Matrix y1(1, 24 * 24 * 8), p1(kBatch, 12 * 12 * 8), y2(1, 8 * 8 * 16), p2(kBatch, 256);
  Matrix z(kBatch, 10), dp2(kBatch, 256), dp1(1, 12 * 12 * 8), scratch(1, 30000);
  std::vector<std::uint8_t> i1(kBatch * 1152), i2(kBatch * 256);
  std::vector<std::int32_t> labels;
  for (int i = 0; i < kBatch; ++i) labels.push_back(i % 10);
  scale(w2.span(), 0.1F, w2.span());
  const float rate = 1e-6F;
  const double flops = kBatch * 2.0 * (2.0 * 576 * 25 * 8 + 3.0 * 64 * 200 * 16 + 3.0 * 2560);
  const auto place = [](std::vector<std::uint8_t>& all, int b, std::size_t size) {
    return std::span(all).subspan(static_cast<std::size_t>(b) * size, size);
  };
  const auto row = [](Matrix& m, int b) {
    return m.span().subspan(static_cast<std::size_t>(b * m.cols), static_cast<std::size_t>(m.cols));
  };
  measure(state, flops, [&] {
    for (int b = 0; b < kBatch; ++b) {
      const std::span<const float> sample{x.pointers[static_cast<std::size_t>(b)], 784};
      convolution_forward(y1.span(), sample, w1.span(), b1.span(), first, scratch.span());
      max_pool(row(p1, b), place(i1, b, 1152), y1.span(), pool1, Activation::kRelu);
      convolution_forward(y2.span(), row(p1, b), w2.span(), b2.span(), second, scratch.span());
      max_pool(row(p2, b), place(i2, b, 256), y2.span(), pool2, Activation::kRelu);
    }
    narrow_forward(z.view(), p2.view(), w3.view(), b3.span());
    benchmark::DoNotOptimize(softmax_cross_entropy(z.view(), z.view(), labels, 1.0F / kBatch));
    narrow_input_gradient(dp2.view(), z.view(), w3.view());
    convolution_flip(flipped.span(), w2.span(), second);
    for (int b = 0; b < kBatch; ++b) {
      const Output output = b == 0 ? Output::kOverwrite : Output::kAdd;
      const std::span<const float> sample{x.pointers[static_cast<std::size_t>(b)], 784};
      max_unpool_relu(y2.span(), row(dp2, b), place(i2, b, 256), row(p2, b), pool2);
      convolution_weight_gradient(g2.span(), row(p1, b), y2.span(), second, scratch.span(), output);
      column_sum(s2.span(), dense(y2.start(), 64, 16), output);
      convolution_input_gradient(dp1.span(), y2.span(), flipped.span(), second, scratch.span());
      max_unpool_relu(y1.span(), dp1.span(), place(i1, b, 1152), row(p1, b), pool1);
      convolution_weight_gradient(g1.span(), sample, y1.span(), first, scratch.span(), output);
      column_sum(s1.span(), dense(y1.start(), 576, 8), output);
    }
    narrow_weight_update(w3.view(), p2.view(), z.view(), rate);
    bias_update(b3.span(), z.view(), rate);
    axpy(w1.span(), -rate, g1.span());
    axpy(w2.span(), -rate, g2.span());
    axpy(b1.span(), -rate, s1.span());
    axpy(b2.span(), -rate, s2.span());
  });
  state.counters["samples/s"] = benchmark::Counter(kBatch * static_cast<double>(state.iterations()),
                                                   benchmark::Counter::kIsRate);
}
BENCHMARK(cnn_step);

}  // namespace
}  // namespace skiff::kernels

BENCHMARK_MAIN();
