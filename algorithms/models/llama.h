// A Llama-style decoder that predicts the next token (llama_config.h says which, and the names).
//
// Loss: mean cross entropy over the targets asked of the batch. Text goes through in groups of
// sequences (transformer_stack.h), logits in chunks (token_head.h): memory does not grow with the
// batch. Cost, per step: 2 flops a multiply-add of the projections, of attention over visible
// pairs and of the head for every position; embedding, norms and activations are not counted; a
// checkpointed step adds what it computes again. Immutable, thread-safe.
#pragma once

#include "algorithms/models/hf_config.h"
#include "algorithms/models/token_head.h"
#include "algorithms/models/transformer_stack.h"

namespace skiff {

class Llama final : public Architecture {
 public:
  // task: kNextToken of a vocabulary no larger than the config's and sequences no longer than its
  // max_sequence; else throws std::invalid_argument.
  Llama(const LlamaConfig& config, const TaskShape& task, double l2 = 0);

  const LayoutPtr& layout() const override { return layout_; }
  const TaskShape& task() const override { return task_; }
  std::string summary() const override;
  std::string config_json() const override { return hf_config_text(config_); }
  void initialise(Vector& weights, Stream stream) const override;
  double loss_and_gradient(Weights& weights, const Batch& batch,
                           Workspace& workspace) const override;
  Evaluation evaluate(Weights& weights, const Batch& batch, Workspace& workspace) const override;
  void predict(Weights& weights, const Batch& batch, std::span<float> logits,
               Workspace& workspace) const override;
  using Architecture::inference_cost;
  using Architecture::training_cost;
  StepCost training_cost(const Layout& shapes, int batch) const override;
  StepCost inference_cost(const Layout& shapes, int batch) const override;
  double l2() const override { return l2_; }
  bool fusable() const override { return false; }
  std::shared_ptr<const Architecture> checkpointed() const override;

  const LlamaConfig& config() const { return config_; }

 private:
  friend class LlamaDecoder;
  struct Pass;  // one batch on its way through
  Bytes pass_bytes(const Layout& shapes, int batch, bool training) const;

  LlamaConfig config_;
  TaskShape task_;
  double l2_;
  LayoutPtr layout_;
  std::size_t embedding_ = 0;
  TransformerStack stack_;
  NormLayer norm_;
  TokenHead head_;
  RopeTable rope_;
};

// Matrices uniform in [-b, b), b = 1/sqrt(columns); those that end a residual branch, named *NAME
// for a name in `residual`, divided by sqrt(2 layers) (Radford et al. 2019); biases 0, norms 1.
// Each slice draws from the stream's child of its own name.
void initialise_transformer(Vector& weights, const Stream& stream, int layers,
                            std::span<const std::string_view> residual);

}  // namespace skiff
