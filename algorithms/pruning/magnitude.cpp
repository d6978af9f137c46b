// Magnitude pruning: the smallest weights go. The baseline of every pruning paper; of each matrix
// (as in the comparisons of Sun et al. 2023, arXiv:2306.11695), or of each n-of-m group.
//
//   unstructured: the floor(p c b) smallest |W_ij| of a matrix of c outputs and b inputs
//   n-of-m:       the n smallest of every m consecutive inputs of an output
//   channel, head: the units of the smallest norm over all their weights, cut out (cut_layers.h)

#include "algorithms/pruning/cut_layers.h"
#include "algorithms/pruning/cut_params.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

struct MagnitudeParams : pruning::CutParams {};

}  // namespace

template <>
Schema<MagnitudeParams> schema() {
  Schema<MagnitudeParams> s;
  pruning::add_cut_fields(s);
  return s;
}

namespace {

class Magnitude final : public Compressor {
 public:
  explicit Magnitude(const MagnitudeParams& p) : p_(p) {}

  void compress(Model& model, const Calibration* calibration, State& memory,
                Stream stream) const override {
    if (changes_shapes()) {
      return pruning::cut_layers(
          model, calibration, p_, p_.head_width, memory,
          {"magnitude",
           false,
           [](const pruning::Layer&, const pruning::UnitGroup& group, const Vector& weights) {
             return pruning::unit_squares(weights, group);
           },
           {}});
    }
    const auto choose = [&](pruning::Layer& layer) {
      return pruning::choose(pruning::magnitude(layer.matrix()), p_, pruning::Group::kMatrix,
                             layer);
    };
    pruning::prune_layers(model, calibration, p_.targets, memory, stream,
                          {"magnitude", false, choose, {}});
  }
  Shape shape(const Shape& before) const override {
    if (changes_shapes()) return pruning::cut_layers_shape(before, p_, p_.head_width);
    return pruning::masked_targets(before, p_.targets, [&](const Slice& s) {
      return pruning::removed(p_, pruning::Group::kMatrix, s.rows, s.cols);
    });
  }
  Cost cost(const Shape& before) const override {
    return pruning::walk_cost(
        before, p_.targets, [](double r, double c) { return 2 * r * c; },
        [](double r, double c) { return 3 * r * c; });
  }
  bool removes_weights() const override { return true; }
  bool changes_shapes() const override { return pruning::cuts_units(p_.structure); }

 private:
  MagnitudeParams p_;
};

SKIFF_REGISTER(Compressor, Magnitude, MagnitudeParams,
               {.name = "magnitude",
                .summary = "the smallest weights go",
                .paper = "baseline",
                .family = "pruning",
                .verified = "masks and errors of a layer given in closed form; the loss of a "
                            "public small language model at 50% and 2-of-4"});

}  // namespace
}  // namespace skiff
