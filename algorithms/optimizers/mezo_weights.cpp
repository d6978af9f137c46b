#include "algorithms/optimizers/mezo_weights.h"

#include "algorithms/optimizers/common.h"
#include "sim/core/distributions.h"
#include "sim/core/error.h"

namespace skiff {
namespace {

void no_backward() {
  SKIFF_CHECK(false, "a backward pass through weights that train by forward passes");
}

}  // namespace

void MezoWeights::rebind(double epsilon, double weight_decay, const Model* base,
                         const Vector& received) {
  dense_.rebind(received, base != nullptr ? base->kept : nullptr);
  epsilon_ = epsilon;
  weight_decay_ = weight_decay;
  clear_gradient();
}

void MezoWeights::backward_input(std::size_t, kernels::ConstMatrixView, kernels::ConstMatrixView,
                                 kernels::MatrixView) {
  no_backward();
}
void MezoWeights::backward_weight(std::size_t, std::size_t, const kernels::Rows&,
                                  kernels::ConstMatrixView) {
  no_backward();
}
void MezoWeights::add_gradient(std::size_t, std::span<const float>) { no_backward(); }
void MezoWeights::add_row_gradients(std::size_t, std::span<const std::int32_t>,
                                    kernels::ConstMatrixView) {
  no_backward();
}

void MezoWeights::walk(double length) {
  Stream stream = direction_;
  for (float& w : dense_.parameters().values) w += static_cast<float>(length * normal(stream));
  dense_.after_step();
}

double MezoWeights::probe(const std::function<double()>& loss) {
  walk(epsilon_);
  const double ahead = loss();
  walk(-2 * epsilon_);
  const double behind = loss();
  walk(epsilon_);
  slope_.values[0] = static_cast<float>((ahead - behind) / (2 * epsilon_));
  return (ahead + behind) / 2;
}

bool MezoWeights::step(const Optimizer&, double learning_rate, State&) {
  decay(dense_.parameters().values, learning_rate, weight_decay_);
  walk(-learning_rate * double{slope_.values[0]});
  return true;
}

}  // namespace skiff
