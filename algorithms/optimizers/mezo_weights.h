// Weights that are moved along one random direction a step, by losses alone (mezo.cpp).
//
// The direction is drawn again from the step's seed for each of its four uses, so that nothing of
// the weights' size is held beside them; what a mask left out stays 0. gradient() is one number:
// the loss's slope along the direction. One thread.
#pragma once

#include "algorithms/model.h"
#include "algorithms/whole_training.h"

namespace skiff {

class MezoWeights final : public WholeWeights {
 public:
  // `received` must live as long as the job.
  void rebind(double epsilon, double weight_decay, const Model* base, const Vector& received);

  void backward_input(std::size_t, kernels::ConstMatrixView, kernels::ConstMatrixView,
                      kernels::MatrixView) override;
  void backward_weight(std::size_t, std::size_t, const kernels::Rows&,
                       kernels::ConstMatrixView) override;
  void add_gradient(std::size_t, std::span<const float>) override;
  void add_row_gradients(std::size_t, std::span<const std::int32_t>,
                         kernels::ConstMatrixView) override;
  Vector& gradient() override { return slope_; }
  void clear_gradient() override { slope_.values[0] = 0; }
  void after_gradient() override {}
  void begin_step(Stream step) override { direction_ = step.child("mezo"); }
  bool forward_only() const override { return true; }
  double probe(const std::function<double()>& loss) override;
  bool step(const Optimizer& optimizer, double learning_rate, State& moments) override;

 private:
  // parameters += length * direction
  void walk(double length);

  Vector slope_{flat_layout(1)};
  double epsilon_ = 0, weight_decay_ = 0;
  Stream direction_{0, "mezo"};
};

}  // namespace skiff
