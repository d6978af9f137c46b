// ViT: an encoder over the patches of an image (Dosovitskiy et al. 2021, arXiv:2010.11929): a class
// token before them, learned positions, LayerNorm first, GELU; the class token's last row, normed,
// goes through one linear layer.
//
// Patches are patch x patch pixels of all channels, in the order (channel, row, column), which is
// that of Hugging Face's convolution weights; slices are named as there (vit.embeddings.cls_token,
// ...). Differs from the paper: no dropout. Cost, per step: as llama's. Immutable, thread-safe.
#include <algorithm>
#include <stdexcept>

#include "algorithms/kernels/reduce.h"
#include "algorithms/models/class_head.h"
#include "algorithms/models/dense_network.h"
#include "algorithms/models/encoder_layers.h"
#include "algorithms/models/llama.h"
#include "algorithms/models/losses.h"
#include "algorithms/models/memory_plan.h"

namespace skiff {
namespace {

using kernels::ConstMatrixView;
using kernels::MatrixView;
using StackBuffers = TransformerStack::Buffers;

constexpr float kEpsilon = 1e-12F;  // as published

class Vit final : public Architecture {
 public:
  Vit(const TaskShape& task, const EncoderShape& shape, int patch, double l2);

  const LayoutPtr& layout() const override { return layout_; }
  const TaskShape& task() const override { return task_; }
  std::string summary() const override { return summary_of("vit", *layout_); }
  void initialise(Vector& weights, Stream stream) const override {
    constexpr std::string_view kResidual[] = {".output.dense.weight"};
    initialise_transformer(weights, stream, stack_.size(), kResidual);
  }
  double loss_and_gradient(Weights& weights, const Batch& batch,
                           Workspace& workspace) const override;
  Evaluation evaluate(Weights& weights, const Batch& batch, Workspace& workspace) const override;
  void predict(Weights& weights, const Batch& batch, std::span<float> logits,
               Workspace& workspace) const override;
  StepCost training_cost(const Layout& shapes, int batch) const override;
  StepCost inference_cost(const Layout& shapes, int batch) const override;
  double l2() const override { return l2_; }
  bool fusable() const override { return false; }
  std::shared_ptr<const Architecture> checkpointed() const override {
    auto copy = std::make_shared<Vit>(*this);
    copy->stack_.set_checkpointing(true);
    return copy;
  }

 private:
  struct Buffers {
    MatrixView patches, normed, d_normed;
    std::span<float> statistics;
    ClassHead::Buffers classes;
  };
  template <class Visitor>
  void visit(const Layout& shapes, int batch, bool training, Buffers& b, Visitor visitor) const;
  Buffers take(const Layout& shapes, int batch, bool training, Workspace& workspace) const;
  StepCost cost(const Layout& shapes, int batch, bool training) const;
  void cut(const float* image, MatrixView patches) const;
  void embed(Weights& weights, const kernels::Rows& images, const Sequences& group, int first,
             const StackBuffers& s, const Buffers& b) const;
  void embed_backward(Weights& weights, const Sequences& group, const StackBuffers& s,
                      const Buffers& b) const;
  // Runs a group up to the normed class tokens.
  MatrixView features(Weights& weights, const Batch& batch, const Sequences& group, int first,
                      const StackBuffers& s, const Buffers& b) const;
  static MatrixView class_tokens(MatrixView m, const Sequences& group) {
    return {m.data, group.count, m.cols, group.length * m.cols};
  }
  int patches() const { return task_.height / patch_ * (task_.image_width / patch_); }
  int length() const { return patches() + 1; }

