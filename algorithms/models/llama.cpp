#include "algorithms/models/llama.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "algorithms/kernels/embedding.h"
#include "algorithms/models/dense_layers.h"
#include "algorithms/models/dense_network.h"
#include "algorithms/models/losses.h"
#include "sim/core/error.h"

namespace skiff {

using kernels::MatrixView;

namespace {

void require_task(const TaskShape& task, const LlamaConfig& config) {
  if (task.kind != TaskKind::kNextToken || !task.is_text()) {
    throw std::invalid_argument("llama predicts the next token of a text; this task is another");
  }
  if (task.vocabulary > config.vocabulary) {
    throw std::invalid_argument("the text has " + std::to_string(task.vocabulary) +
                                " tokens, the model knows " + std::to_string(config.vocabulary));
  }
  if (task.sequence_length < 1 || task.sequence_length > config.max_sequence) {
    throw std::invalid_argument("sequences of " + std::to_string(task.sequence_length) +
                                " tokens are outside 1.." + std::to_string(config.max_sequence));
  }
}

std::size_t index_of(const Layout& layout, const std::string& name) {
  return static_cast<std::size_t>(layout.find(name) - layout.slices.data());
}

TransformerBlock block_of(const Layout& layout, const LlamaConfig& c, int l) {
  const auto linear = [&](const char* name) {
    return Linear{index_of(layout, llama_slice(l, std::string(name) + "_proj.weight"))};
  };
  const auto norm = [&](const char* name) {
    return NormLayer{NormLayer::Kind::kRms, index_of(layout, llama_slice(l, name)), kNoTensor,
                     c.rms_epsilon};
  };
  const TransformerBlock::Layers layers{.q = linear("self_attn.q"),
                                        .k = linear("self_attn.k"),
                                        .v = linear("self_attn.v"),
                                        .o = linear("self_attn.o"),
                                        .gate = linear("mlp.gate"),
                                        .up = linear("mlp.up"),
                                        .down = linear("mlp.down"),
                                        .attention_norm = norm("input_layernorm.weight"),
                                        .mlp_norm = norm("post_attention_layernorm.weight")};
  return {layers, {c.head_dim(), true, true, c.rope_pairing}};
}

RopeTable table_of(const LlamaConfig& c) {
  RopeTable table;
  table.cosine.resize(static_cast<std::size_t>(c.max_sequence) *
                      static_cast<std::size_t>(c.head_dim() / 2));
  table.sine.resize(table.cosine.size());
  kernels::rope_table(table.cosine, table.sine, 0, c.max_sequence, c.head_dim(), c.rope_theta);
  return table;
}

}  // namespace

Llama::Llama(const LlamaConfig& config, const TaskShape& task, double l2)
    : config_(config), task_(task), l2_(l2) {
  layout_ = std::make_shared<const Layout>(llama_layout(config));
  require_task(task, config);
  embedding_ = index_of(*layout_, "model.embed_tokens.weight");
  for (int l = 0; l < config.layers; ++l) stack_.add(block_of(*layout_, config, l));
  norm_ = {NormLayer::Kind::kRms, index_of(*layout_, "model.norm.weight"), kNoTensor,
           config.rms_epsilon};
  head_ = TokenHead(Linear{config.tied ? embedding_ : index_of(*layout_, "lm_head.weight")});
  rope_ = table_of(config);
}

std::string Llama::summary() const { return summary_of("llama", *layout_); }

std::shared_ptr<const Architecture> Llama::checkpointed() const {
  auto copy = std::make_shared<Llama>(*this);
  copy->stack_.set_checkpointing(true);
  return copy;
}

void Llama::initialise(Vector& weights, Stream stream) const {
  constexpr std::string_view kResidual[] = {"o_proj.weight", "down_proj.weight"};
  initialise_transformer(weights, stream, config_.layers, kResidual);
}

// The buffers of a batch, and its groups one after the other.
struct Llama::Pass {
  const Llama& model;
  Weights& weights;
  const Batch& batch;
  StackPass pass;
  std::span<std::int32_t> ids, targets;
  MatrixView normed;
  std::span<float> statistics;
  TokenHead::Buffers head;

  Pass(const Llama& m, Weights& w, const Batch& b, bool training, Workspace& workspace)
      : model(m),
        weights(w),
        batch(b),
        pass(m.stack_, w.shapes(), b.size(), m.task_.sequence_length, training, workspace) {
    const int rows = pass.rows();
    ids = workspace.take<std::int32_t>(static_cast<std::size_t>(rows));
    targets = workspace.take<std::int32_t>(static_cast<std::size_t>(rows));
    normed = take_matrix(rows, w.shapes().slices[m.embedding_].cols, workspace);
    statistics = workspace.take<float>(m.norm_.statistics(rows));
    head = m.head_.take(w.shapes(), training, workspace);
  }

