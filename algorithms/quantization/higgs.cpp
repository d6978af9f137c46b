// HIGGS: Hadamard incoherence with Gaussian MSE-optimal grids.
//
// Malinovskii et al. 2024, "Pushing the limits of large language model quantization via the
// linearity theorem" (arXiv:2411.17525). Groups of `group` inputs of an output are scaled to unit
// variance and rotated by a randomized Hadamard transform, after which they look Gaussian whatever
// they were; `dimension` neighbours at a time become the nearest of n points that are optimal for
// Gaussians (kernels/gaussian_grids.h). The relative error is then D(n, p), of no data.
//   bits per weight: (log2(n) / p + 16 / group) * (inputs padded to groups / inputs)
// scale: mse stores |v| / sqrt(g) (What shrinks by 1 - D); unbiased stores s |v|^2 / <v, vhat>, so
// that E What = W over the signs: for what is averaged.
// allocation: dynamic chooses each layer's grid so that sum_l a_l D_l is least within the bytes
// that `bits` would take everywhere (linearity.h, bit_allocation.h); needs samples. Where there is
// no grid of 2^(bits p) points in p = `dimension` dimensions (p = 4: beyond 3 bits, p = 2: beyond
// 4) the next smaller dimension is taken.

#include <algorithm>
#include <cmath>
#include <optional>

#include "algorithms/calibration.h"
#include "algorithms/masked_values.h"
#include "algorithms/quantization/bit_allocation.h"
#include "algorithms/quantization/higgs_values.h"
#include "algorithms/quantization/layer_quantizer.h"
#include "algorithms/quantization/linearity.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

struct HiggsParams {
  double bits = 4;
  int dimension = 2;
  std::optional<int> group;
  std::string allocation = "uniform";
  std::string scale = "mse";
  std::string signs = "random";
  int noise_levels = 3;
  LayerTargets targets;
};

const kernels::GaussianGridData* grid_of(int dimension, double bits) {
  for (int p = dimension; p > 1; p /= 2) {
    const auto* grid = p * bits > 12
                           ? nullptr
                           : kernels::find_gaussian_grid(p, static_cast<int>(std::exp2(p * bits)));
    if (grid != nullptr) return grid;
  }
  return kernels::find_gaussian_grid(1, static_cast<int>(std::exp2(bits)));
}

double code_bits(const kernels::GaussianGridData& grid) {
  return std::log2(static_cast<double>(grid.points)) / grid.dimension;
}

}  // namespace

template <>
Schema<HiggsParams> schema() {
  Schema<HiggsParams> s;
  s.field("bits", &HiggsParams::bits, "bits of a weight's code; fractions with allocation dynamic")
      .required("by higgs; skiff has no default that changes results")
      .in(2, 8);
  s.field("dimension", &HiggsParams::dimension,
          "weights that share a code, at most: 1, 2 or 4; beyond 4 bits 1, beyond 3 bits 2")
      .in(1, 4);
  s.field("group", &HiggsParams::group, "inputs rotated together, 32 to 4096, a power of two")
      .or_word("auto")
      .in(32, 4096);
  s.field("allocation", &HiggsParams::allocation,
          "the same grid for all, or by what the loss bears")
      .one_of({"uniform", "dynamic"});
  s.field("scale", &HiggsParams::scale, "least error, or right on average")
      .one_of({"mse", "unbiased"});
  s.field("signs", &HiggsParams::signs, "of the rotation").one_of({"random", "none"});
  s.field("noise_levels", &HiggsParams::noise_levels, "allocation dynamic: noises for each slope")
      .in(1, 30);
  s.field("targets", &HiggsParams::targets, "linear (every linear layer), or layer names");
  s.check([](const HiggsParams& p, const Node& map, Reader& reader) {
    const auto say = [&](const char* key, const char* message) {
      const Reader::Scope scope(reader, key);
      const Node* node = map.find(key);
      reader.problem(node != nullptr ? node->where : map.where, message);
    };
    if (p.dimension == 3) say("dimension", "there are grids of 1, 2 and 4 dimensions");
    if (p.group && (*p.group & (*p.group - 1)) != 0) say("group", "expected a power of two");
    if (p.allocation == "uniform" && p.bits != std::floor(p.bits)) {
      say("bits", "fractions need allocation: dynamic");
    }
    if (p.scale == "unbiased" && p.signs == "none") {
      say("scale", "only random signs make it right on average");
    }
  });
  return s;
}

namespace {

class Higgs final : public Compressor {
 public:
  explicit Higgs(const HiggsParams& p) : p_(p) {}

  bool needs_calibration() const override { return dynamic(); }
  bool size_depends_on_data() const override { return dynamic(); }

