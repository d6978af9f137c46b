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
#include "algorithms/models/full_weights.h"
#include "algorithms/optimizers/subspace.h"

namespace skiff {

// Of gradient(): `layout` with the projected tensors' slices in their own shape.
LayoutPtr projected_layout(const Projection& projection, const Layout& layout);

class ProjectedWeights final : public Weights {
 public:
  // `received` must live as long as the job.
  void rebind(const Projection& projection, const Model* base, const Vector& received);

  const Layout& shapes() const override { return dense_.shapes(); }
  void forward(std::size_t tensor, std::size_t bias, Activation activation, const kernels::Rows& x,
               kernels::MatrixView y) override {
    dense_.forward(tensor, bias, activation, x, y);
  }
  void backward_input(std::size_t tensor, kernels::ConstMatrixView dy,
                      kernels::ConstMatrixView mask, kernels::MatrixView dx) override {
    dense_.backward_input(tensor, dy, mask, dx);
  }
  void backward_weight(std::size_t tensor, std::size_t bias, const kernels::Rows& x,
                       kernels::ConstMatrixView dy) override;
  std::span<const float> values(std::size_t tensor) const override { return dense_.values(tensor); }
  void add_gradient(std::size_t tensor, std::span<const float> g) override;
  void add_row_gradients(std::size_t tensor, std::span<const std::int32_t> ids,
                         kernels::ConstMatrixView rows) override;
  Vector& parameters() override { return dense_.parameters(); }
  Vector& gradient() override { return dense_.gradient(); }
  void clear_gradient() override { dense_.clear_gradient(); }
  bool step(const Optimizer& optimizer, double learning_rate, State& moments) override;
  void begin_step(Stream step) override { stream_ = step; }
  void after_step() override { dense_.after_step(); }
  void update(Vector& out) const override { dense_.update(out); }

  // What is held beside weights, gradient and moments.
  Bytes kept() const;
  Bytes scratch() const { return scratch_.bytes(); }

 private:
  struct Layer {
    std::unique_ptr<Subspace> space;
    std::int64_t chosen_at = -1;  // step
  };
  void project(std::size_t tensor, const kernels::Rows& x, kernels::ConstMatrixView dy);

  FullWeights dense_;
  std::int64_t refresh_ = 1;
  double weight_decay_ = 0;
  std::vector<Layer> layers_;  // by tensor; no space: not projected
  std::int64_t steps_ = 0;
  Stream stream_{0, "projection"};  // of the step
  Scratch scratch_;
};

}  // namespace skiff
