// Speeds of training steps of transformers and of decoding, beside the FMA peak of the core.
//
// All times are CPU time of the thread. `peak` is the share of the peak, measured around each step,
// that the flops declared by training_cost amount to: products of the layers, of attention over
// visible pairs and of the head; not what checkpointing computes again. Decoding of one text stands
// beside plain loops of one text, written as C would have them. Compare shares and ratios, not
// absolute figures, on a machine that is not idle.
#include <benchmark/benchmark.h>
#include <immintrin.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <functional>
#include <vector>

#include "algorithms/models/full_weights.h"
#include "algorithms/models/llama_decoder.h"
#include "sim/core/registry.h"
#include "tests/bench/peak.h"

namespace {

using namespace skiff;

struct Data {
  std::vector<float> features;
  std::vector<std::int32_t> ids, labels;
  std::vector<const float*> rows;
  std::vector<const std::int32_t*> tokens;
  Data(const TaskShape& task, int count)
      : features(static_cast<std::size_t>(count * task.width)),
        ids(static_cast<std::size_t>(count * task.text_length())) {
    Stream s(1, "bench");
    for (float& x : features) x = s.uniform_float();
    for (auto& id : ids) id = static_cast<std::int32_t>(s.below(std::max(1, task.vocabulary)));
    for (int i = 0; i < count; ++i) {
      rows.push_back(features.data() + i * task.width);
      if (task.is_text()) tokens.push_back(ids.data() + i * task.text_length());
      labels.push_back(static_cast<std::int32_t>(s.below(std::max(1, task.classes))));
    }
  }
  Batch batch(const TaskShape& task) const {
    return {{rows.data(), static_cast<int>(rows.size()), task.width}, labels, tokens};
  }
};

void training_step(benchmark::State& state, const Architecture& a, int count, double flops) {
  const Data data(a.task(), count);
  Vector start(a.layout());
  a.initialise(start, Stream(1, "weights"));
  FullWeights weights(start);
  Workspace workspace;
  std::vector<double> shares;
  double peak = 0;
  for (auto _ : state) {
    const double before = fma_peak();
    const double begin = thread_seconds();
    workspace.reset();
    weights.clear_gradient();
    benchmark::DoNotOptimize(a.loss_and_gradient(weights, data.batch(a.task()), workspace));
    const double seconds = thread_seconds() - begin;
    peak = (before + fma_peak()) / 2;
    shares.push_back(flops / seconds / peak);
    state.SetIterationTime(seconds);
  }
  std::sort(shares.begin(), shares.end());
  state.counters["peak GFLOP/s"] = peak * 1e-9;
  state.counters["peak"] = shares[shares.size() / 2];
}

LlamaConfig decoder_config() {
  LlamaConfig c;
  c.vocabulary = 512;
  c.dim = 256;
  c.layers = 4;
  c.heads = c.kv_heads = 8;
  c.intermediate = 688;
  c.max_sequence = 256;
  return c;
}

TaskShape text_task(int vocabulary, int length) {
  TaskShape task;
  task.kind = TaskKind::kNextToken;
  task.vocabulary = vocabulary;
  task.sequence_length = length;
  return task;
}

// d = 256, 4 layers, 8 x 256 tokens.
void decoder_step(benchmark::State& state, bool checkpointing) {
  const auto whole = std::make_shared<const Llama>(decoder_config(), text_task(512, 256));
  const double flops = whole->training_cost(8).flops.value();
  training_step(state, checkpointing ? *whole->checkpointed() : *whole, 8, flops);
}
BENCHMARK_CAPTURE(decoder_step, kept, false)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(decoder_step, checkpointed, true)->UseManualTime()->Unit(benchmark::kMillisecond);

void family_step(benchmark::State& state, const char* family, const TaskShape& task, int count) {
  Node map;
  map.kind = Node::Kind::kMap;
  map.set("architecture", Node::scalar(family));
  map.set("preset", Node::scalar("small"));
  const auto a = Registry<ModelFamily>::instance().make(map)->build(task);
  training_step(state, *a, count, a->training_cost(count).flops.value());
}
BENCHMARK_CAPTURE(family_step, vit_small_32x32x3, "vit",
                  TaskShape{TaskKind::kClassification, 3072, 10, 3, 32, 32}, 24)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(family_step, resnet_small_32x32x3, "resnet",
                  TaskShape{TaskKind::kClassification, 3072, 10, 3, 32, 32}, 24)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(family_step, cifg_lstm_small, "cifg-lstm", text_task(2048, 20), 32)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

// The shape of stories260K, 128 tokens.
LlamaConfig story_config() {
  LlamaConfig c;
  c.vocabulary = c.max_sequence = 512;
  c.dim = 64;
  c.layers = 5;
  c.heads = 8;
  c.kv_heads = 4;
  c.intermediate = 172;
  return c;
}

void decoding(benchmark::State& state) {
  const Llama a(story_config(), text_task(512, 512));
  Vector start(a.layout());
  a.initialise(start, Stream(1, "weights"));
  FullWeights weights(start);
  LlamaDecoder decoder(a, weights);
  for (auto _ : state) {
    decoder.restart();
    const double begin = thread_seconds();
    for (int t = 0; t < 128; ++t) benchmark::DoNotOptimize(decoder.step(t)[0]);
    state.SetIterationTime(thread_seconds() - begin);
  }
  state.SetItemsProcessed(state.iterations() * 128);
}
BENCHMARK(decoding)->UseManualTime()->Unit(benchmark::kMillisecond);

// The matrices of the same decoder by plain loops, one output after the other: what the products
// alone of a plain program take (it has no norms, no attention).
void plain_loops_decoding(benchmark::State& state) {
  const LlamaConfig c = story_config();
  const Layout layout = llama_layout(c);
  std::vector<float> w(layout.size, 0.01F), x(512, 1.0F), y(512);
  for (auto _ : state) {
    const double begin = thread_seconds();
    for (int t = 0; t < 128; ++t) {
      for (const Slice& s : layout.slices) {
        if (s.cols == 1) continue;
        const float* m = w.data() + s.offset;
        for (int i = 0; i < s.rows; ++i) {
          float sum = 0;
          for (int j = 0; j < s.cols; ++j)
            sum += m[i * s.cols + j] * x[static_cast<std::size_t>(j)];
          y[static_cast<std::size_t>(i)] = sum;
        }
        benchmark::DoNotOptimize(y.data());
        benchmark::ClobberMemory();
      }
    }
    state.SetIterationTime(thread_seconds() - begin);
  }
  state.SetItemsProcessed(state.iterations() * 128);
}
BENCHMARK(plain_loops_decoding)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
