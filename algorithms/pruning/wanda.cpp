// Wanda: weights times the norm of what they read. Sun, Liu, Bair and Kolter 2023, "A simple and
// effective pruning approach for large language models" (arXiv:2306.11695), equation 1.
//
//   S_ij = |W_ij| |x_j|_2, compared among the inputs of one output; nothing else moves
//
// x_j: input j over all calibration inputs, padding left out. For the structures channel and head
// (not in the paper) a unit's score is the sum of S over the columns that read it, and the lowest
// units are cut out (cut_layers.h).

#include "algorithms/pruning/cut_layers.h"
#include "algorithms/pruning/cut_params.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

struct WandaParams : pruning::CutParams {};

}  // namespace

template <>
Schema<WandaParams> schema() {
  Schema<WandaParams> s;
  pruning::add_cut_fields(s);
  return s;
}

namespace {

class Wanda final : public Compressor {
 public:
  explicit Wanda(const WandaParams& p) : p_(p) {}

  void compress(Model& model, const Calibration* calibration, State& memory,
                Stream stream) const override {
    if (changes_shapes()) {
      return pruning::cut_layers(
          model, calibration, p_, p_.head_width, memory,
          {"wanda",
           true,
           [](const pruning::Layer& reader, const pruning::UnitGroup& group, const Vector&) {
             return pruning::by_unit(pruning::wanda_columns(reader), group);
           },
           {}});
    }
    const auto choose = [&](pruning::Layer& layer) {
      const std::vector<double> xn = pruning::input_norms(*layer.inputs);
      return pruning::choose(pruning::wanda(layer.matrix(), xn), p_, pruning::Group::kRow, layer);
    };
    pruning::prune_layers(model, calibration, p_.targets, memory, stream,
                          {"wanda", true, choose, {}});
  }
  Shape shape(const Shape& before) const override {
    if (changes_shapes()) return pruning::cut_layers_shape(before, p_, p_.head_width);
    return pruning::masked_targets(before, p_.targets, [&](const Slice& s) {
      return pruning::removed(p_, pruning::Group::kRow, s.rows, s.cols);
    });
  }
  Cost cost(const Shape& before) const override {
    return pruning::walk_cost(
        before, p_.targets, [](double r, double c) { return 3 * r * c; },
        [](double r, double c) { return 3 * r * c + c * c; });
  }
  bool needs_calibration() const override { return true; }
  bool removes_weights() const override { return true; }
  bool changes_shapes() const override { return pruning::cuts_units(p_.structure); }

 private:
  WandaParams p_;
};

SKIFF_REGISTER(Compressor, Wanda, WandaParams,
               {.name = "wanda",
                .summary = "weight times input norm",
                .paper = "Sun et al. 2023, arXiv:2306.11695",
                .family = "pruning",
                .verified = "the paper's small example; masks and errors of a layer given in "
                            "closed form",
                .deviates = "every layer is scored on inputs that come through all pruned layers "
                            "before it; the paper goes block by block"});

}  // namespace
}  // namespace skiff
