// PV-Tuning: the codes of a quantized model and the values that they stand for, tuned in turn on
// the loss of the whole model.
//
// Malinovskii et al. 2024, "PV-Tuning: beyond straight-through estimation for extreme LLM
// compression" (arXiv:2405.14852), sections 3.2 and 3.3. Each layer is codes, a table and scales
// (pv_layer.h, which says what a P and a V step are); each step takes the gradient of the loss at
// the quantized weights over `batch` texts. Every tenth of the steps the loss over all texts is
// taken, as the weights will be stored; the best of all is what stays.
//   pv           proposals start at the quantized weights; a share of the groups changes a step
//   pv-ste       proposals collect in latent weights (the paper's "PV-Tuning with STE", and what
//   its
//                authors' recipe runs)
//   ste          latent weights, all groups: straight-through estimation
//   naive        the quantized weights, all groups: the linearised step without a subspace
//   p-only       table and scales alone;  stochastic: latent weights rounded by chance
// codebook: scalar has 2^bits levels a layer; vector has 2^(2 bits) pairs of neighbours.
// Differs from the paper: layers begin with k-means, not AQLM or VQ codes; the loss is that of the
// text, not the distance to a teacher's outputs; a share of the groups is chosen among those whose
// nearest code differs; tensors that are no target are not trained; there is one table a layer, no
// sum of several. Without samples the objective is |What - W|^2, for which k-means is the method.
// Bits per weight: b + 16 / group, and 16 bits for each number of a table.

#include "algorithms/calibration.h"
#include "algorithms/quantization/pv_params.h"
#include "algorithms/quantization/pv_training.h"
#include "algorithms/quantization/pv_view.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

class PvTuning final : public Compressor {
 public:
  explicit PvTuning(const PvParams& p)
      : p_(p), mode_(p.kind()), format_(p.format()), training_(pv_training(p)) {}

  std::shared_ptr<const Parametrization> training() const override { return training_; }

  bool uses_calibration() const override { return p_.steps > 0; }
  // memory: the tables of the last call, from which k-means starts.
  void compress(Model& model, const Calibration* calibration, State& memory,
                Stream stream) const override {
    const std::vector<std::size_t> targets = p_.targets.of(*model.layout);
    std::vector<PvLayer> layers;
    for (const std::size_t t : targets) {
      const LayerMatrix matrix = layer_matrix(model, t);
      encode_named(matrix, [&](const LayerMatrix& m) {
        const std::string name = "table." + model.layout->slices[t].name;
        const bool warm = memory.has(name);
        const std::size_t size = format_.entries() * static_cast<std::size_t>(format_.dimension);
        const std::span<float> last = memory.array<float>(name, size);
        layers.emplace_back(m, format_, warm ? last : std::span<const float>());
        std::copy(layers.back().table().begin(), layers.back().table().end(), last.begin());
        return nullptr;
      });
    }
    for (std::size_t i = 0; i < targets.size(); ++i) {
      put_values(model, targets[i], layers[i].stored());
    }
    if (calibration != nullptr && p_.steps > 0) tune(model, targets, layers, *calibration, stream);
  }

  Shape shape(const Shape& before) const override {
    return quantized_shape(
        before, p_.targets.of(*before.layout),
        [this](int rows, int cols) { return format_.bytes(rows, cols); },
        [this](int rows, int cols) { return format_.scale_bytes(rows, cols); });
  }
  // Without the walks over the samples, which the caller knows.
  Cost cost(const Shape& before) const override {
    const std::vector<std::size_t> targets = p_.targets.of(*before.layout);
    const double per_step = 3 * static_cast<double>(format_.entries()) + 30;
    Cost cost = quantizing_cost(before, shape(before), targets, (30 + p_.steps) * per_step);
    for (const std::size_t t : targets) {  // What, latent weights, moments
      cost.memory.scratch += Bytes(16 * before.tensors[t].kept);
    }
    return cost;
  }

 private:
  void tune(Model& model, const std::vector<std::size_t>& targets, std::vector<PvLayer>& layers,
            const Calibration& calibration, const Stream& stream) const {
    Model best = model;
    double least = calibration.loss(decoded(model));
    const int every = std::max(1, p_.steps / 10);
    for (int step = 1; step <= p_.steps; ++step) {
      const auto index = static_cast<std::uint64_t>(step);
      Vector weights = decoded(model), gradient;
      for (std::size_t i = 0; i < layers.size(); ++i)
        show_layer(model, targets[i], layers[i], weights);
      calibration.loss_and_gradient(weights, batch_of(calibration, stream.child("batch", index)),
                                    gradient);
      for (std::size_t i = 0; i < layers.size(); ++i) {
        layers[i].step(layer_gradient(model, targets[i], gradient), mode_, p_.rates(),
                       stream.child("rounding", index).child("layer", i));
      }
      if (step % every != 0 && step != p_.steps) continue;
      for (std::size_t i = 0; i < targets.size(); ++i) {
        put_values(model, targets[i], layers[i].stored());
      }
      const double loss = calibration.loss(decoded(model));
      if (loss < least) {
        least = loss;
        best = model;
      }
    }
    model = best;
  }

  std::vector<std::uint32_t> batch_of(const Calibration& calibration, Stream stream) const {
    std::vector<std::uint32_t> some;
    const auto rows = static_cast<std::uint32_t>(calibration.rows());
    for (int i = 0; i < p_.batch; ++i) some.push_back(stream.below(rows));
    return some;
  }

  PvParams p_;
  PvMode mode_;
  TableFormat format_;
  std::shared_ptr<const Parametrization> training_;
};

SKIFF_REGISTER(
    Compressor, PvTuning, PvParams,
    {.name = "pv-tuning",
     .summary = "codes and their values tuned in turn on the loss",
     .paper = "Malinovskii et al. 2024, arXiv:2405.14852",
     .family = "quantization",
     .verified = "gradients of tables and scales against differences; no step changes more codes "
                 "than its share",
     .deviates = "begins with k-means; the text's loss instead of a teacher's; one table a layer; "
                 "only codes that would differ compete for the subspace"});

}  // namespace
}  // namespace skiff
