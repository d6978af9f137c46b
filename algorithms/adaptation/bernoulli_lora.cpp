// Bernoulli-LoRA: Sokolov et al. 2025 (arXiv:2508.03820). A coin picks, every block, which of the
// two factors is random and frozen, and which is trained from zero and merged:
//
//   with probability p:  B_S ~ D frozen, A trained;   else  A_S ~ D frozen, B trained
//   E f(W+) - f* <= (1 - gamma mu lambda) (f(W) - f*) under PL,  lambda = p r / m + (1 - p) r / n
//
// A block is a round, with one coin for all layers, drawn from the run's seed by server and clients
// alike. probability 1 is rac-lora {sketch: left}, 0 is {sketch: right}. The paper's pseudo-code
// and its code of the MLP experiment read p in opposite ways; here it is the chance that A is
// trained. The estimator is that of the device's optimizer (stochastic gradients); the coin's two
// sides send factors of unequal size, and a device is charged for the RAM of the larger.
#include <algorithm>

#include "algorithms/adaptation/rac_lora.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

struct BernoulliLoraParams : AdapterParams {
  double probability = 0;
  std::string distribution = "orthonormal";
};

RacLoraParams side(const BernoulliLoraParams& p, const char* sketch) {
  RacLoraParams out;
  static_cast<AdapterParams&>(out) = p;
  out.sketch = sketch;
  out.distribution = p.distribution;
  return out;
}

}  // namespace

template <>
Schema<BernoulliLoraParams> schema() {
  Schema<BernoulliLoraParams> s;
  add_adapter(s);
  s.field("probability", &BernoulliLoraParams::probability,
          "chance that B is frozen and A trained in a round")
      .fraction()
      .required("by bernoulli-lora; skiff has no default that changes results");
  s.field("distribution", &BernoulliLoraParams::distribution, "of the random factor")
      .one_of({"orthonormal", "gaussian"});
  return s;
}

namespace {

// What a round is comes from in_space(); the rest of the role answers for both sides.
class BernoulliLora final : public Parametrization {
 public:
  explicit BernoulliLora(const BernoulliLoraParams& p)
      : probability_(p.probability), left_(side(p, "left")), right_(side(p, "right")) {}

  const Parametrization& in_space(std::uint64_t seed, std::int64_t space) const override {
    Stream coin(seed, "bernoulli-lora.coin", 0, static_cast<std::uint64_t>(space));
    return coin.uniform() < probability_ ? left_ : right_;
  }

  std::unique_ptr<Weights> bind(std::shared_ptr<const Model> base, const Vector& received,
                                Stream space, std::unique_ptr<Weights> reuse) const override {
    return any().bind(std::move(base), received, space, std::move(reuse));
  }
  LayoutPtr update_layout(const Shape& prepared) const override {
    return any().update_layout(prepared);
  }
  Vector& target(GlobalModel& model) const override { return model.adapters; }
  const Vector& target(const GlobalModel& model) const override { return model.adapters; }
  Vector for_client(const Vector& global, const Model* base) const override {
    return any().for_client(global, base);
  }
  void average(std::span<const Update> updates, std::span<const Vector> vectors,
               Vector& direction) const override {
    any().average(updates, vectors, direction);
  }
  void fold(GlobalModel& model, Stream space) const override { any().fold(model, space); }
  void start(GlobalModel& model, Stream space) const override { any().start(model, space); }
  Vector merged(const GlobalModel& model, Stream space) const override {
    return any().merged(model, space);
  }
  void cost(const Shape& prepared, const Optimizer& optimizer, Cost& cost) const override {
    Cost other = cost;
    left_.cost(prepared, optimizer, cost);
    right_.cost(prepared, optimizer, other);
    if (other.memory.total() > cost.memory.total()) cost = other;
  }
  int space_lasts() const override { return 1; }
  bool draws() const override { return true; }
  bool trains_base() const override { return false; }
  bool merges() const override { return true; }
  std::optional<Bytes> increment(const Shape& prepared) const override {
    return std::max(*left_.increment(prepared), *right_.increment(prepared));
  }

 private:
  const RacLora& any() const { return probability_ > 0 ? left_ : right_; }

  double probability_;
  RacLora left_, right_;
};

SKIFF_REGISTER(Parametrization, BernoulliLora, BernoulliLoraParams,
               {.name = "bernoulli-lora",
                .summary = "a coin picks the factor that is trained",
                .paper = "Sokolov et al. 2025, arXiv:2508.03820",
                .verified = "contracts an isotropic quadratic by 1 - p r/m - (1 - p) r/n a step; "
                            "with probability 1 and 0 it is rac-lora's two sketches, bit for bit",
                .deviates = "a block is a round of local steps, where the paper analyses one step "
                            "of gradient descent"});

}  // namespace
}  // namespace skiff
