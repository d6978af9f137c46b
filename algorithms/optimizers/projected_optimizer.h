// The Optimizer beside a projection: AdamW for the slices that are left whole. Params derives from
// ProjectedParams and has projection().
#pragma once

#include "algorithms/optimizers/projected_params.h"
#include "algorithms/optimizers/projected_training.h"

namespace skiff {

template <class Params>
class ProjectedOptimizer final : public Optimizer {
 public:
  explicit ProjectedOptimizer(const Params& p)
      : p_(p), training_(projected_training(p.projection())) {}

  double learning_rate(std::int64_t round, std::int64_t horizon) const override {
    return p_.rate(round, horizon);
  }
  void step(const Slice& slice, std::span<float> w, std::span<const float> g, double learning_rate,
            State& state) const override {
    adamw_step(p_, slice, w, g, learning_rate, state);
  }
  Bytes state_bytes(const Layout& trained) const override { return adamw_state_bytes(trained); }
  std::shared_ptr<const Parametrization> training() const override { return training_; }
  ClientStatePolicy client_state() const override { return p_.policy(); }
  std::optional<Bytes> state_limit() const override { return p_.state_limit; }

 private:
  Params p_;
  std::shared_ptr<const Parametrization> training_;
};

}  // namespace skiff
