// MeZO: zeroth-order steps in place (Malladi et al. 2023, arXiv:2305.17333, algorithm 1). In a step
// with seed s and z ~ N(0, I) drawn from it, d values:
//   w += epsilon z;  l+ = loss;   w -= 2 epsilon z;  l- = loss;   w += epsilon z
//   w = (1 - learning_rate weight_decay) w - learning_rate (l+ - l-) / (2 epsilon) z
// Two forward passes on the same batch and no backward pass: what a device holds is what it holds
// to predict a batch, and no gradient, moment or activation is kept. z is drawn again from its seed
// each time. The step's variance grows with d, so learning rates are some hundred times smaller
// than SGD's. As in the paper the weights come back from l- only up to rounding. What goes up is
// the dense change. Immutable, thread-safe.
#include "algorithms/kernels/reduce.h"
#include "algorithms/optimizers/common.h"
#include "algorithms/optimizers/mezo_weights.h"
#include "algorithms/whole_training.h"

namespace skiff {

struct MezoParams : OptimizerParams {
  double epsilon = 1e-3;
};

namespace {

class MezoTraining final : public WholeTraining {
 public:
  explicit MezoTraining(const MezoParams& p) : p_(p) {}

  std::unique_ptr<Weights> bind(std::shared_ptr<const Model> base, const Vector& received, Stream,
                                std::unique_ptr<Weights> reuse) const override {
    return bound<MezoWeights>(std::move(reuse), [&](MezoWeights& weights) {
      weights.rebind(p_.epsilon, p_.weight_decay, base.get(), received);
    });
  }
  bool shows_gradient() const override { return false; }
  int forward_passes() const override { return 2; }

  void cost(const Shape& prepared, const Optimizer&, Cost& cost) const override {
    const auto d = static_cast<std::int64_t>(prepared.layout->size);
    add_weights(prepared, cost);
    cost.memory.gradients += Bytes(4);
    // Four walks of a multiply-add and a draw, of some 40 operations, a value.
    cost.fp32 += Flops(4.0 * 42 * static_cast<double>(d * cost.steps));
    cost.dram = Bytes(cost.dram.value() + cost.steps * 4 * 8 * d);
  }

 private:
  MezoParams p_;
};

// Its own step is plain gradient descent along the direction.
class Mezo final : public Optimizer {
 public:
  explicit Mezo(const MezoParams& p) : p_(p), training_(std::make_shared<const MezoTraining>(p)) {}

  double learning_rate(std::int64_t round, std::int64_t horizon) const override {
    return p_.rate(round, horizon);
  }
  void step(const Slice&, std::span<float> w, std::span<const float> g, double learning_rate,
            State&) const override {
    decay(w, learning_rate, p_.weight_decay);
    kernels::axpy(w, -static_cast<float>(learning_rate), g);
  }
  Bytes state_bytes(const Layout&) const override { return Bytes(0); }
  std::shared_ptr<const Parametrization> training() const override { return training_; }
  ClientStatePolicy client_state() const override { return p_.policy(); }
  std::optional<Bytes> state_limit() const override { return p_.state_limit; }

 private:
  MezoParams p_;
  std::shared_ptr<const Parametrization> training_;
};

}  // namespace

template <>
Schema<MezoParams> schema<MezoParams>() {
  Schema<MezoParams> s;
  add_common_fields(s, "mezo");
  s.field("epsilon", &MezoParams::epsilon, "how far to both sides the loss is probed")
      .at_least(1e-6);
  s.check([](const MezoParams& p, const Node& map, Reader& reader) {
    if (p.policy() == ClientStatePolicy::kReset) return;
    const Reader::Scope scope(reader, "client_state");
    reader.problem(map.find("client_state")->where, "mezo has no moments to keep: remove it");
  });
  return s;
}

SKIFF_REGISTER(Optimizer, Mezo, MezoParams,
               {.name = "mezo",
                .summary = "zeroth-order steps from two forward passes, in the RAM of inference",
                .paper = "Malladi et al. 2023, arXiv:2305.17333",
                .verified = "slopes agree with the gradient along the direction; no activations "
                            "are kept; nothing but weights is held"});

}  // namespace skiff
