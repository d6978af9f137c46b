// AdamW: Adam with decoupled weight decay (Loshchilov and Hutter 2019, arXiv:1711.05101, algorithm
// 2; Adam: Kingma and Ba 2015, arXiv:1412.6980). In step t = 1, 2, ... of a slice:
//   w = (1 - learning_rate weight_decay) w
//   m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2
//   w = w - learning_rate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
// The paper writes w - eta (alpha ... + lambda w): here, as in the libraries, alpha is part of the
// schedule's rate, so the decay is learning_rate * weight_decay. weight_decay 0 is plain Adam.
// State holds m and v, 4 bytes a parameter each, and t, 8 bytes a slice; t is a slice's own, so a
// slice that is frozen for a while does not age.
#include "algorithms/optimizers/adam_params.h"

namespace skiff {
namespace {

struct AdamWParams : AdamParams {};

class AdamW final : public Optimizer {
 public:
  explicit AdamW(AdamWParams params) : params_(std::move(params)) {}

  double learning_rate(std::int64_t round, std::int64_t horizon) const override {
    return params_.rate(round, horizon);
  }

  void step(const Slice& slice, std::span<float> w, std::span<const float> g, double learning_rate,
            State& state) const override {
    adamw_step(params_, slice, w, g, learning_rate, state);
  }

  Bytes state_bytes(const Layout& trained) const override { return adamw_state_bytes(trained); }
  ClientStatePolicy client_state() const override { return params_.policy(); }
  std::optional<Bytes> state_limit() const override { return params_.state_limit; }

 private:
  AdamWParams params_;
};

}  // namespace

template <>
Schema<AdamWParams> schema<AdamWParams>() {
  Schema<AdamWParams> s;
  add_common_fields(s, "adamw");
  add_adam_fields(s);
  return s;
}

SKIFF_REGISTER(Optimizer, AdamW, AdamWParams,
               {.name = "adamw",
                .summary = "Adam with decoupled weight decay",
                .paper = "Loshchilov and Hutter 2019, arXiv:1711.05101",
                .verified = "a reference in double precision over 200 steps; closed forms of the "
                            "first step and of constant gradients"});

}  // namespace skiff
