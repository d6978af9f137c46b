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
#include "algorithms/masked_values.h"
#include "algorithms/quantization/pv_layer.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

struct PvParams {
  int bits = 2;
  std::string mode = "pv-ste";
  double subspace = 0.01;
  std::string codebook = "scalar";
  double code_learning_rate = 0.01;
  double learning_rate = 3e-4;
  int steps = 200;
  int batch = 8;
  GroupSize group{GroupSize::kRow};
  LayerTargets targets;
};

PvMode mode_of(const std::string& word) {
  if (word == "pv") return PvMode::kPv;
  if (word == "pv-ste") return PvMode::kPvSte;
  if (word == "ste") return PvMode::kSte;
  if (word == "p-only") return PvMode::kPOnly;
  return word == "naive" ? PvMode::kNaive : PvMode::kStochastic;
}

}  // namespace

template <>
Schema<PvParams> schema() {
  Schema<PvParams> s;
  s.field("bits", &PvParams::bits, "bits of a weight's code")
      .required("by pv-tuning; skiff has no default that changes results")
      .in(1, 8);
  s.field("mode", &PvParams::mode, "how codes change")
      .one_of({"pv-ste", "pv", "ste", "p-only", "naive", "stochastic"});
  s.field("subspace", &PvParams::subspace, "share of the codes that may change in a step")
      .fraction()
      .above(0);
  s.field("codebook", &PvParams::codebook, "levels, or pairs of neighbours (up to 4 bits)")
      .one_of({"scalar", "vector"});
  s.field("code_learning_rate", &PvParams::code_learning_rate,
          "Adam's step on the weights, as a share of their root mean square")
      .above(0);
  s.field("learning_rate", &PvParams::learning_rate, "Adam's step on tables and scales").above(0);
  s.field("steps", &PvParams::steps, "P and V steps").in(0, 1e6);
  s.field("batch", &PvParams::batch, "texts of a step").at_least(1);
  s.field("group", &PvParams::group, "weights of an output that share a scale; row or tensor");
  s.field("targets", &PvParams::targets, "linear (every linear layer), or layer names");
  s.check([](const PvParams& p, const Node& map, Reader& reader) {
    if (p.codebook != "vector" || (p.bits <= 4 && p.mode != "stochastic")) return;
    const Reader::Scope scope(reader, "codebook");
    reader.problem(map.find("codebook")->where,
                   p.bits > 4 ? "pairs have up to 4 bits a weight; write scalar"
                              : "mode stochastic rounds numbers; write scalar");
  });
  return s;
}

namespace {

class PvTuning final : public Compressor {
 public:
  explicit PvTuning(const PvParams& p) : p_(p), mode_(mode_of(p.mode)) {
    format_.dimension = p.codebook == "vector" ? 2 : 1;
    format_.bits = p.bits * format_.dimension;
    format_.group = p.group;
  }

  void compress(Model& model, const Calibration* calibration, State&,
                Stream stream) const override {
    const std::vector<std::size_t> targets = p_.targets.of(*model.layout);
    std::vector<PvLayer> layers;
    for (const std::size_t t : targets) {
      const LayerMatrix matrix = layer_matrix(model, t);
      encode_named(matrix, [&](const LayerMatrix& m) {
        layers.emplace_back(m, format_);
        return nullptr;
      });
    }
    for (std::size_t i = 0; i < targets.size(); ++i) {
      put_values(model, targets[i], layers[i].stored());
    }
    if (calibration != nullptr && p_.steps > 0) tune(model, targets, layers, *calibration, stream);
  }

  Shape shape(const Shape& before) const override {
    return quantized_shape(before, p_.targets.of(*before.layout),
                           [this](int rows, int cols) { return format_.bytes(rows, cols); });
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
      for (std::size_t i = 0; i < layers.size(); ++i) show(model, targets[i], layers[i], weights);
      calibration.loss_and_gradient(weights, batch_of(calibration, stream.child("batch", index)),
                                    gradient);
      for (std::size_t i = 0; i < layers.size(); ++i) {
        layers[i].step(own_gradient(model, targets[i], gradient), mode_,
                       {p_.learning_rate, p_.code_learning_rate, p_.subspace},
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

  // Puts the layer's values, as they are now, into the weights.
  static void show(const Model& model, std::size_t t, const PvLayer& layer, Vector& weights) {
    const Slice& slice = model.layout->slices[t];
    const std::span<float> to = std::span(weights.values).subspan(slice.offset, slice.size());
    const MaskedValues* mask = masked_values(model.tensors[t]);
    if (mask == nullptr) return from_row_major(slice, layer.values(), to);
    std::vector<float> all(slice.size());
    std::size_t next = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (mask->is_kept(i)) all[i] = layer.values()[next++];
    }
    from_row_major(slice, all, to);
  }

  // Row-major; of a masked layer only where values are kept.
  static std::vector<float> own_gradient(const Model& model, std::size_t t,
                                         const Vector& gradient) {
    const Slice& slice = model.layout->slices[t];
    std::vector<float> all(slice.size());
    to_row_major(slice, std::span(gradient.values).subspan(slice.offset, slice.size()), all);
    const MaskedValues* mask = masked_values(model.tensors[t]);
    if (mask == nullptr) return all;
    std::vector<float> kept;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (mask->is_kept(i)) kept.push_back(all[i]);
    }
    return kept;
  }

  PvParams p_;
  PvMode mode_;
  TableFormat format_;
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
