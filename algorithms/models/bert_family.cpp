// `model: {architecture: bert, ...}`: what a Bert is made of, what it costs, and its parameters.
#include <stdexcept>

#include "algorithms/models/bert.h"
#include "algorithms/models/dense_network.h"
#include "algorithms/models/llama.h"

namespace skiff {
namespace {

constexpr float kEpsilon = 1e-12F;  // as published

}  // namespace

Bert::Bert(const TaskShape& task, const EncoderShape& shape, double l2) : task_(task), l2_(l2) {
  if (!task.is_text() || task.kind == TaskKind::kNextToken) {
    throw std::invalid_argument(
        "bert fills in masked tokens or classifies text; this task is another");
  }
  if (task.sequence_length < 1) throw std::invalid_argument("the texts of this task are empty");
  if (!masked() && task.classes < 2) {
    throw std::invalid_argument("a classifier needs at least 2 classes; this task has " +
                                std::to_string(task.classes));
  }
  Layout layout;
  const int d = shape.hidden;
  const std::string p = "bert.embeddings.";
  words_ = layout.add(p + "word_embeddings.weight", task.vocabulary, d);
  positions_ = layout.add(p + "position_embeddings.weight", task.sequence_length, d);
  types_ = layout.add(p + "token_type_embeddings.weight", 2, d);
  norm_ = add_norm(layout, p + "LayerNorm", d, NormLayer::Kind::kLayer, kEpsilon);
  for (int l = 0; l < shape.layers; ++l) {
    const std::string prefix = "bert.encoder.layer." + std::to_string(l) + ".";
    stack_.add(add_encoder_block(layout, prefix, shape, false, kEpsilon));
  }
  if (masked()) {
    const std::string q = "cls.predictions.";
    Linear decoder{words_, layout.add(q + "bias", task.vocabulary, 1)};
    inner_ = add_linear(layout, q + "transform.dense", d, d, true);
    inner_norm_ = add_norm(layout, q + "transform.LayerNorm", d, NormLayer::Kind::kLayer, kEpsilon);
    token_ = TokenHead(decoder);
  } else {
    const Linear pooler = add_linear(layout, "bert.pooler.dense", d, d, true);
    const int outputs = outputs_of(task);
    classes_ = ClassHead(task.kind,
                         add_linear(layout, "classifier", outputs, d, true, output_order(outputs)),
                         pooler);
  }
  layout_ = std::make_shared<const Layout>(std::move(layout));
}

std::string Bert::summary() const { return summary_of("bert", *layout_); }

void Bert::initialise(Vector& weights, Stream stream) const {
  constexpr std::string_view kResidual[] = {".output.dense.weight"};
  initialise_transformer(weights, stream, stack_.size(), kResidual);
}

StepCost Bert::training_cost(const Layout& shapes, int batch) const {
  StepCost cost;
  stack_.add_training_cost(shapes, batch, task_.sequence_length, cost);
  const std::int64_t tokens = std::int64_t{batch} * task_.sequence_length;
  if (masked()) {
    add_linear_cost(shapes, inner_, tokens, 3, cost);
    token_.add_cost(shapes, tokens, 3, cost);
  } else {
    classes_.add_cost(shapes, batch, 3, cost);
  }
  cost.activations += bytes(shapes, batch, true);
  return cost;
}

StepCost Bert::inference_cost(const Layout& shapes, int batch) const {
  StepCost cost;
  stack_.add_inference_cost(shapes, batch, task_.sequence_length, cost);
  const std::int64_t tokens = std::int64_t{batch} * task_.sequence_length;
  if (masked()) {
    add_linear_cost(shapes, inner_, tokens, 1, cost);
    token_.add_cost(shapes, tokens, 1, cost);
  } else {
    classes_.add_cost(shapes, batch, 1, cost);
  }
  cost.activations += bytes(shapes, batch, false);
  return cost;
}

namespace {

class BertFamily final : public ModelFamily {
 public:
  explicit BertFamily(const EncoderParams& params) : params_(params) {}
  std::shared_ptr<const Architecture> build(const TaskShape& task) const override {
    return std::make_shared<const Bert>(task, shape_of(params_), params_.l2);
  }

 private:
  EncoderParams params_;
};

struct BertParams : EncoderParams {};

}  // namespace

template <>
Schema<BertParams> schema<BertParams>() {
  Schema<BertParams> s;
  add_encoder_fields(s);
  s.check([](const BertParams& p, const Node& map, Reader& reader) {
    check_encoder(p, map, reader, "bert");
  });
  return s;
}

SKIFF_REGISTER(ModelFamily, BertFamily, BertParams,
               {.name = "bert",
                .summary = "encoder that fills in masked tokens, or classifies text",
                .paper = "Devlin et al. 2019, arXiv:1810.04805",
                .verified = "gradients against central differences; goldens of an independent "
                            "implementation"});

}  // namespace skiff
