#include "algorithms/distillation/teaching.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "algorithms/kernels/reduce.h"
#include "algorithms/models/evaluate_rows.h"
#include "algorithms/models/full_weights.h"
#include "algorithms/models/losses.h"
#include "sim/core/distributions.h"
#include "sim/core/parallel.h"

namespace skiff::distillation {
namespace {

Schema<TeacherParams> own_schema() {
  Schema<TeacherParams> s;
  s.field("pretrain_epochs", &TeacherParams::pretrain_epochs,
          "passes over the server's samples before round 1")
      .at_least(1);
  s.field("batch", &TeacherParams::batch, "samples of one of its steps").at_least(1);
  s.field("optimizer", &TeacherParams::optimizer,
          "of these steps; unless written {name: adamw, learning_rate: 0.001}");
  return s;
}

Node default_optimizer() {
  Node node;
  node.set("name", Node::scalar("adamw"));
  node.set("learning_rate", Node::scalar("0.001"));
  return node;
}

}  // namespace

std::vector<FieldInfo> teacher_fields() { return own_schema().describe(); }

bool convert(const Node& node, TeacherParams& out, const Rules&, Reader& reader) {
  const std::size_t before = reader.problems().size();
  if (!node.is_map()) return detail::expected(node, "a map like model", reader), false;
  const auto own = teacher_fields();
  const auto is_own = [&](const std::string& key) {
    return std::any_of(own.begin(), own.end(), [&](const FieldInfo& f) { return f.name == key; });
  };
  std::vector<std::string> taken, ours;
  for (const Node::Entry& e : node.entries) (is_own(e.key) ? ours : taken).push_back(e.key);
  own_schema().read(node, out, reader, taken);
  out.model.object = Registry<ModelFamily>::instance().make(node, reader, ours);
  out.model.node = node;
  if (const Node* name = node.find(ModelFamily::kKey)) out.model.name = name->text;
  if (!out.optimizer.is_map()) out.optimizer = default_optimizer();
  {
    const Reader::Scope scope(reader, "optimizer");
    Registry<Optimizer>::instance().make(out.optimizer, reader);
  }
  return reader.problems().size() == before;
}

std::string print_value(const TeacherParams& params) {
  return params.model.name.empty() ? "" : to_flow_text(params.model.node);
}

void require_teachable(const Composition& c, const std::string& method) {
  const auto refuse = [&](const std::string& why) {
    throw std::invalid_argument(method + " " + why);
  };
  for (const Plan& plan : c.plans) {
    if (!c.models[plan.model]->learns_logits()) {
      refuse(
          "teaches logits, and this model learns labels alone; take mlp, logistic-regression or "
          "cnn");
    }
    if (plan.compresses() || !plan.parametrization->trains_base()) {
      refuse("trains whole models of its own; remove quantization, pruning and adaptation");
    }
    if (!plan.down->lossless()) refuse("needs members that everybody reads alike: download dense");
    if (plan.up->keeps_state() || plan.up->has_server_half()) {
      refuse("trains models of several shapes; a codec that remembers belongs to one");
    }
    if (plan.optimizer->client_state() == ClientStatePolicy::kPersistent) {
      refuse("trains models of several shapes; write optimizer.client_state: reset");
    }
  }
}

std::vector<std::size_t> trained_models(const Composition& composition) {
  std::vector<std::size_t> models;
  for (const Plan& plan : composition.plans) {
    if (std::find(models.begin(), models.end(), plan.model) == models.end()) {
      models.push_back(plan.model);
    }
  }
  return models;
}

void train_on(const Architecture& model, const Samples& samples, std::int64_t epochs, int batch,
              const Optimizer& optimizer, Stream stream, Vector& weights) {
  const Vector start = weights;
  FullWeights bound(start);
  Workspace workspace;
  BatchRows part;
  State state;
  std::vector<std::uint32_t> order(static_cast<std::size_t>(samples.rows()));
  const auto size = static_cast<std::size_t>(batch);
  for (std::int64_t e = 0; e < epochs; ++e) {
    std::iota(order.begin(), order.end(), 0U);
    Stream drawn = stream.child("shuffle", static_cast<std::uint64_t>(e));
    shuffle(drawn, std::span(order));
    const double rate = optimizer.learning_rate(e, epochs);
    for (std::size_t first = 0; first < order.size(); first += size) {
      part.gather(samples, std::span(order).subspan(first, std::min(size, order.size() - first)));
      bound.clear_gradient();
      workspace.reset();
      model.loss_and_gradient(bound, part.batch(), workspace);
      for (const Slice& s : weights.layout->slices) {
        optimizer.step(s, std::span(bound.parameters().values).subspan(s.offset, s.size()),
                       std::span(bound.gradient().values).subspan(s.offset, s.size()), rate, state);
      }
    }
  }
  weights.values = bound.parameters().values;
}

void teach(const Architecture& model, const Samples& samples, std::span<const std::uint32_t> rows,
           const Lessons& lessons, const LessonLoss& loss, const Optimizer& optimizer,
           Stream stream, Vector& weights) {
  const Vector start = weights;
  FullWeights bound(start);
  State state;
  Workspace workspace;
  BatchRows part;
  std::vector<std::size_t> order(rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::size_t first = order.size();
  for (int s = 0; s < lessons.steps; ++s) {
    if (first >= order.size()) first = 0, shuffle(stream, std::span(order));
    const auto places = std::span(order).subspan(
        first, std::min(static_cast<std::size_t>(lessons.batch), order.size() - first));
    first += places.size();
    std::vector<std::uint32_t> chosen;
    for (const std::size_t i : places) chosen.push_back(rows[i]);
    part.gather(samples, chosen);
    Batch batch = part.batch();
    batch.loss = &loss(places);
    bound.clear_gradient();
    workspace.reset();
    model.loss_and_gradient(bound, batch, workspace);
    std::vector<float>& g = bound.gradient().values;
    const double norm = lessons.clip > 0 ? std::sqrt(kernels::squared_norm_double(g)) : 0;
    if (norm > lessons.clip) kernels::scale(g, static_cast<float>(lessons.clip / norm), g);
    for (const Slice& slice : weights.layout->slices) {
      optimizer.step(
          slice, std::span(bound.parameters().values).subspan(slice.offset, slice.size()),
          std::span(g).subspan(slice.offset, slice.size()), lessons.learning_rate(s), state);
    }
    const bool look = lessons.look_every > 0 && (s + 1) % lessons.look_every == 0;
    if (look && lessons.enough(bound.parameters())) break;
  }
  weights.values = bound.parameters().values;
}

std::vector<float> answers(const Architecture& model, const Vector& weights, const Samples& samples,
                           std::span<const std::uint32_t> rows, bool centred) {
  const auto outputs = static_cast<std::size_t>(outputs_of(model.task()));
  std::vector<float> logits(rows.size() * outputs);
  FullWeights bound(weights);
  Workspace workspace;
  BatchRows part;
  const std::size_t block = evaluation_block(model.task());
  for (std::size_t b = 0; b < evaluation_blocks(model.task(), rows.size()); ++b) {
    workspace.reset();
    part.gather(samples, evaluation_rows(model.task(), rows, b));
    const auto count = static_cast<std::size_t>(part.batch().size());
    model.predict(bound, part.batch(),
                  std::span(logits).subspan(b * block * outputs, count * outputs), workspace);
  }
  for (std::size_t i = 0; centred && outputs > 1 && i < rows.size(); ++i) {
    const std::span<float> row = std::span(logits).subspan(i * outputs, outputs);
    const double mean = std::accumulate(row.begin(), row.end(), 0.0) / static_cast<double>(outputs);
    for (float& x : row) x = static_cast<float>(x - mean);
  }
  return logits;
}

Cost answering_cost(const Architecture& model, std::int64_t samples) {
  const auto block = static_cast<std::int64_t>(evaluation_block(model.task()));
  const Layout& shapes = *model.layout();
  const std::int64_t whole = samples / block;
  const auto tail = static_cast<int>(samples % block);
  Cost cost;
  const auto add = [&](int rows, std::int64_t times) {
    if (times == 0 || rows == 0) return;
    const StepCost once = model.inference_cost(shapes, rows);
    cost.fp32 += static_cast<double>(times) * once.flops;
    cost.dram += Bytes(times * once.dram.value());
    cost.memory.activations = std::max(cost.memory.activations, once.activations);
    cost.memory.scratch = std::max(cost.memory.scratch, once.scratch);
    cost.rows = std::max(cost.rows, once.rows);
  };
  add(static_cast<int>(block), whole);
  add(tail, 1);
  cost.batch = static_cast<int>(std::min(samples, block));
  cost.steps = whole + (tail > 0 ? 1 : 0);
  cost.memory.weights = Bytes(static_cast<std::int64_t>(4 * shapes.size));
  return cost;
}

}  // namespace skiff::distillation
