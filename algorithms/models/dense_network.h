// The Architecture of mlp and logistic-regression: fully connected layers and nothing else.
//
// Slices hidden.0.weight, hidden.0.bias, hidden.1.weight, ..., output.weight, output.bias. Hidden
// layers are stored kInOut; the output kOutIn if it has at most 16 rows, else kInOut. Loss:
// losses.h. Immutable, thread-safe.
#pragma once

#include <string>
#include <vector>

#include "algorithms/models/architecture.h"
#include "algorithms/models/dense_layers.h"

namespace skiff {

class DenseNetwork final : public Architecture {
 public:
  struct Options {
    std::string family;       // "mlp"
    std::vector<int> hidden;  // widths; empty: one linear layer
    bool bias = true;
    double l2 = 0;
    bool start_at_zero = false;  // otherwise initialise_uniform()
  };
  // Throws std::invalid_argument if the task has no features or fewer than two classes.
  DenseNetwork(const TaskShape& task, Options options);

  const LayoutPtr& layout() const override { return layout_; }
  const TaskShape& task() const override { return task_; }
  std::string summary() const override;
  void initialise(Vector& weights, Stream stream) const override;
  double loss_and_gradient(Weights& weights, const Batch& batch,
                           Workspace& workspace) const override;
  Evaluation evaluate(Weights& weights, const Batch& batch, Workspace& workspace) const override;
  void predict(Weights& weights, const Batch& batch, std::span<float> logits,
               Workspace& workspace) const override;
  StepCost training_cost(const Layout& shapes, int batch) const override;
  StepCost inference_cost(const Layout& shapes, int batch) const override;
  double l2() const override { return options_.l2; }
  bool learns_logits() const override { return true; }

 private:
  TaskShape task_;
  Options options_;
  LayoutPtr layout_;
  DenseLayers layers_;
};

// Appends NAME.weight and, if wanted, NAME.bias to the layout and the layer to `layers`.
void add_dense(Layout& layout, DenseLayers& layers, const std::string& name, int outputs,
               int inputs, bool bias, Order order);
// How an output layer is stored.
Order output_order(int outputs);
// "mlp, 199,210 parameters"
std::string summary_of(const std::string& family, const Layout& layout);

}  // namespace skiff
