// Every weight is trained and sent: what a model does that nothing adapts.
//
// On the device: the trained copy and its gradient, 4 bytes a parameter each; the received weights,
// from which the update is taken at the end, stay in flash. A pruned model is trained in dense
// storage: what the mask left out is put back to 0 in every gradient and after every step, for
// which the coordinates that are kept are held too, 4 bytes each.
#include <algorithm>

#include "algorithms/adaptation/weighted_mean.h"
#include "algorithms/models/full_weights.h"
#include "algorithms/parametrization.h"
#include "algorithms/prepare.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

bool holds_all(const Model& model) {
  return model.kept == nullptr && model.kept_rows.empty() && model.kept_cols.empty();
}

// By coordinate the mean over the clients that hold it, by Update::weight; 0 where nobody does.
void mean_over_holders(std::span<const Update> updates, std::span<const Vector> vectors,
                       Vector& direction) {
  std::vector<double> sum(direction.values.size()), weight(direction.values.size());
  for (std::size_t i = 0; i < updates.size(); ++i) {
    const Vector& v = vectors[i];
    const double w = updates[i].weight;
    const Model* held = updates[i].prepared.get();
    Coordinates all;
    if (held != nullptr) all = full_coordinates(*held, *direction.layout);
    const auto add = [&](std::size_t j) {
      const std::size_t to = all.empty() ? j : all[j];
      sum[to] += w * v.values[j];
      weight[to] += w;
    };
    if (held != nullptr && held->kept != nullptr) {
      for (const std::uint32_t j : *held->kept) add(j);
    } else {
      for (std::size_t j = 0; j < v.values.size(); ++j) add(j);
    }
  }
  for (std::size_t j = 0; j < sum.size(); ++j) {
    direction.values[j] = weight[j] > 0 ? static_cast<float>(sum[j] / weight[j]) : 0.0F;
  }
}

class Full final : public Parametrization {
 public:
  explicit Full(NoParams) {}

  std::unique_ptr<Weights> bind(std::shared_ptr<const Model> base, const Vector& received, Stream,
                                std::unique_ptr<Weights> reuse) const override {
    if (reuse == nullptr) reuse = std::make_unique<FullWeights>();
    static_cast<FullWeights&>(*reuse).rebind(received, base != nullptr ? base->kept : nullptr);
    return reuse;
  }

  LayoutPtr update_layout(const Shape& prepared) const override { return prepared.layout; }
  Vector& target(GlobalModel& model) const override { return model.weights; }
  const Vector& target(const GlobalModel& model) const override { return model.weights; }

  // A compressed model is trained from what its stored tensors decode to.
  Vector for_client(const Vector& global, const Model* base) const override {
    if (base == nullptr) return global;
    return decoded(*base);
  }

  void average(std::span<const Update> updates, std::span<const Vector> vectors,
               Vector& direction) const override {
    const bool whole = std::all_of(updates.begin(), updates.end(), [](const Update& u) {
      return u.prepared == nullptr || holds_all(*u.prepared);
    });
    if (!whole) return mean_over_holders(updates, vectors, direction);
    weighted_mean(updates, vectors, direction);
  }

  void cost(const Shape& prepared, const Optimizer& optimizer, Cost& cost) const override {
    const Bytes dense(static_cast<std::int64_t>(prepared.layout->size * sizeof(float)));
    cost.memory.weights += dense;
    if (prepared.masked()) cost.detail.masks = Bytes(4 * prepared.kept());
    cost.memory.weights += cost.detail.masks;
    cost.memory.gradients += dense;
    cost.memory.optimizer_state += optimizer.state_bytes(*prepared.layout);
  }
};

SKIFF_REGISTER(Parametrization, Full, NoParams,
               {.name = "full",
                .summary = "every weight is trained and sent",
                .paper = "baseline",
                .verified = "contracts; fused and unfused steps bit-equal"});

}  // namespace
}  // namespace skiff
