// Speeds of whole client updates, beside the FMA peak of the core measured around each of them.
//
// A client update binds the received weights, shuffles the shard, runs every step of an epoch and
// takes the difference. The shard (9 MB for 3000 images) lies beyond L2, as a real client's does:
// kernels_bench.cpp steps on one batch again and again, and is faster by what that hides. All
// times, "manual_time" too, are CPU time of the thread and nothing else is timed: not the data, not
// the peak, which fma instructions on registers alone give just before each update. Where cores
// share their front end with a neighbour the peak suffers less than real code, so the share falls.
// `peak` is the share of the measured peak that the update's own flops amount to (1 = the
// arithmetic ceiling); compare shares and ratios, not absolute figures, on a machine that is not
// idle.
#include <benchmark/benchmark.h>
#include <immintrin.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <numeric>
#include <vector>

#include "algorithms/models/architecture.h"
#include "algorithms/models/full_weights.h"
#include "sim/core/distributions.h"
#include "sim/core/registry.h"
#include "tests/bench/peak.h"

namespace skiff {
namespace {

Node map_of(std::initializer_list<std::pair<const char*, Node>> entries) {
  Node map;
  map.kind = Node::Kind::kMap;
  for (const auto& [key, value] : entries) map.set(key, value);
  return map;
}
Node list_of(std::initializer_list<const char*> items) {
  Node list;
  list.kind = Node::Kind::kList;
  for (const char* item : items) list.items.push_back(Node::scalar(item));
  return list;
}

TaskShape image_task(int channels, int side) {
  return {TaskKind::kClassification, channels * side * side, 10, channels, side, side};
}

Samples random_samples(const TaskShape& task, int rows) {
  Samples samples(static_cast<std::size_t>(rows), task.width);
  Stream stream(1, "bench.samples");
  for (float& x : samples.features) x = stream.uniform_float();
  for (std::int32_t& y : samples.labels) {
    y = static_cast<std::int32_t>(stream.below(static_cast<std::uint32_t>(task.classes)));
  }
  return samples;
}

// One client with its shard: what a worker keeps between jobs.
class Client {
 public:
  Client(const Node& model, const TaskShape& task, int samples, int batch)
      : architecture_(Registry<ModelFamily>::instance().make(model)->build(task)),
        received_(architecture_->layout()),
        update_(architecture_->layout()),
        weights_(received_),
        samples_(random_samples(task, samples)),
        batch_(batch) {
    architecture_->initialise(received_, Stream(7, "bench.weights"));
    rows_.resize(static_cast<std::size_t>(batch));
    labels_.resize(static_cast<std::size_t>(batch));
    order_.resize(static_cast<std::size_t>(samples));
    std::iota(order_.begin(), order_.end(), 0);
  }

  void train(bool fused) {
    weights_.rebind(received_);
    if (fused) weights_.fuse_sgd(kRate);
    Stream stream(3, "bench.order", 0, ++round_);
    shuffle<std::int32_t>(stream, order_);
    for (std::size_t begin = 0; begin + rows_.size() <= order_.size(); begin += rows_.size()) {
      step(begin, fused);
    }
    weights_.update(update_);
    benchmark::DoNotOptimize(update_.values.data());
  }
  double evaluate(int rows) {
    std::vector<const float*> all;
    for (int i = 0; i < rows; ++i) all.push_back(samples_.row(i));
    workspace_.reset();
    const Batch batch{{all.data(), rows, samples_.width},
                      std::span(samples_.labels).first(static_cast<std::size_t>(rows))};
    return architecture_->evaluate(weights_, batch, workspace_).loss;
  }
  double flops() const {
    return architecture_->training_cost(batch_).flops.value() *
           static_cast<double>(order_.size() / rows_.size());
  }
  double samples() const { return static_cast<double>(order_.size()); }