  TaskShape task_;
  int patch_;
  double l2_;
  LayoutPtr layout_;
  std::size_t class_token_, positions_;
  Linear projection_;
  TransformerStack stack_;
  NormLayer norm_;
  ClassHead classes_;
};

Vit::Vit(const TaskShape& task, const EncoderShape& shape, int patch, double l2)
    : task_(task), patch_(patch), l2_(l2) {
  require_task(task);
  if (!task.is_image()) {
    throw std::invalid_argument("vit needs images; the samples of this task have no image shape");
  }
  if (task.height % patch != 0 || task.image_width % patch != 0) {
    throw std::invalid_argument("images of " + std::to_string(task.height) + "x" +
                                std::to_string(task.image_width) +
                                " pixels cannot be cut into patches of " + std::to_string(patch));
  }
  Layout layout;
  const std::string p = "vit.embeddings.";
  class_token_ = layout.add(p + "cls_token", 1, shape.hidden);
  positions_ = layout.add(p + "position_embeddings", length(), shape.hidden);
  projection_ = add_linear(layout, p + "patch_embeddings.projection", shape.hidden,
                           task.channels * patch * patch, true);
  for (int l = 0; l < shape.layers; ++l) {
    const std::string prefix = "vit.encoder.layer." + std::to_string(l) + ".";
    stack_.add(add_encoder_block(layout, prefix, shape, true, kEpsilon));
  }
  norm_ = add_norm(layout, "vit.layernorm", shape.hidden, NormLayer::Kind::kLayer, kEpsilon);
  const int outputs = outputs_of(task);
  classes_ = ClassHead(task.kind, add_linear(layout, "classifier", outputs, shape.hidden, true,
                                             output_order(outputs)));
  layout_ = std::make_shared<const Layout>(std::move(layout));
}

template <class Visitor>
void Vit::visit(const Layout& shapes, int batch, bool training, Buffers& b, Visitor visitor) const {
  const int count = TransformerStack::group(batch, length());
  const int width = shapes.slices[positions_].cols;
  visitor.matrix(b.patches, count * patches(), task_.channels * patch_ * patch_);
  visitor.matrix(b.normed, count, width);
  if (training) visitor.matrix(b.d_normed, count, width);
  visitor.array(b.statistics, norm_.statistics(count));
}

Vit::Buffers Vit::take(const Layout& shapes, int batch, bool training, Workspace& workspace) const {
  Buffers b{};
  visit(shapes, batch, training, b, MemoryTaker{workspace});
  b.classes = classes_.take(shapes, TransformerStack::group(batch, length()), training, workspace);
  return b;
}

void Vit::cut(const float* image, MatrixView patches) const {
  const int across = task_.image_width / patch_;
  for (int p = 0; p < patches.rows; ++p) {
    float* to = patches[p];
    const float* corner =
        image + std::ptrdiff_t{p / across * patch_} * task_.image_width + p % across * patch_;
    for (int c = 0; c < task_.channels; ++c) {
      const float* plane = corner + std::ptrdiff_t{c} * task_.height * task_.image_width;
      for (int y = 0; y < patch_; ++y, to += patch_) {
        std::copy_n(plane + std::ptrdiff_t{y} * task_.image_width, patch_, to);
      }
    }
  }
}

void Vit::embed(Weights& weights, const kernels::Rows& images, const Sequences& group, int first,
                const StackBuffers& s, const Buffers& b) const {
  const std::span<const float> positions = weights.values(positions_);
  const std::span<const float> token = weights.values(class_token_);
  for (int i = 0; i < group.count; ++i) {
    const MatrixView patch = rows_between(b.patches, i * patches(), patches());
    const MatrixView rows = rows_between(s.input(), i * group.length, group.length);
    cut(images[first + i], patch);
    projection_.forward(weights, rows_of(patch, s.scratch.pointers),
                        rows_between(rows, 1, patches()));
    std::copy(token.begin(), token.end(), rows[0]);
    kernels::add(values_of(rows), values_of(ConstMatrixView(rows)), positions);
  }
}

void Vit::embed_backward(Weights& weights, const Sequences& group, const StackBuffers& s,
                         const Buffers& b) const {
  for (int i = 0; i < group.count; ++i) {
    const MatrixView d = rows_between(s.d, i * group.length, group.length);
    weights.add_gradient(positions_, values_of(d));
    weights.add_gradient(class_token_, values_of(rows_between(d, 0, 1)));
    const MatrixView patch = rows_between(b.patches, i * patches(), patches());
    weights.backward_weight(projection_.weight, projection_.bias,
                            rows_of(patch, s.scratch.pointers), rows_between(d, 1, patches()));
  }
}

MatrixView Vit::features(Weights& weights, const Batch& batch, const Sequences& group, int first,
                         const StackBuffers& s, const Buffers& b) const {
  embed(weights, batch.inputs, group, first, s, b);
  stack_.forward(weights, s, group, {});
  const MatrixView normed = rows_between(b.normed, 0, group.count);
  norm_.forward(weights, class_tokens(s.output(), group), normed, b.statistics);
  return normed;
}

double Vit::loss_and_gradient(Weights& weights, const Batch& batch, Workspace& workspace) const {
  const Layout& shapes = weights.shapes();
  const StackPass pass(stack_, shapes, batch.size(), length(), true, workspace);
  const Buffers b = take(shapes, batch.size(), true, workspace);
  double loss = 0;
  pass.groups([&](const StackBuffers& s, const Sequences& group, int first) {
    const MatrixView normed = features(weights, batch, group, first, s, b);
    const MatrixView d = rows_between(b.d_normed, 0, group.count);
    const auto labels = batch.labels.subspan(static_cast<std::size_t>(first),
                                             static_cast<std::size_t>(group.count));
    loss += classes_.loss_and_gradient(weights, normed, labels,
                                       1.0F / static_cast<float>(batch.size()), d, b.classes);
    std::fill_n(s.d.data, values_of(s.d).size(), 0.0F);
    norm_.backward(weights, class_tokens(s.d, group), d, class_tokens(s.output(), group),
                   b.statistics, s.scratch.norm, kernels::Output::kOverwrite);
    stack_.backward(weights, s, group, {});
    embed_backward(weights, group, s, b);
  });
  loss /= batch.size();
  return l2_ == 0 ? loss : loss + add_l2(weights, l2_);
}

Evaluation Vit::evaluate(Weights& weights, const Batch& batch, Workspace& workspace) const {
  const Layout& shapes = weights.shapes();
  const StackPass pass(stack_, shapes, batch.size(), length(), false, workspace);
  const Buffers b = take(shapes, batch.size(), false, workspace);
  Evaluation sum;
  pass.groups([&](const StackBuffers& s, const Sequences& group, int first) {
    const auto labels = batch.labels.subspan(static_cast<std::size_t>(first),
                                             static_cast<std::size_t>(group.count));
    const MatrixView normed = features(weights, batch, group, first, s, b);
    classes_.evaluate(weights, normed, labels, b.classes, sum);
  });
  return sum;
}

void Vit::predict(Weights& weights, const Batch& batch, std::span<float> logits,
                  Workspace& workspace) const {
  const Layout& shapes = weights.shapes();
  const StackPass pass(stack_, shapes, batch.size(), length(), false, workspace);
  const Buffers b = take(shapes, batch.size(), false, workspace);
  const MatrixView all = kernels::dense(logits.data(), batch.size(), outputs_of(task_));
  pass.groups([&](const StackBuffers& s, const Sequences& group, int first) {
    const MatrixView normed = features(weights, batch, group, first, s, b);
    classes_.predict(weights, normed, rows_between(all, first, group.count), b.classes);
  });
}

StepCost Vit::cost(const Layout& shapes, int batch, bool training) const {
  StepCost cost;
  Buffers none{};
  visit(shapes, batch, training, none, MemoryCounter{cost.activations});
  cost.activations += classes_.bytes(shapes, TransformerStack::group(batch, length()), training);
  add_linear_cost(shapes, projection_, std::int64_t{batch} * patches(), training ? 2 : 1, cost);
  classes_.add_cost(shapes, batch, training ? 3 : 1, cost);
  return cost;
}

StepCost Vit::training_cost(const Layout& shapes, int batch) const {
  StepCost sum = cost(shapes, batch, true);
  stack_.add_training_cost(shapes, batch, length(), sum);
  return sum;
}

StepCost Vit::inference_cost(const Layout& shapes, int batch) const {
  StepCost sum = cost(shapes, batch, false);
  stack_.add_inference_cost(shapes, batch, length(), sum);
  return sum;
}

struct VitParams : EncoderParams {
  int patch = 4;
};

class VitFamily final : public ModelFamily {
 public:
  explicit VitFamily(const VitParams& params) : params_(params) {}
  std::shared_ptr<const Architecture> build(const TaskShape& task) const override {
    return std::make_shared<const Vit>(task, shape_of(params_), params_.patch, params_.l2);
  }

 private:
  VitParams params_;
};

}  // namespace

template <>
Schema<VitParams> schema<VitParams>() {
  Schema<VitParams> s;
  add_encoder_fields(s);
  s.field("patch", &VitParams::patch, "pixels of a side of a patch; divides those of an image")
      .in(1, 1024);
  s.check([](const VitParams& p, const Node& map, Reader& reader) {
    check_encoder(p, map, reader, "vit");
  });
  return s;
}

SKIFF_REGISTER(ModelFamily, VitFamily, VitParams,
               {.name = "vit",
                .summary = "encoder over patches of an image, with a class token",
                .paper = "Dosovitskiy et al. 2021, arXiv:2010.11929",
                .verified = "gradients against central differences; goldens of an independent "
                            "implementation"});

}  // namespace skiff
