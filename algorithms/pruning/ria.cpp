// RIA: relative importance and activations. Zhang et al. 2024, "Plug-and-play: an efficient
// post-training pruning method for large language models" (ICLR 2024), equations 3 and 4.
//
//   S_ij = |W_ij| (1/|W_i.|_1 + 1/|W_.j|_1) |x_j|_2^alpha, compared within the whole matrix
//
// alpha = 0.5 as in the paper; 0 is RI, without activations. The paper's channel permutation for
// n-of-m, which must be folded into the layer before, is not built.

#include "algorithms/pruning/layers.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

struct RiaParams : Removal {
  double alpha = 0.5;
};

}  // namespace

template <>
Schema<RiaParams> schema() {
  Schema<RiaParams> s;
  add_removal(s, {"unstructured", "2-of-4", "4-of-8"});
  s.field("alpha", &RiaParams::alpha, "power of the input norm; 0: weights alone").in(0, 4);
  return s;
}

namespace {

class Ria final : public Compressor {
 public:
  explicit Ria(const RiaParams& p) : p_(p) {}

  void compress(Model& model, const Calibration* calibration, State& memory,
                Stream stream) const override {
    const auto choose = [&](pruning::Layer& layer) {
      pruning::Scores scores =
          pruning::relative(layer.matrix(), pruning::inverse_norms(layer.matrix(), 1));
      if (p_.alpha != 0) {
        pruning::activate(scores, layer.cols, pruning::input_norms(*layer.inputs), p_.alpha);
      }
      return pruning::choose(scores, p_, pruning::Group::kMatrix, layer);
    };
    pruning::prune_layers(model, calibration, p_.targets, memory, stream,
                          {"ria", p_.alpha != 0, choose, {}});
  }
  Shape shape(const Shape& before) const override {
    return pruning::masked_targets(before, p_.targets, [&](const Slice& s) {
      return pruning::removed(p_, pruning::Group::kMatrix, s.rows, s.cols);
    });
  }
  Cost cost(const Shape& before) const override {
    return pruning::walk_cost(
        before, p_.targets, [](double r, double c) { return 6 * r * c; },
        [](double r, double c) { return 3 * r * c + c * c; });
  }
  bool needs_calibration() const override { return p_.alpha != 0; }
  bool removes_weights() const override { return true; }

 private:
  RiaParams p_;
};

SKIFF_REGISTER(Compressor, Ria, RiaParams,
               {.name = "ria",
                .summary = "relative importance and activations",
                .paper = "Zhang et al. 2024, Plug-and-Play, ICLR",
                .family = "pruning",
                .verified = "scores of a small matrix by hand; masks and errors of a layer given "
                            "in closed form",
                .deviates = "no channel permutation for n-of-m; inputs of a layer come through all "
                            "pruned layers before it"});

}  // namespace
}  // namespace skiff
