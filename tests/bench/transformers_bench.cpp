// Speeds of training steps of transformers and of decoding, beside the FMA peak of the core.
//
// All times are CPU time of the thread. `peak` is the share of the peak, measured around each step,
// that the flops declared by training_cost amount to: products of the layers, of attention over
// visible pairs and of the head; not what checkpointing computes again. Decoding of one text stands
// beside the same in plain C at -O3 -march=native. Compare shares and ratios, not
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
#include "tests/bench/plain_decoder.h"

namespace skiff {
namespace {

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

// The same decoder, the same weights, as plain C (plain_decoder.c).
struct PlainModel {
  const LlamaConfig c = story_config();
  Layout layout = llama_layout(c);
  std::vector<std::vector<float>> tensors;  // outputs x inputs
  std::vector<PlainLayer> layers;
  std::vector<float> keys, values, scratch;
  PlainDecoder decoder{};

  explicit PlainModel(const Vector& weights) {
    for (const Slice& s : layout.slices) {
      std::vector<float> m(s.size());
      const float* from = weights.values.data() + s.offset;
      const bool turned = s.order == Order::kInOut;
      for (int i = 0; i < s.rows; ++i) {
        for (int j = 0; j < s.cols; ++j) {
          m[static_cast<std::size_t>(i * s.cols + j)] =
              turned ? from[j * s.rows + i] : from[i * s.cols + j];
        }
      }
      tensors.push_back(std::move(m));
    }
    for (int l = 0; l < c.layers; ++l) {
      const auto w = [&](const char* name) {
        return tensor(llama_slice(l, std::string(name) + ".weight"));
      };
      layers.push_back({w("input_layernorm"), w("self_attn.q_proj"), w("self_attn.k_proj"),
                        w("self_attn.v_proj"), w("self_attn.o_proj"), w("post_attention_layernorm"),
                        w("mlp.gate_proj"), w("mlp.up_proj"), w("mlp.down_proj")});
    }
    const auto cache = static_cast<std::size_t>(c.layers * c.max_sequence * c.kv_dim());
    keys.resize(cache), values.resize(cache), scratch.resize(std::size_t{8} * 1024);
    const auto piece = [&](int i) { return scratch.data() + 1024 * i; };
    decoder = {c.dim,
               c.intermediate,
               c.layers,
               c.heads,
               c.kv_heads,
               c.vocabulary,
               c.max_sequence,
               layers.data(),
               tensor("model.embed_tokens.weight"),
               tensor("model.norm.weight"),
               keys.data(),
               values.data(),
               piece(0),
               piece(1),
               piece(2),
               piece(3),
               piece(4),
               piece(5),
               piece(6),
               piece(7)};
  }
  const float* tensor(const std::string& name) const {
    const auto at = layout.find(name) - layout.slices.data();
    return tensors[static_cast<std::size_t>(at)].data();
  }
};

void plain_c_decoding(benchmark::State& state) {
  const Llama a(story_config(), text_task(512, 512));
  Vector start(a.layout());
  a.initialise(start, Stream(1, "weights"));
  const PlainModel model(start);
  FullWeights weights(start);
  LlamaDecoder ours(a, weights);
  double apart = 0;
  for (auto _ : state) {
    const double begin = thread_seconds();
    for (int t = 0; t < 128; ++t) plain_step(&model.decoder, t, t);
    state.SetIterationTime(thread_seconds() - begin);
  }
  ours.restart();
  for (int t = 0; t < 128; ++t) {
    const std::span<const float> logits = ours.step(t);
    if (t < 127) continue;
    for (std::size_t i = 0; i < logits.size(); ++i) {
      apart = std::max(apart, std::abs(double{logits[i]} - double{model.decoder.logits[i]}));
    }
  }
  state.counters["logits apart"] = apart;  // they do compute the same
  state.SetItemsProcessed(state.iterations() * 128);
}
BENCHMARK(plain_c_decoding)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace skiff

BENCHMARK_MAIN();
