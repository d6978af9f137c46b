// Every weight is trained and sent: what a model does that nothing adapts.
//
// On the device: the trained copy and its gradient, 4 bytes a parameter each; the received weights,
// from which the update is taken at the end, stay in flash.
#include <algorithm>

#include "algorithms/kernels/reduce.h"
#include "algorithms/models/full_weights.h"
#include "algorithms/parametrization.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

// direction = sum of shares[i] * vectors[i], in that order for every coordinate, in double.
void weighted_sum(std::span<const double> shares, std::span<const Vector> vectors,
                  std::span<float> direction) {
  constexpr std::size_t kBlock = 512;  // coordinates whose sums stay in the first-level cache
  double sums[kBlock];
  for (std::size_t begin = 0; begin < direction.size(); begin += kBlock) {
    const std::span<float> out =
        direction.subspan(begin, std::min(kBlock, direction.size() - begin));
    const std::span<double> sum(sums, out.size());
    std::fill(sum.begin(), sum.end(), 0.0);
    for (std::size_t i = 0; i < vectors.size(); ++i) {
      kernels::axpy(sum, shares[i], std::span(vectors[i].values).subspan(begin, out.size()));
    }
    for (std::size_t j = 0; j < out.size(); ++j) out[j] = static_cast<float>(sum[j]);
  }
}

class Full final : public Parametrization {
 public:
  explicit Full(NoParams) {}

  std::unique_ptr<Weights> bind(std::shared_ptr<const Model>, const Vector& received, Stream,
                                std::unique_ptr<Weights> reuse) const override {
    if (reuse == nullptr) return std::make_unique<FullWeights>(received);
    static_cast<FullWeights&>(*reuse).rebind(received);
    return reuse;
  }

  LayoutPtr update_layout(const LayoutPtr& prepared) const override { return prepared; }
  Vector& target(GlobalModel& model) const override { return model.weights; }
  const Vector& target(const GlobalModel& model) const override { return model.weights; }

  // A compressed model is trained from what its stored tensors decode to.
  Vector for_client(const Vector& global, const Model* base) const override {
    if (base == nullptr) return global;
    return decoded(*base);
  }

  void average(std::span<const Update> updates, std::span<const Vector> vectors,
               Vector& direction) const override {
    double total = 0;
    for (const Update& u : updates) total += u.weight;
    SKIFF_CHECK(total > 0, "no update has a weight");
    std::vector<double> shares;
    for (const Update& u : updates) shares.push_back(u.weight / total);
    for (const Vector& v : vectors) {
      SKIFF_CHECK(v.values.size() == direction.values.size(), "an update of another shape");
    }
    weighted_sum(shares, vectors, direction.values);
  }

  void cost(const Shape& prepared, const Optimizer& optimizer, Cost& cost) const override {
    const Bytes dense(static_cast<std::int64_t>(prepared.layout->size * sizeof(float)));
    cost.memory.weights += dense;
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
