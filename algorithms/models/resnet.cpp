// ResNet for small images, with GroupNorm (see residual_stages.h), and one linear layer over the
// mean of the last maps.
//
//   tiny   8 layers: one block a stage, 16, 32, 64 channels          78,042 parameters (32x32x3)
//   small  20 layers: three blocks a stage, 16, 32, 64 channels     272,474
//   base   18 layers: two blocks a stage, 64, 128, 256, 512      11,173,962
// small is the ResNet-20 of He et al. 2016 (section 4.2), but with projections (their option B)
// where a stage begins; base is ResNet-18 with a 3x3 stem, as is usual for 32x32. Starts:
// convolutions uniform with variance 2 / fan in (He et al. 2015, arXiv:1502.01852, eq. 10), and the
// scale of the last norm of each block 0, so that blocks begin as the identity (Goyal et al. 2017,
// arXiv:1706.02677, section 5.1). Memory grows with the model, not with the batch. Immutable,
// thread-safe.
#include <cmath>
#include <stdexcept>

#include "algorithms/models/class_head.h"
#include "algorithms/models/dense_network.h"
#include "algorithms/models/losses.h"
#include "algorithms/models/residual_stages.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

using kernels::MatrixView;

struct ResnetParams {
  std::string preset;
  std::vector<int> widths;
  int blocks = 1;
  int groups = 8;
  double l2 = 0;
};

class Resnet final : public Architecture {
 public:
  Resnet(const TaskShape& task, const ResidualOptions& options, double l2) : task_(task), l2_(l2) {
    require_task(task);
    if (!task.is_image()) {
      throw std::invalid_argument(
          "resnet needs images; the samples of this task have no image shape");
    }
    Layout layout;
    stages_ = std::make_unique<const ResidualStages>(task, options, layout);
    const int outputs = outputs_of(task), inputs = stages_->features(layout);
    classes_ = ClassHead(task.kind,
                         add_linear(layout, "fc", outputs, inputs, true, output_order(outputs)));
    layout_ = std::make_shared<const Layout>(std::move(layout));
  }

  const LayoutPtr& layout() const override { return layout_; }
  const TaskShape& task() const override { return task_; }
  std::string summary() const override { return summary_of("resnet", *layout_); }
  void initialise(Vector& weights, Stream stream) const override;
  double loss_and_gradient(Weights& weights, const Batch& batch,
                           Workspace& workspace) const override;
  Evaluation evaluate(Weights& weights, const Batch& batch, Workspace& workspace) const override;
  void predict(Weights& weights, const Batch& batch, std::span<float> logits,
               Workspace& workspace) const override;
  StepCost training_cost(const Layout& shapes, int batch) const override {
    return cost(shapes, batch, true);
  }
  StepCost inference_cost(const Layout& shapes, int batch) const override {
    return cost(shapes, batch, false);
  }
  double l2() const override { return l2_; }
  bool fusable() const override { return false; }  // the head's gradient comes sample by sample

 private:
  StepCost cost(const Layout& shapes, int batch, bool training) const;
  MatrixView take_features(const Weights& weights, Workspace& workspace) const {
    return take_matrix(1, stages_->features(weights.shapes()), workspace);
  }

  TaskShape task_;
  double l2_;
  LayoutPtr layout_;
  std::unique_ptr<const ResidualStages> stages_;
  ClassHead classes_;
};

void Resnet::initialise(Vector& weights, Stream stream) const {
  for (const Slice& slice : weights.layout->slices) {
    const std::span<float> values = std::span(weights.values).subspan(slice.offset, slice.size());
    const bool head = slice.name.starts_with("fc.");
    if (slice.cols == 1 && !head) {
      const bool scale = slice.name.ends_with(".weight") && !slice.name.ends_with(".bn2.weight");
      std::fill(values.begin(), values.end(), scale ? 1.0F : 0.0F);
      continue;
    }
    const int fan_in = head ? stages_->features(*layout_) : slice.cols;
    const float bound = std::sqrt((head ? 1.0F : 6.0F) / static_cast<float>(fan_in));
    Stream draws = stream.child(slice.name);
    for (float& w : values) w = bound * (2.0F * draws.uniform_float() - 1.0F);
  }
}

double Resnet::loss_and_gradient(Weights& weights, const Batch& batch, Workspace& workspace) const {
  const ResidualStages::Buffers b = stages_->take(weights.shapes(), true, workspace);
  const ClassHead::Buffers head = classes_.take(weights.shapes(), 1, true, workspace);
  const MatrixView features = take_features(weights, workspace);
  const MatrixView d_features = take_features(weights, workspace);
  const float share = 1.0F / static_cast<float>(batch.size());
  double loss = 0;
  stages_->begin_backward(weights, b);
  for (int i = 0; i < batch.size(); ++i) {
    stages_->forward(weights, batch.inputs[i], values_of(features), b);
    loss += classes_.loss_and_gradient(weights, features,
                                       batch.labels.subspan(static_cast<std::size_t>(i), 1), share,
                                       d_features, head);
    stages_->backward(weights, values_of(d_features), b);
  }
  stages_->end_backward(weights, b);
  loss /= batch.size();
  return l2_ == 0 ? loss : loss + add_l2(weights, l2_);
}

