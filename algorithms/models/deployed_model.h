// What devices pay for a real-size model while a small one trains: an Architecture with costs and
// a layout, and no numbers.
//
// Everything is float32, as trained. Of a batch of B samples with n tokens each (of text: those of
// the task; of images: the model's own patches), with N = B n:
//   a product with a matrix of s values: 2 s N operations forward, as many for the gradient of its
//     input and of its weights; DRAM: matrix, input and result once each time
//   attention: 4 p w operations a layer and sample forward (p pairs of tokens: n (n + 1) / 2 if
//     causal, else n^2; w = heads x head width), 10 p w backward, scores being computed again
//   the head, tied or not, once a token where tokens are predicted
// Activations: what a backward pass keeps of each block (inputs, normed inputs, queries, keys,
// values, results, feed-forward), and the largest block's gradients; with checkpointing the input
// of each block and one whole block, for one forward pass more. Logits for at most 128 tokens at a
// time. Matrices are not transposed in memory: scratch is 0. Immutable, thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "algorithms/models/architecture.h"
#include "algorithms/models/real_size.h"

namespace skiff {

class DeployedModel final : public Architecture {
 public:
  // Throws std::invalid_argument where model and task do not go together: images for a decoder,
  // more tokens than it has positions.
  DeployedModel(std::string name, const HfConfig& config, const TaskShape& task,
                bool checkpointing);

  const LayoutPtr& layout() const override { return layout_; }
  const TaskShape& task() const override { return task_; }
  std::string summary() const override;
  StepCost training_cost(const Layout& shapes, int batch) const override;
  StepCost inference_cost(const Layout& shapes, int batch) const override;

  // It has no numbers: calling these is a bug.
  void initialise(Vector&, Stream) const override;
  double loss_and_gradient(Weights&, const Batch&, Workspace&) const override;
  Evaluation evaluate(Weights&, const Batch&, Workspace&) const override;
  void predict(Weights&, const Batch&, std::span<float>, Workspace&) const override;

 private:
  struct Pass {
    double blocks = 0, ends = 0;  // operations forward: of the blocks, of what stands before, after
    double attention = 0;         // part of `blocks`
    double first = 0;             // part of `ends` whose input needs no gradient
    double bytes = 0;             // DRAM forward
  };
  Pass forward(const Layout& shapes, int batch) const;
  bool predicts_tokens() const;

  std::string name_;
  HfConfig config_;
  TaskShape task_;
  bool checkpointing_;
  std::int64_t tokens_ = 0;  // of a sample
  std::vector<TensorUse> uses_;
  LayoutPtr layout_;
};

// By the name of a known model, or from a config.json.
std::shared_ptr<const Architecture> deployed_model(const std::string& name_or_path,
                                                   const TaskShape& task, bool checkpointing);

}  // namespace skiff
