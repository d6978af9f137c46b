// An architecture that begins with the weights of a checkpoint instead of random ones
// (`model: {checkpoint: FILE}`). Everything else is the inner architecture's. Immutable,
// thread-safe.
#pragma once

#include <memory>
#include <string>

#include "algorithms/models/architecture.h"

namespace skiff {

class Pretrained final : public Architecture {
 public:
  // `weights`: of the inner layout.
  Pretrained(std::shared_ptr<const Architecture> inner, std::shared_ptr<const Vector> weights);

  void initialise(Vector& weights, Stream) const override { weights.values = weights_->values; }

  const LayoutPtr& layout() const override { return inner_->layout(); }
  const TaskShape& task() const override { return inner_->task(); }
  std::string summary() const override { return inner_->summary(); }
  std::string config_json() const override { return inner_->config_json(); }
  double loss_and_gradient(Weights& weights, const Batch& batch,
                           Workspace& workspace) const override {
    return inner_->loss_and_gradient(weights, batch, workspace);
  }
  Evaluation evaluate(Weights& weights, const Batch& batch, Workspace& workspace) const override {
    return inner_->evaluate(weights, batch, workspace);
  }
  void predict(Weights& weights, const Batch& batch, std::span<float> logits,
               Workspace& workspace) const override {
    inner_->predict(weights, batch, logits, workspace);
  }
  using Architecture::inference_cost;
  using Architecture::training_cost;
  StepCost training_cost(const Layout& shapes, int batch) const override {
    return inner_->training_cost(shapes, batch);
  }
  StepCost inference_cost(const Layout& shapes, int batch) const override {
    return inner_->inference_cost(shapes, batch);
  }
  double l2() const override { return inner_->l2(); }
  bool fusable() const override { return inner_->fusable(); }
  std::shared_ptr<const Architecture> checkpointed() const override;

 private:
  std::shared_ptr<const Architecture> inner_;
  std::shared_ptr<const Vector> weights_;
};

// The model of a file for this task. Throws DataError for a file that does not hold what it says,
// std::invalid_argument for a model or a task that cannot be run.
std::shared_ptr<const Architecture> pretrained_model(const std::string& path,
                                                     const TaskShape& task);

}  // namespace skiff