Evaluation Resnet::evaluate(Weights& weights, const Batch& batch, Workspace& workspace) const {
  const ResidualStages::Buffers b = stages_->take(weights.shapes(), false, workspace);
  const ClassHead::Buffers head = classes_.take(weights.shapes(), 1, false, workspace);
  const MatrixView features = take_features(weights, workspace);
  Evaluation sum;
  for (int i = 0; i < batch.size(); ++i) {
    stages_->forward(weights, batch.inputs[i], values_of(features), b);
    classes_.evaluate(weights, features, batch.labels.subspan(static_cast<std::size_t>(i), 1), head,
                      sum);
  }
  return sum;
}

void Resnet::predict(Weights& weights, const Batch& batch, std::span<float> logits,
                     Workspace& workspace) const {
  const ResidualStages::Buffers b = stages_->take(weights.shapes(), false, workspace);
  const ClassHead::Buffers head = classes_.take(weights.shapes(), 1, false, workspace);
  const MatrixView features = take_features(weights, workspace);
  const MatrixView all = kernels::dense(logits.data(), batch.size(), outputs_of(task_));
  for (int i = 0; i < batch.size(); ++i) {
    stages_->forward(weights, batch.inputs[i], values_of(features), b);
    classes_.predict(weights, features, rows_between(all, i, 1), head);
  }
}

StepCost Resnet::cost(const Layout& shapes, int batch, bool training) const {
  StepCost cost;
  stages_->add_cost(shapes, batch, training, cost);
  cost.activations += classes_.bytes(shapes, 1, training);
  cost.activations += matrix_bytes(1, stages_->features(shapes)) * (training ? 2 : 1);
  classes_.add_cost(shapes, batch, training ? 3 : 1, cost);
  return cost;
}

ResidualOptions options_of(const ResnetParams& p) {
  if (p.preset == "tiny") return {{16, 32, 64}, 1, p.groups};
  if (p.preset == "small") return {{16, 32, 64}, 3, p.groups};
  if (p.preset == "base") return {{64, 128, 256, 512}, 2, p.groups};
  return {p.widths, p.blocks, p.groups};
}

class ResnetFamily final : public ModelFamily {
 public:
  explicit ResnetFamily(const ResnetParams& params)
      : options_(options_of(params)), l2_(params.l2) {}
  std::shared_ptr<const Architecture> build(const TaskShape& task) const override {
    return std::make_shared<const Resnet>(task, options_, l2_);
  }

 private:
  ResidualOptions options_;
  double l2_;
};

void check_shape(const ResnetParams& p, const Node& map, Reader& reader) {
  const auto problem = [&](const char* key, const std::string& message) {
    const Reader::Scope scope(reader, key);
    const Node* value = map.find(key);
    reader.problem(value == nullptr ? map.where : value->where, message);
  };
  if (p.preset.empty() && p.widths.empty()) {
    return problem("widths", "required by resnet, such as [16, 32, 64]; or give a preset");
  }
  if (!p.preset.empty() && (!p.widths.empty() || p.blocks != ResnetParams{}.blocks)) {
    return problem(p.widths.empty() ? "blocks" : "widths",
                   "given besides preset; one of them says the shape");
  }
  for (const int width : options_of(p).widths) {
    if (width % p.groups == 0) continue;
    return problem("groups", std::to_string(p.groups) + " groups do not divide " +
                                 std::to_string(width) + " channels");
  }
}

}  // namespace

template <>
Schema<ResnetParams> schema<ResnetParams>() {
  Schema<ResnetParams> s;
  s.field("preset", &ResnetParams::preset,
          "instead of the shape: tiny 8 layers, small 20, base 18 wide ones")
      .one_of({"tiny", "small", "base"});
  s.field("widths", &ResnetParams::widths,
          "channels of each stage; all but the first halve the image")
      .in(1, 65536);
  s.field("blocks", &ResnetParams::blocks, "of each stage, two convolutions each").in(1, 1000);
  s.field("groups", &ResnetParams::groups, "of channels that GroupNorm treats together")
      .in(1, 65536);
  s.field("l2", &ResnetParams::l2, "strength of (l2/2)|w|^2 over all parameters").at_least(0);
  s.check(check_shape);
  return s;
}

SKIFF_REGISTER(ModelFamily, ResnetFamily, ResnetParams,
               {.name = "resnet",
                .summary = "convolutions with residual connections and GroupNorm",
                .paper = "He et al. 2016, arXiv:1512.03385; GroupNorm: Wu and He 2018",
                .verified = "gradients against central differences; goldens of an independent "
                            "implementation; the usual numbers of parameters"});

}  // namespace skiff