 private:
  static constexpr float kRate = 0.05F;
  void step(std::size_t begin, bool fused) {
    for (std::size_t b = 0; b < rows_.size(); ++b) {
      rows_[b] = samples_.row(order_[begin + b]);
      labels_[b] = samples_.labels[static_cast<std::size_t>(order_[begin + b])];
    }
    workspace_.reset();
    const Batch batch{{rows_.data(), batch_, samples_.width}, labels_};
    if (!fused) weights_.clear_gradient();
    benchmark::DoNotOptimize(architecture_->loss_and_gradient(weights_, batch, workspace_));
    if (fused) return;
    const std::vector<float>& g = weights_.gradient().values;
    std::vector<float>& w = weights_.parameters().values;
    for (std::size_t i = 0; i < w.size(); ++i) w[i] = std::fma(-kRate, g[i], w[i]);
  }

  std::shared_ptr<const Architecture> architecture_;
  Vector received_, update_;
  FullWeights weights_;
  Workspace workspace_;
  Samples samples_;
  int batch_;
  std::uint64_t round_ = 0;
  std::vector<std::int32_t> order_, labels_;
  std::vector<const float*> rows_;
};

void measure(benchmark::State& state, Client& client, bool fused) {
  double seconds = 0, peak = 0;
  std::vector<double> shares;
  const double flops = client.flops();
  client.train(fused);
  for ([[maybe_unused]] auto _ : state) {
    const double around = fma_peak();
    const double start = thread_seconds();
    client.train(fused);
    const double elapsed = thread_seconds() - start;
    state.SetIterationTime(elapsed);
    seconds += elapsed;
    peak = std::max(peak, around);
    shares.push_back(flops / elapsed / around);
  }
  std::nth_element(shares.begin(), shares.begin() + static_cast<long>(shares.size() / 2),
                   shares.end());
  const auto runs = static_cast<double>(state.iterations());
  state.counters["updates/s"] = runs / seconds;
  state.counters["samples/s"] = runs * client.samples() / seconds;
  state.counters["GFLOP/s"] = runs * flops / seconds * 1e-9;
  state.counters["peak GFLOP/s"] = peak * 1e-9;
  state.counters["peak"] = shares[shares.size() / 2];
}

void mlp(benchmark::State& state, bool fused) {
  Client client(
      map_of({{"architecture", Node::scalar("mlp")}, {"hidden", list_of({"200", "200"})}}),
      image_task(1, 28), 3000, 20);
  measure(state, client, fused);
}
BENCHMARK_CAPTURE(mlp, fused, true)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(mlp, unfused, false)->UseManualTime()->Unit(benchmark::kMillisecond);

void logistic_regression(benchmark::State& state, bool fused) {
  Client client(map_of({{"architecture", Node::scalar("logistic-regression")}}), image_task(1, 28),
                3000, 20);
  measure(state, client, fused);
}
BENCHMARK_CAPTURE(logistic_regression, fused, true)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(logistic_regression, unfused, false)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

void cnn(benchmark::State& state, const char* preset, int channels, int side, bool fused) {
  Client client(map_of({{"architecture", Node::scalar("cnn")}, {"preset", Node::scalar(preset)}}),
                image_task(channels, side), 600, 20);
  measure(state, client, fused);
}
BENCHMARK_CAPTURE(cnn, small_28x28, "small", 1, 28, true)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(cnn, small_32x32x3, "small", 3, 32, true)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(cnn, base_28x28, "base", 1, 28, true)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

// 10 features, 10 classes, one full batch of 20 samples: from the shuffle to the update.
void tiny_client(benchmark::State& state) {
  Client client(map_of({{"architecture", Node::scalar("logistic-regression")}}),
                {TaskKind::kClassification, 10, 10, 0, 0, 0}, 20, 20);
  constexpr int kClients = 1000;
  for ([[maybe_unused]] auto _ : state) {
    const double start = thread_seconds();
    for (int i = 0; i < kClients; ++i) client.train(true);
    state.SetIterationTime(thread_seconds() - start);
  }
  state.SetItemsProcessed(state.iterations() * kClients);
  state.counters["us/client"] =
      benchmark::Counter(1e-6 * static_cast<double>(state.iterations()) * kClients,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(tiny_client)->UseManualTime()->Unit(benchmark::kMillisecond);

// The same network as plain loops, compiled like everything else: what no kernel at all would give.
class PlainMlp {
 public:
  PlainMlp() : w1(784 * 200, 0.01F), w2(200 * 200, 0.01F), w3(200 * 10, 0.01F) {}
  void step(const Samples& samples, std::span<const std::int32_t> rows) {
    const int batch = static_cast<int>(rows.size());
    std::vector<float> x;
    for (const std::int32_t row : rows) {
      x.insert(x.end(), samples.row(row), samples.row(row) + 784);
    }
    std::vector<float> h1 = product(x, w1, batch, 784, 200), h2, z;
    for (float& v : h1) v = std::max(v, 0.0F);
    h2 = product(h1, w2, batch, 200, 200);
    for (float& v : h2) v = std::max(v, 0.0F);
    z = product(h2, w3, batch, 200, 10);
    for (int b = 0; b < batch; ++b) softmax(&z[b * 10], samples.labels[rows[b]], batch);
    std::vector<float> d2 = back(z, w3, h2, batch, 200, 10);
    std::vector<float> d1 = back(d2, w2, h1, batch, 200, 200);
    update(w3, h2, z, batch, 200, 10);
    update(w2, h1, d2, batch, 200, 200);
    update(w1, x, d1, batch, 784, 200);
  }

 private:
  using Floats = std::vector<float>;
  static Floats product(const Floats& x, const Floats& w, int batch, int in, int out) {
    Floats y(batch * out);
    for (int b = 0; b < batch; ++b) {
      for (int i = 0; i < in; ++i) {
        for (int o = 0; o < out; ++o) y[b * out + o] += x[b * in + i] * w[i * out + o];
      }
    }
    return y;
  }
  static void softmax(float* z, int label, int batch) {
    const float greatest = *std::max_element(z, z + 10);
    float sum = 0;
    for (int c = 0; c < 10; ++c) sum += z[c] = std::exp(z[c] - greatest);
    for (int c = 0; c < 10; ++c) {
      z[c] = (z[c] / sum - (c == label ? 1.0F : 0.0F)) / static_cast<float>(batch);
    }
  }
  static Floats back(const Floats& d, const Floats& w, const Floats& x, int batch, int in,
                     int out) {
    Floats dx(batch * in);
    for (int b = 0; b < batch; ++b) {
      for (int i = 0; i < in; ++i) {
        float sum = 0;
        for (int o = 0; o < out; ++o) sum += d[b * out + o] * w[i * out + o];
        dx[b * in + i] = x[b * in + i] > 0 ? sum : 0;
      }
    }
    return dx;
  }
  static void update(Floats& w, const Floats& x, const Floats& d, int batch, int in, int out) {
    Floats g(w.size());
    for (int b = 0; b < batch; ++b) {
      for (int i = 0; i < in; ++i) {
        for (int o = 0; o < out; ++o) g[i * out + o] += x[b * in + i] * d[b * out + o];
      }
    }
    for (std::size_t i = 0; i < w.size(); ++i) w[i] -= 0.05F * g[i];
  }
  Floats w1, w2, w3;
};

void plain_loops_mlp(benchmark::State& state) {
  const Samples samples = random_samples(image_task(1, 28), 3000);
  PlainMlp network;
  std::vector<std::int32_t> order(3000);
  std::iota(order.begin(), order.end(), 0);
  double seconds = 0;
  for ([[maybe_unused]] auto _ : state) {
    const double start = thread_seconds();
    for (std::size_t begin = 0; begin < order.size(); begin += 20) {
      network.step(samples, std::span(order).subspan(begin, 20));
    }
    state.SetIterationTime(thread_seconds() - start);
    seconds += thread_seconds() - start;
  }
  state.counters["updates/s"] = static_cast<double>(state.iterations()) / seconds;
}
BENCHMARK(plain_loops_mlp)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace skiff

BENCHMARK_MAIN();
