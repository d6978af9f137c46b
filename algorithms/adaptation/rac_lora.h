// RAC-LoRA: a chain of one-sided adapters; see rac_lora.cpp. Also the two sides between which
// Bernoulli-LoRA's coin decides.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "algorithms/adaptation/low_rank.h"
#include "algorithms/parametrization.h"

namespace skiff {

struct RacLoraParams : AdapterParams, MergeParams {
  std::string sketch;  // left | right
  int chain_rounds = 1;
  std::string distribution = "orthonormal";
  std::string tier_weight = "holders";
  bool adaptive_rank = false;
  int adapt_every = 10, least_rank = 1, most_rank = 0;
  double merge_scale = 1;  // not said by users: bernoulli-lora's rescaling
};

// Immutable; thread-safe.
class RacLora final : public Parametrization {
 public:
  explicit RacLora(const RacLoraParams& params);

  std::unique_ptr<Weights> bind(std::shared_ptr<const Model> base, const Vector& received,
                                Stream space, std::unique_ptr<Weights> reuse) const override;
  LayoutPtr update_layout(const Shape& prepared) const override {
    return trained_.of(prepared.layout);
  }
  Vector& target(GlobalModel& model) const override { return model.adapters; }
  const Vector& target(const GlobalModel& model) const override { return model.adapters; }
  Vector for_client(const Vector& global, const Model* base) const override;
  void average(std::span<const Update> updates, std::span<const Vector> vectors,
               Vector& direction) const override;
  void fold(GlobalModel& model, Stream space) const override;
  void start(GlobalModel& model, Stream space) const override;
  Vector merged(const GlobalModel& model, Stream space) const override;
  void cost(const Shape& prepared, const Optimizer& optimizer, Cost& cost) const override;
  const Parametrization& in_space(std::uint64_t seed, std::int64_t space,
                                  std::span<const std::uint16_t> ranks) const override;
  std::size_t told_ranks(const Shape& prepared) const override;
  bool needs_equal_ranks() const override { return p_.adaptive_rank; }
  int space_lasts() const override { return p_.chain_rounds; }
  bool draws() const override { return true; }
  bool trains_base() const override { return false; }
  bool merges() const override { return true; }
  std::optional<Bytes> increment(const Shape& prepared) const override;
  std::int64_t prepared_lasts() const override { return p_.prepared_lasts(); }
  Bytes beside_base(const Shape& prepared, std::int64_t merges) const override;
  bool rounds_beside() const override { return p_.merge == "side-bf16"; }

  // The frozen factors of a space.
  Vector sketch(const LayoutPtr& model, Stream space) const;

 private:
  bool left() const { return p_.sketch == "left"; }
  Factor trained_factor() const { return left() ? Factor::kA : Factor::kB; }
  int most_rank() const { return p_.most_rank > 0 ? p_.most_rank : 4 * p_.rank; }
  void choose_ranks(GlobalModel& model) const;

  RacLoraParams p_;
  FactorLayouts trained_, frozen_;
  mutable std::mutex mutex_;
  mutable std::map<std::vector<std::uint16_t>, std::unique_ptr<RacLora>> with_ranks_;
};

}  // namespace skiff
