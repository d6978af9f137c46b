// Weights whose layers' gradients exist in subspaces only.
//
// The weights are dense, on a private copy; a projected layer's gradient is formed from its factors
// as what the subspace sees of it, all other tensors' gradients as usual. gradient() holds these
// one after the other: a layout of its own, with the tensors of the model. A subspace is chosen in
// the first step of a job and every `refresh` steps after, from the factors that the layer hands
// over first in that step (a decoder does so for a group of sequences at a time). A dense gradient
// that an architecture hands over for a projected tensor (a convolution's) is projected after the
// fact. Where a mask left weights out, they are put back to 0 after every step. One thread.
#pragma once

#include <memory>
#include <vector>

#include "algorithms/model.h"
#include "algorithms/optimizers/subspace.h"
#include "algorithms/whole_training.h"

namespace skiff {

// Of gradient(): `layout` with the projected tensors' slices in their own shape.
LayoutPtr projected_layout(const Projection& projection, const Layout& layout);

class ProjectedWeights final : public WholeWeights {
 public:
  // `received` must live as long as the job.
  void rebind(const Projection& projection, const Model* base, const Vector& received);

  void backward_weight(std::size_t tensor, std::size_t bias, const kernels::Rows& x,
                       kernels::ConstMatrixView dy) override;
  void add_gradient(std::size_t tensor, std::span<const float> g) override;
  void add_row_gradients(std::size_t tensor, std::span<const std::int32_t> ids,
                         kernels::ConstMatrixView rows) override;
  bool step(const Optimizer& optimizer, double learning_rate, State& moments) override;
  void begin_step(Stream step) override { stream_ = step; }
  void after_gradient() override {}  // masks' coordinates are the weights'

  // What is held beside weights, gradient and moments.
  Bytes kept() const;
  Bytes scratch() const { return scratch_.bytes(); }

 private:
  struct Layer {
    std::unique_ptr<Subspace> space;
    std::int64_t chosen_at = -1;  // step
  };
  void project(std::size_t tensor, const kernels::Rows& x, kernels::ConstMatrixView dy);

  std::int64_t refresh_ = 1;
  double weight_decay_ = 0;
  std::vector<Layer> layers_;  // by tensor; no space: not projected
  std::int64_t steps_ = 0;
  Stream stream_{0, "projection"};  // of the step
  Scratch scratch_;
};

}  // namespace skiff
