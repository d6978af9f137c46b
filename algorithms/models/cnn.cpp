// Small convolutional networks for images: two stages of 5x5 convolution, 2x2 max pooling and ReLU,
// then fully connected layers. Slices conv.0, conv.1, fc (base only), output.
//
//   tiny   valid  4, 8 channels            2,202 parameters on 28x28 grey images, 10 classes
//   small  valid  8, 16 channels           5,994; on 32x32x3: 7,834
//   base   same   32, 64 channels, fc 512  1,663,370: the CNN of McMahan et al. 2017
// Other sizes are bound by the pooling: valid needs images of 16x16 pixels at least, same 4x4.
#include <stdexcept>

#include "algorithms/models/convolution_stages.h"
#include "algorithms/models/dense_network.h"
#include "algorithms/models/initialise.h"
#include "algorithms/models/losses.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

struct CnnParams {
  std::string preset;
  double l2 = 0;
};

struct CnnShape {
  ConvolutionStages::Options stages;
  int fc;  // width of the hidden layer, 0: none
};

CnnShape shape_of_preset(const std::string& preset) {
  if (preset == "tiny") return {{{4, 8}, kernels::Padding::kValid}, 0};
  if (preset == "small") return {{{8, 16}, kernels::Padding::kValid}, 0};
  return {{{32, 64}, kernels::Padding::kSame}, 512};
}

class Cnn final : public Architecture {
 public:
  Cnn(const TaskShape& task, const CnnShape& shape, double l2) : task_(task), l2_(l2) {
    require_task(task);
    if (!task.is_image()) {
      throw std::invalid_argument("cnn needs images; the samples of this task have no image shape");
    }
    Layout layout;
    stages_ = std::make_unique<const ConvolutionStages>(task, shape.stages, layout);
    int inputs = stages_->features(layout);
    if (shape.fc > 0) add_dense(layout, dense_, "fc", shape.fc, inputs, true, Order::kInOut);
    if (shape.fc > 0) inputs = shape.fc;
    const int outputs = outputs_of(task);
    add_dense(layout, dense_, "output", outputs, inputs, true, output_order(outputs));
    layout_ = std::make_shared<const Layout>(std::move(layout));
  }

  const LayoutPtr& layout() const override { return layout_; }
  const TaskShape& task() const override { return task_; }
  std::string summary() const override { return summary_of("cnn", *layout_); }
  void initialise(Vector& weights, Stream stream) const override {
    initialise_uniform(weights, stream);
  }

  double loss_and_gradient(Weights& weights, const Batch& batch,
                           Workspace& workspace) const override {
    const ConvolutionStages::Trace front = stages_->forward(weights, batch.inputs, workspace);
    const DenseLayers::Trace tail =
        dense_.forward(weights, rows_of(front.pooled.back(), workspace), workspace);
    const double loss = mean_loss(task_.kind, tail.outputs.back(), batch, workspace);
    const kernels::MatrixView d_features =
        take_matrix(batch.inputs.rows, front.pooled.back().cols, workspace);
    dense_.backward(weights, tail, workspace, d_features);
    stages_->backward(weights, batch.inputs, front, d_features, workspace);
    return l2_ == 0 ? loss : loss + add_l2(weights, l2_);
  }

  Evaluation evaluate(Weights& weights, const Batch& batch, Workspace& workspace) const override {
    const kernels::MatrixView logits = take_matrix(batch.inputs.rows, outputs_of(task_), workspace);
    predict_into(weights, batch.inputs, logits, workspace);
    return evaluate_logits(task_.kind, logits, batch.labels, workspace);
  }
  void predict(Weights& weights, const Batch& batch, std::span<float> logits,
               Workspace& workspace) const override {
    predict_into(weights, batch.inputs,
                 kernels::dense(logits.data(), batch.size(), outputs_of(task_)), workspace);
  }

  StepCost training_cost(const Layout& shapes, int batch) const override {
    StepCost cost;
    stages_->add_training_cost(shapes, batch, cost);
    dense_.add_training_cost(shapes, batch, true, cost);
    cost.activations += rows_bytes(batch) + matrix_bytes(batch, stages_->features(shapes)) +
                        loss_bytes(task_.kind, batch);
    return cost;
  }
  StepCost inference_cost(const Layout& shapes, int batch) const override {
    StepCost cost;
    stages_->add_inference_cost(shapes, batch, cost);
    dense_.add_inference_cost(shapes, batch, cost);
    cost.activations += rows_bytes(batch) + matrix_bytes(batch, stages_->features(shapes)) +
                        matrix_bytes(batch, outputs_of(task_)) + loss_bytes(task_.kind, batch);
    return cost;
  }
  double l2() const override { return l2_; }
  bool learns_logits() const override { return true; }

 private:
  void predict_into(Weights& weights, const kernels::Rows& inputs, kernels::MatrixView logits,
                    Workspace& workspace) const {
    const kernels::MatrixView features =
        take_matrix(inputs.rows, stages_->features(weights.shapes()), workspace);
    stages_->predict(weights, inputs, features, workspace);
    dense_.predict(weights, rows_of(features, workspace), logits, workspace);
  }

  TaskShape task_;
  double l2_;
  LayoutPtr layout_;
  std::unique_ptr<const ConvolutionStages> stages_;
  DenseLayers dense_;
};

class CnnFamily final : public ModelFamily {
 public:
  explicit CnnFamily(const CnnParams& params)
      : shape_(shape_of_preset(params.preset)), l2_(params.l2) {}
  std::shared_ptr<const Architecture> build(const TaskShape& task) const override {
    return std::make_shared<const Cnn>(task, shape_, l2_);
  }

 private:
  CnnShape shape_;
  double l2_;
};

}  // namespace

template <>
Schema<CnnParams> schema<CnnParams>() {
  Schema<CnnParams> s;
  s.field("preset", &CnnParams::preset,
          "tiny: 4 and 8 channels; small: 8 and 16; base: 32 and 64, padded, and 512 units")
      .required()
      .one_of({"tiny", "small", "base"});
  s.field("l2", &CnnParams::l2, "strength of (l2/2)|w|^2, biases included").at_least(0);
  return s;
}

SKIFF_REGISTER(ModelFamily, CnnFamily, CnnParams,
               {.name = "cnn",
                .summary = "two 5x5 convolutions with pooling, then fully connected layers",
                .paper = "McMahan et al. 2017, arXiv:1602.05629 (base)",
                .verified = "gradients against central differences; goldens of an independent "
                            "implementation"});

}  // namespace skiff
