// What low-rank factors cost: a training step beside the full one's, and the aggregation of unequal
// ranks. CPU time of the thread; `of full` is the ratio to the full step, run in turn with it.
#include <benchmark/benchmark.h>

#include <vector>

#include "algorithms/adaptation/unequal_ranks.h"
#include "algorithms/kernels/low_rank_sum.h"
#include "algorithms/model.h"
#include "algorithms/models/full_weights.h"
#include "algorithms/models/llama.h"
#include "algorithms/parametrization.h"
#include "sim/core/registry.h"
#include "tests/bench/peak.h"

namespace skiff {
namespace {

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

Node adapter(const char* targets) {
  Node map;
  for (const auto& [key, value] : {std::pair("name", "lora"), std::pair("rank", "8"),
                                   std::pair("alpha", "16"), std::pair("aggregation", "fedit")}) {
    map.set(key, Node::scalar(value));
  }
  if (std::string(targets) == "linear") {
    map.set("targets", Node::scalar("linear"));
    return map;
  }
  Node list;
  list.kind = Node::Kind::kList;
  for (const char* name : {"q_proj", "v_proj"}) list.items.push_back(Node::scalar(name));
  map.set("targets", list);
  return map;
}

// d = 256, 4 layers, 8 x 256 tokens.
void lora_step(benchmark::State& state, const char* targets) {
  TaskShape task;
  task.kind = TaskKind::kNextToken;
  task.vocabulary = 512;
  task.sequence_length = 256;
  const Llama model(decoder_config(), task);
  std::vector<std::int32_t> ids(static_cast<std::size_t>(8 * task.text_length()));
  Stream draw(1, "bench");
  for (auto& id : ids) id = static_cast<std::int32_t>(draw.below(512));
  std::vector<const std::int32_t*> tokens;
  std::vector<const float*> rows(8, nullptr);
  for (int i = 0; i < 8; ++i) tokens.push_back(ids.data() + i * task.text_length());
  const std::vector<std::int32_t> labels(8, 0);
  const Batch batch{{rows.data(), 8, 0}, labels, tokens};
  GlobalModel global;
  global.weights = Vector(model.layout());
  model.initialise(global.weights, Stream(1, "weights"));
  FullWeights full(global.weights);
  const auto lora = Registry<Parametrization>::instance().make(adapter(targets));
  const Stream space(3, "space");
  lora->start(global, space);
  const auto low = lora->bind(std::make_shared<const Model>(dense_model(global.weights)),
                              global.adapters, space, nullptr);
  Workspace workspace;
  const auto seconds = [&](Weights& weights) {
    const double begin = thread_seconds();
    workspace.reset();
    weights.clear_gradient();
    benchmark::DoNotOptimize(model.loss_and_gradient(weights, batch, workspace));
    return thread_seconds() - begin;
  };
  double ours = 0, theirs = 0;
  for (auto _ : state) {
    theirs += seconds(full);
    const double one = seconds(*low);
    ours += one;
    state.SetIterationTime(one);
  }
  state.counters["of full"] = ours / theirs;
}
BENCHMARK_CAPTURE(lora_step, q_and_v, "q, v")->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(lora_step, linear, "linear")->UseManualTime()->Unit(benchmark::kMillisecond);

// 100 clients of ranks 8, 16 and 32 beside one 4096 x 4096 layer, to rank 32.
void flexlora(benchmark::State& state) {
  constexpr int kWide = 4096;
  const auto layout = [](int rank) {
    auto made = std::make_shared<Layout>();
    made->add("q_proj.lora_A", rank, kWide, Order::kInOut);
    made->add("q_proj.lora_B", kWide, rank, Order::kInOut);
    return LayoutPtr(made);
  };
  std::vector<Vector> clients;
  for (int k = 0; k < 100; ++k) {
    Vector& v = clients.emplace_back(layout(8 << (k % 3)));
    Stream draw(4, "factors", 0, static_cast<std::uint64_t>(k));
    for (float& x : v.values) x = draw.uniform_float() - 0.5F;
  }
  const std::vector<double> shares(100, 0.01);
  for (auto _ : state) {
    const double begin = thread_seconds();
    benchmark::DoNotOptimize(joined("flexlora", shares, clients, layout(32), 16).values[0]);
    state.SetIterationTime(thread_seconds() - begin);
  }
}
BENCHMARK(flexlora)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace skiff

BENCHMARK_MAIN();
