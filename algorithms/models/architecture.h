// An architecture: layers over the Weights seam, and what a step of them costs.
//
// Immutable and shared by all threads; everything that changes is in Weights and Workspace. The
// registered role is ModelFamily (`model.architecture`), which builds an Architecture for a task.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "algorithms/models/batch.h"
#include "algorithms/models/layout.h"
#include "algorithms/models/weights.h"
#include "algorithms/models/workspace.h"
#include "sim/core/random.h"
#include "sim/core/units.h"

namespace skiff {

// What one training step (or one forward pass) on `batch` samples takes, from shapes alone.
struct StepCost {
  Flops flops;        // 2 a multiply-add of the products that are really taken
  Bytes dram;         // each operand and result of each product once, without the optimizer's step
  Bytes activations;  // peak of the Workspace: all that the backward pass needs
  Bytes logits;       // of activations: those of the tokens whose loss is being taken
  Bytes scratch;      // held by dense Weights: the largest transposed matrix
  Flops weight_gradients;  // of flops: those that form the gradients of linear layers' weights
  std::int64_t rows = 0;   // inputs of a linear layer: samples, or their tokens
};

// Sums over what was evaluated; means are taken by the caller, in a fixed order.
struct Evaluation {
  std::int64_t rows = 0;  // predictions asked: samples, or targets of kNextToken and kMaskedToken
  std::int64_t correct = 0;
  double loss = 0;  // summed over them, without the l2 term
};

class Architecture {
 public:
  virtual ~Architecture() = default;

  virtual const LayoutPtr& layout() const = 0;
  virtual const TaskShape& task() const = 0;
  virtual std::string summary() const = 0;  // "mlp, 199,210 parameters"
  // Its shape as Hugging Face's config.json writes it (hf_config.h); "" where that has no word for
  // it.
  virtual std::string config_json() const { return ""; }
  virtual void initialise(Vector& weights, Stream stream) const = 0;

  // Mean loss of the batch over the predictions asked (with the l2 term), and, through `weights`,
  // its gradient. Calls backward_input of a tensor before backward_weight of it. The caller clears
  // the gradient, and resets the workspace before each call of these three (it may hold the batch's
  // row pointers). Widths are those of weights.shapes(), which a structured pruner may have
  // narrowed.
  virtual double loss_and_gradient(Weights& weights, const Batch& batch,
                                   Workspace& workspace) const = 0;
  virtual Evaluation evaluate(Weights& weights, const Batch& batch, Workspace& workspace) const = 0;
  // Logits, before softmax, row-major: samples x outputs; kNextToken and kMaskedToken: (samples x
  // sequence_length) x vocabulary.
  virtual void predict(Weights& weights, const Batch& batch, std::span<float> logits,
                       Workspace& workspace) const = 0;

  // `shapes`: layout() or the same slices, narrowed.
  virtual StepCost training_cost(const Layout& shapes, int batch) const = 0;
  virtual StepCost inference_cost(const Layout& shapes, int batch) const = 0;
  StepCost training_cost(int batch) const { return training_cost(*layout(), batch); }
  StepCost inference_cost(int batch) const { return inference_cost(*layout(), batch); }
  // Strength of (l2/2)|w|^2 over all parameters, biases too; where it is not 0 the loss adds it,
  // the gradient has l2 w, and the step cannot be fused into the gradient (Weights::fuse_sgd).
  virtual double l2() const { return 0; }
  // Whether each tensor's gradient is handed over at once and in one place: only then can the step
  // be fused into it. A transformer adds up over groups of sequences, and may tie its head.
  virtual bool fusable() const { return true; }
  // Whether loss_and_gradient asks Batch::loss, where there is one, instead of the labels.
  virtual bool learns_logits() const { return false; }
  // The same architecture, on the same layout and with the same bits, that keeps less and computes
  // it again (`training.checkpointing`); null where that is not offered.
  virtual std::shared_ptr<const Architecture> checkpointed() const { return nullptr; }
};

// The registered role: `model: {architecture: mlp, hidden: [200, 200]}`.
class ModelFamily {
 public:
  static constexpr const char* kRole = "model";
  static constexpr const char* kKey = "architecture";
  virtual ~ModelFamily() = default;
  // Throws std::invalid_argument with a plain reason if it cannot do this task (a cnn needs
  // images).
  virtual std::shared_ptr<const Architecture> build(const TaskShape& task) const = 0;
};

}  // namespace skiff
