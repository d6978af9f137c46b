// Weights that are moved along one random direction a step, by losses alone (mezo.cpp).
//
// The direction is drawn again from the step's seed for each of its four uses, so that nothing of
// the weights' size is held beside them; what a mask left out stays 0. gradient() is one number:
// the loss's slope along the direction. One thread.
#pragma once

#include "algorithms/model.h"
#include "algorithms/models/full_weights.h"

namespace skiff {

class MezoWeights final : public Weights {
 public:
  // `received` must live as long as the job.
  void rebind(double epsilon, double weight_decay, const Model* base, const Vector& received);

  const Layout& shapes() const override { return dense_.shapes(); }
  void forward(std::size_t tensor, std::size_t bias, Activation activation, const kernels::Rows& x,
               kernels::MatrixView y) override {
    dense_.forward(tensor, bias, activation, x, y);
  }
  void backward_input(std::size_t, kernels::ConstMatrixView, kernels::ConstMatrixView,
                      kernels::MatrixView) override;
  void backward_weight(std::size_t, std::size_t, const kernels::Rows&,
                       kernels::ConstMatrixView) override;
  std::span<const float> values(std::size_t tensor) const override { return dense_.values(tensor); }
  void add_gradient(std::size_t, std::span<const float>) override;
  Vector& parameters() override { return dense_.parameters(); }
  Vector& gradient() override { return slope_; }
  void clear_gradient() override { slope_.values[0] = 0; }
  void begin_step(Stream step) override { direction_ = step.child("mezo"); }
  bool forward_only() const override { return true; }
  double probe(const std::function<double()>& loss) override;
  bool step(const Optimizer& optimizer, double learning_rate, State& moments) override;
  void update(Vector& out) const override { dense_.update(out); }

 private:
  // parameters += length * direction
  void walk(double length);

  FullWeights dense_;
  Vector slope_{flat_layout(1)};
  double epsilon_ = 0, weight_decay_ = 0;
  Stream direction_{0, "mezo"};
};

}  // namespace skiff