  // Calls body(buffers, normed hidden rows, sequences, their first row in the batch).
  template <class Body>
  void groups(Body body) {
    pass.groups([&](const TransformerStack::Buffers& b, const Sequences& group, int first) {
      gather(first, group.count);
      kernels::gather_rows(b.input(), embedding(), ids);
      model.stack_.forward(weights, b, group, model.rope_);
      const MatrixView hidden = rows_between(normed, 0, group.rows());
      model.norm_.forward(weights, b.output(), hidden, statistics);
      body(b, hidden, group, first * group.length);
    });
  }
  void gather(int first, int count) const {
    const int length = model.task_.sequence_length;
    for (int s = 0; s < count; ++s) {
      const std::int32_t* text = batch.tokens[static_cast<std::size_t>(first + s)];
      std::copy_n(text, length, ids.data() + s * length);
      std::copy_n(text + 1, length, targets.data() + s * length);
    }
  }
  kernels::ConstMatrixView embedding() const {
    const Slice& s = weights.shapes().slices[model.embedding_];
    return kernels::dense(weights.values(model.embedding_).data(), s.rows, s.cols);
  }
};

double Llama::loss_and_gradient(Weights& weights, const Batch& batch, Workspace& workspace) const {
  const std::int64_t asked = predictions(task_, batch);
  double loss = 0;
  if (asked > 0) {
    const float share = 1.0F / static_cast<float>(asked);
    Pass pass(*this, weights, batch, true, workspace);
    pass.groups([&](const TransformerStack::Buffers& b, MatrixView hidden, const Sequences& group,
                    int) {
      const auto rows = static_cast<std::size_t>(group.rows());
      loss +=
          head_.loss_and_gradient(weights, hidden, pass.targets.first(rows), share, b.d, pass.head);
      norm_.backward(weights, b.d, b.d, b.output(), pass.statistics, b.scratch.norm,
                     kernels::Output::kOverwrite);
      stack_.backward(weights, b, group, rope_);
      weights.add_row_gradients(embedding_, pass.ids.first(rows), b.d);
    });
    loss /= static_cast<double>(asked);
  }
  return l2_ == 0 ? loss : loss + add_l2(weights, l2_);
}

Evaluation Llama::evaluate(Weights& weights, const Batch& batch, Workspace& workspace) const {
  Evaluation sum;
  Pass pass(*this, weights, batch, false, workspace);
  pass.groups(
      [&](const TransformerStack::Buffers&, MatrixView hidden, const Sequences& group, int) {
        const auto rows = static_cast<std::size_t>(group.rows());
        head_.evaluate(weights, hidden, pass.targets.first(rows), pass.head, sum);
      });
  return sum;
}

void Llama::predict(Weights& weights, const Batch& batch, std::span<float> logits,
                    Workspace& workspace) const {
  Pass pass(*this, weights, batch, false, workspace);
  const MatrixView all =
      kernels::dense(logits.data(), batch.size() * task_.sequence_length, config_.vocabulary);
  pass.groups(
      [&](const TransformerStack::Buffers&, MatrixView hidden, const Sequences& group, int first) {
        head_.predict(weights, hidden, rows_between(all, first, group.rows()), pass.head);
      });
}

Bytes Llama::pass_bytes(const Layout& shapes, int batch, bool training) const {
  const int rows = TransformerStack::group(batch, task_.sequence_length) * task_.sequence_length;
  return taken_bytes<std::int32_t>(rows) * 2 + matrix_bytes(rows, shapes.slices[embedding_].cols) +
         taken_bytes<float>(static_cast<std::int64_t>(norm_.statistics(rows))) +
         head_.bytes(shapes, training);
}

StepCost Llama::training_cost(const Layout& shapes, int batch) const {
  StepCost cost;
  stack_.add_training_cost(shapes, batch, task_.sequence_length, cost);
  head_.add_cost(shapes, std::int64_t{batch} * task_.sequence_length, 3, cost);
  cost.activations += pass_bytes(shapes, batch, true);
  return cost;
}

StepCost Llama::inference_cost(const Layout& shapes, int batch) const {
  StepCost cost;
  stack_.add_inference_cost(shapes, batch, task_.sequence_length, cost);
  head_.add_cost(shapes, std::int64_t{batch} * task_.sequence_length, 1, cost);
  cost.activations += pass_bytes(shapes, batch, false);
  return cost;
}

void initialise_transformer(Vector& weights, const Stream& stream, int layers,
                            std::span<const std::string_view> residual) {
  for (const Slice& slice : weights.layout->slices) {
    const std::span<float> values = std::span(weights.values).subspan(slice.offset, slice.size());
    if (slice.cols == 1) {
      std::fill(values.begin(), values.end(), slice.name.ends_with(".bias") ? 0.0F : 1.0F);
      continue;
    }
    float bound = 1.0F / std::sqrt(static_cast<float>(slice.cols));
    for (const std::string_view name : residual) {
      if (slice.name.ends_with(name)) bound /= std::sqrt(2.0F * static_cast<float>(layers));
    }
    Stream draws = stream.child(slice.name);
    for (float& w : values) w = bound * (2.0F * draws.uniform_float() - 1.0F);
  }
}

}  // namespace skiff
