// Bernoulli-LoRA: Sokolov et al. 2025 (arXiv:2508.03820). A coin picks, every block, which of the
// two factors is random and frozen, and which is trained from zero and merged:
//
//   with probability p:  B_S ~ D frozen, A trained;   else  A_S ~ D frozen, B trained
//   E f(W+) - f* <= (1 - gamma mu lambda) (f(W) - f*) under PL,  lambda = p r / m + (1 - p) r / n
//
// A block is a round, with one coin for all layers, drawn from the run's seed by server and clients
// alike. probability 1 is rac-lora {sketch: left}, 0 is {sketch: right}. The paper's pseudo-code
// and its code of the MLP experiment read p in opposite ways; here it is the chance that A is
// trained. The estimator is that of the device's optimizer (stochastic gradients); PAGE, MVR and
// the server's sketched step over compressed gradients are the method of this name. The coin's two
// sides send factors of unequal size, and a device is charged for the RAM of the larger.
//
// variant: adapter-mask is another reading, ours: each round every layer's adapter is active with
// that probability, at least one is, and only those are trained and sent. Of an active one A is
// trained beside a random B and merged, as rac-lora {sketch: left} does, so that nothing of the
// inactive ones has to be held. rescale divides what is merged by the probability: in expectation
// all layers then move as if they were always active. RAM is charged for all adapters.
#include <algorithm>
#include <map>
#include <mutex>

#include "algorithms/adaptation/rac_lora.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

struct BernoulliLoraParams : AdapterParams, MergeParams {
  double probability = 0;
  std::string distribution = "orthonormal";
  std::string variant = "factor";
  bool rescale = false;
};

RacLoraParams side(const BernoulliLoraParams& p, const char* sketch) {
  RacLoraParams out;
  static_cast<AdapterParams&>(out) = p;
  static_cast<MergeParams&>(out) = p;
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
  s.field("variant", &BernoulliLoraParams::variant,
          "what the coin decides: the factor that is trained, or (ours) which layers are")
      .one_of({"factor", "adapter-mask"});
  s.field("rescale", &BernoulliLoraParams::rescale,
          "adapter-mask: divide what is merged by the probability");
  add_merge(s);
  s.check([](const BernoulliLoraParams& p, const Node& map, Reader& reader) {
    const auto blame = [&](const char* key, const char* why) {
      const Node* found = map.find(key);
      const Reader::Scope scope(reader, key);
      reader.problem(found != nullptr ? found->where : map.where, why);
    };
    if (p.rescale && p.variant == "factor") blame("rescale", "only adapter-mask leaves layers out");
    if (p.variant == "adapter-mask" && p.probability == 0) {
      blame("probability", "no adapter would ever be active: write more than 0");
    }
  });
  return s;
}

namespace {

// What a round is comes from in_space(); the rest of the role answers for both sides.
class BernoulliLora final : public Parametrization {
 public:
  explicit BernoulliLora(const BernoulliLoraParams& p)
      : p_(p), left_(side(p, "left")), right_(side(p, "right")) {}

  const Parametrization& in_space(std::uint64_t seed, std::int64_t space,
                                  std::span<const std::uint16_t>) const override {
    if (masks()) return masked(seed, space);
    Stream coin(seed, "bernoulli-lora.coin", 0, static_cast<std::uint64_t>(space));
    return coin.uniform() < p_.probability ? left_ : right_;
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
    if (masks()) return;
    right_.cost(prepared, optimizer, other);
    if (other.memory.total() > cost.memory.total()) cost = other;
  }
  int space_lasts() const override { return 1; }
  bool draws() const override { return true; }
  bool trains_base() const override { return false; }
  bool merges() const override { return true; }
  std::optional<Bytes> increment(const Shape& prepared) const override {
    if (masks()) return left_.increment(prepared);
    return std::max(*left_.increment(prepared), *right_.increment(prepared));
  }
  std::int64_t prepared_lasts() const override { return p_.prepared_lasts(); }
  Bytes beside_base(const Shape& prepared, std::int64_t merges) const override {
    return p_.beside_base(*increment(prepared), adapters_of(*prepared.layout, p_), merges);
  }
  bool rounds_beside() const override { return p_.merge == "side-bf16"; }

 private:
  bool masks() const { return p_.variant == "adapter-mask"; }
  const RacLora& any() const { return p_.probability > 0 ? left_ : right_; }
  // Made once a round.
  const RacLora& masked(std::uint64_t seed, std::int64_t space) const {
    const std::lock_guard lock(mutex_);
    std::unique_ptr<RacLora>& made = rounds_[{seed, space}];
    if (made == nullptr) {
      RacLoraParams params = side(p_, "left");
      params.active = ActiveLayers{seed, space, p_.probability};
      if (p_.rescale) params.merge_scale = 1 / p_.probability;
      made = std::make_unique<RacLora>(params);
    }
    return *made;
  }

  BernoulliLoraParams p_;
  RacLora left_, right_;
  mutable std::mutex mutex_;
  mutable std::map<std::pair<std::uint64_t, std::int64_t>, std::unique_ptr<RacLora>> rounds_;
};

SKIFF_REGISTER(Parametrization, BernoulliLora, BernoulliLoraParams,
               {.name = "bernoulli-lora",
                .summary = "a coin picks the factor that is trained",
                .paper = "Sokolov et al. 2025, arXiv:2508.03820",
                .verified = "contracts an isotropic quadratic by 1 - p r/m - (1 - p) r/n a step; "
                            "with probability 1 and 0 it is rac-lora's two sketches, bit for bit; "
                            "with all adapters active adapter-mask is rac-lora, bit for bit",
                .deviates = "a block is a round of local steps, where the paper analyses one step "
                            "of gradient descent; variant: adapter-mask is ours"});

}  // namespace
}  // namespace skiff
