// What parametrizations have in common that train every weight, but in a way of their own: in
// subspaces, by forward passes, as codes.
//
// WholeWeights forwards to a dense copy of what was received; a way of training overrides what it
// does otherwise. WholeTraining aggregates as `full` does: what goes up is the change of the
// weights, which is not what was trained. Weights: one thread; training: immutable, thread-safe.
#pragma once

#include <memory>

#include "algorithms/models/full_weights.h"
#include "algorithms/parametrization.h"

namespace skiff {

class WholeWeights : public Weights {
 public:
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
                       kernels::ConstMatrixView dy) override {
    dense_.backward_weight(tensor, bias, x, dy);
  }
  std::span<const float> values(std::size_t tensor) const override { return dense_.values(tensor); }
  void add_gradient(std::size_t tensor, std::span<const float> g) override {
    dense_.add_gradient(tensor, g);
  }
  void add_row_gradients(std::size_t tensor, std::span<const std::int32_t> ids,
                         kernels::ConstMatrixView rows) override {
    dense_.add_row_gradients(tensor, ids, rows);
  }
  Vector& parameters() override { return dense_.parameters(); }
  Vector& gradient() override { return dense_.gradient(); }
  void clear_gradient() override { dense_.clear_gradient(); }
  void after_gradient() override { dense_.after_gradient(); }
  void after_step() override { dense_.after_step(); }
  void update(Vector& out) const override { dense_.update(out); }

 protected:
  FullWeights dense_;
};

class WholeTraining : public Parametrization {
 public:
  LayoutPtr update_layout(const Shape& prepared) const override { return prepared.layout; }
  Vector& target(GlobalModel& model) const override { return model.weights; }
  const Vector& target(const GlobalModel& model) const override { return model.weights; }
  Vector for_client(const Vector& global, const Model* base) const override;
  void average(std::span<const Update> updates, std::span<const Vector> vectors,
               Vector& direction) const override;
  bool sends_what_it_trains() const override { return false; }

 protected:
  // For bind(): a W, new or used before, after `rebind` has run on it.
  template <class W, class Rebind>
  static std::unique_ptr<Weights> bound(std::unique_ptr<Weights> reuse, Rebind rebind) {
    if (reuse == nullptr) reuse = std::make_unique<W>();
    rebind(static_cast<W&>(*reuse));
    return reuse;
  }
  // Of the dense copy: its values, and of a masked model which are kept.
  static void add_weights(const Shape& prepared, Cost& cost);
};

}  // namespace skiff
