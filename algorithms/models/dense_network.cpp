#include "algorithms/models/dense_network.h"

#include <algorithm>
#include <utility>

#include "algorithms/kernels/narrow.h"
#include "algorithms/models/initialise.h"
#include "algorithms/models/losses.h"

namespace skiff {

void add_dense(Layout& layout, DenseLayers& layers, const std::string& name, int outputs,
               int inputs, bool bias, Order order) {
  const std::size_t weight = layout.add(name + ".weight", outputs, inputs, order);
  layers.add(weight, bias ? layout.add(name + ".bias", outputs, 1) : kNoTensor);
}

Order output_order(int outputs) {
  return outputs <= kernels::kNarrow ? Order::kOutIn : Order::kInOut;
}

std::string summary_of(const std::string& family, const Layout& layout) {
  std::string digits = std::to_string(layout.size);
  for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
  return family + ", " + digits + " parameters";
}

DenseNetwork::DenseNetwork(const TaskShape& task, Options options)
    : task_(task), options_(std::move(options)) {
  require_task(task);
  Layout layout;
  int inputs = task.width;
  for (std::size_t l = 0; l < options_.hidden.size(); ++l) {
    const int outputs = options_.hidden[l];
    add_dense(layout, layers_, "hidden." + std::to_string(l), outputs, inputs, options_.bias,
              Order::kInOut);
    inputs = outputs;
  }
  const int outputs = outputs_of(task);
  add_dense(layout, layers_, "output", outputs, inputs, options_.bias, output_order(outputs));
  layout_ = std::make_shared<const Layout>(std::move(layout));
}

std::string DenseNetwork::summary() const { return summary_of(options_.family, *layout_); }

void DenseNetwork::initialise(Vector& weights, Stream stream) const {
  if (options_.start_at_zero) {
    std::fill(weights.values.begin(), weights.values.end(), 0.0F);
  } else {
    initialise_uniform(weights, stream);
  }
}

double DenseNetwork::loss_and_gradient(Weights& weights, const Batch& batch,
                                       Workspace& workspace) const {
  const DenseLayers::Trace trace = layers_.forward(weights, batch.inputs, workspace);
  const double loss = mean_loss(task_.kind, trace.outputs.back(), batch, workspace);
  layers_.backward(weights, trace, workspace);
  return options_.l2 == 0 ? loss : loss + add_l2(weights, options_.l2);
}

Evaluation DenseNetwork::evaluate(Weights& weights, const Batch& batch,
                                  Workspace& workspace) const {
  const kernels::MatrixView logits = take_matrix(batch.inputs.rows, outputs_of(task_), workspace);
  layers_.predict(weights, batch.inputs, logits, workspace);
  return evaluate_logits(task_.kind, logits, batch.labels, workspace);
}

void DenseNetwork::predict(Weights& weights, const Batch& batch, std::span<float> logits,
                           Workspace& workspace) const {
  layers_.predict(weights, batch.inputs,
                  kernels::dense(logits.data(), batch.size(), outputs_of(task_)), workspace);
}

StepCost DenseNetwork::training_cost(const Layout& shapes, int batch) const {
  StepCost cost;
  layers_.add_training_cost(shapes, batch, false, cost);
  cost.activations += loss_bytes(task_.kind, batch);
  return cost;
}

StepCost DenseNetwork::inference_cost(const Layout& shapes, int batch) const {
  StepCost cost;
  layers_.add_inference_cost(shapes, batch, cost);
  cost.activations += matrix_bytes(batch, outputs_of(task_)) + loss_bytes(task_.kind, batch);
  return cost;
}

}  // namespace skiff
