// Adam's own parameters, and its step on a slice: what AdamW does, and what the optimizers of
// projected gradients do with all that they leave whole.
#pragma once

#include "algorithms/kernels/adam.h"
#include "algorithms/optimizers/common.h"

namespace skiff {

struct AdamParams : OptimizerParams {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
};

inline kernels::AdamStep adam_step_of(const AdamParams& p, double learning_rate, std::int64_t t) {
  return kernels::adam_step(learning_rate, p.beta1, p.beta2, p.epsilon, t);
}

// State: m and v, 4 bytes a value each, and t, 8 bytes a slice.
inline void adamw_step(const AdamParams& p, const Slice& slice, std::span<float> w,
                       std::span<const float> g, double learning_rate, State& state) {
  const std::span<float> m = state.array<float>(slice.name + "/m", slice.size());
  const std::span<float> v = state.array<float>(slice.name + "/v", slice.size());
  std::int64_t& t = state.array<std::int64_t>(slice.name + "/t", 1).front();
  ++t;
  decay(w, learning_rate, p.weight_decay);
  kernels::adam(w, g, m, v, adam_step_of(p, learning_rate, t));
}
inline Bytes adamw_state_bytes(const Layout& trained) {
  const std::size_t moments = 2 * trained.size * sizeof(float);
  return Bytes(static_cast<std::int64_t>(moments + trained.slices.size() * sizeof(std::int64_t)));
}

}  // namespace skiff