  void compress(Model& model, const Calibration* calibration, State&,
                Stream stream) const override {
    const std::vector<std::size_t> targets = p_.targets.of(*model.layout);
    std::vector<const kernels::GaussianGridData*> grids(targets.size(),
                                                        grid_of(p_.dimension, p_.bits));
    if (dynamic()) grids = allocated(model, targets, calibration, stream);
    for (std::size_t i = 0; i < targets.size(); ++i) {
      Stream own = layer_stream(stream, model.layout->slices[targets[i]]);
      const auto seed = static_cast<std::int64_t>(own.bits64() >> 1);
      const auto encode = [&](const LayerMatrix& m) {
        return higgs_values(format(grids[i], m.cols), m.rows, m.cols, m.values, seed,
                            p_.scale == "unbiased");
      };
      put_values(model, targets[i], encode_named(layer_matrix(model, targets[i]), encode));
    }
  }

  Shape shape(const Shape& before) const override {
    return quantized_shape(
        before, p_.targets.of(*before.layout),
        [this](int rows, int cols) { return bytes(rows, cols); },
        [this](int rows, int cols) { return scale_bytes(rows, cols); });
  }
  Cost cost(const Shape& before) const override {
    return quantizing_cost(before, shape(before), p_.targets.of(*before.layout), 30);
  }
  std::vector<double> relative_error(const Layout& layout) const override {
    if (dynamic()) return {};
    std::vector<double> errors(layout.slices.size());
    const double d = grid_of(p_.dimension, p_.bits)->distortion;
    for (const std::size_t t : p_.targets.of(layout)) {
      errors[t] = p_.scale == "unbiased" ? d / (1 - d) : d;
    }
    return errors;
  }

 private:
  bool dynamic() const { return p_.allocation == "dynamic"; }

  int group_of(int cols) const { return p_.group ? *p_.group : best_group(cols, p_.bits); }
  int groups(int cols) const { return (cols + group_of(cols) - 1) / group_of(cols); }
  HiggsFormat format(const kernels::GaussianGridData* grid, int cols) const {
    return {grid, p_.group ? *p_.group : best_group(cols, code_bits(*grid)), p_.signs == "random"};
  }
  // Of a matrix whose codes take p_.bits a weight; with allocation dynamic its share of the budget.
  Bytes bytes(int rows, int cols) const {
    if (!dynamic()) return format(grid_of(p_.dimension, p_.bits), cols).bytes(rows, cols);
    const double row = std::ceil(groups(cols) * group_of(cols) * p_.bits / 8) + 2.0 * groups(cols);
    return Bytes(static_cast<std::int64_t>(rows * row));
  }
  Bytes scale_bytes(int rows, int cols) const {
    if (!dynamic()) return format(grid_of(p_.dimension, p_.bits), cols).scale_bytes(rows, cols);
    return Bytes(2LL * rows * groups(cols));
  }

  std::vector<const kernels::GaussianGridData*> allocated(const Model& model,
                                                          const std::vector<std::size_t>& targets,
                                                          const Calibration* calibration,
                                                          const Stream& stream) const {
    if (calibration == nullptr) {
      throw std::invalid_argument(
          "allocation: dynamic needs samples of the server's: write data.server_samples");
    }
    std::vector<const kernels::GaussianGridData*> grids;
    for (const kernels::GaussianGridData* grid : kernels::gaussian_grids()) {
      if (grid->dimension <= p_.dimension && code_bits(*grid) >= 1) grids.push_back(grid);
    }
    const std::vector<double> slopes = loss_slopes(
        *calibration, model, targets, {.count = p_.noise_levels}, stream.child("slopes"));
    std::vector<std::vector<AllocationOption>> layers(targets.size());
    double budget = 0;
    for (std::size_t i = 0; i < targets.size(); ++i) {
      const LayerMatrix m = layer_matrix(model, targets[i]);
      budget += static_cast<double>(bytes(m.rows, m.cols).value());
      for (const kernels::GaussianGridData* grid : grids) {
        const Bytes stored = format(grid, m.cols).bytes(m.rows, m.cols);
        layers[i].push_back(
            {static_cast<double>(stored.value()), std::max(slopes[i], 0.0) * grid->distortion});
      }
    }
    const Allocation best = allocate(layers, budget);
    std::vector<const kernels::GaussianGridData*> chosen;
    for (const int option : best.choice) chosen.push_back(grids[static_cast<std::size_t>(option)]);
    return chosen;
  }

  HiggsParams p_;
};

SKIFF_REGISTER(
    Compressor, Higgs, HiggsParams,
    {.name = "higgs",
     .summary = "Hadamard rotation, optimal Gaussian grids",
     .paper = "Malinovskii et al. 2024, arXiv:2411.17525",
     .family = "quantization",
     .verified = "distortion equals the grid's to 1 % on Gaussian, Laplace and t-distributed "
                 "weights; 1.50x below rtn at 4 bits on Gaussian ones; the knapsack is exact",
     .deviates = "grids of our own search; slopes from pairs of opposite noises; the sizes of "
                 "groups follow the layer's width (group: auto)"});

}  // namespace
}  // namespace skiff
