// SparseGPT: column by column, and what is still to come makes up for what went. Frantar and
// Alistarh 2023, "SparseGPT: massive language models can be accurately pruned in one-shot"
// (arXiv:2301.00774), algorithm 1. The mathematics: second_order.h.
//
// A block's mask is chosen when the block begins: the floor(p c B) lowest (w / U_jj)^2 of its c x B
// weights; n-of-m: the n lowest of each group when the group begins.

#include "algorithms/pruning/second_order.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

struct SparsegptParams : Removal {
  int block_size = 128;
  double damping = pruning::kDamping;
};

}  // namespace

template <>
Schema<SparsegptParams> schema() {
  Schema<SparsegptParams> s;
  add_removal(s, {"unstructured", "2-of-4", "4-of-8"});
  s.field("block_size", &SparsegptParams::block_size, "columns whose mask is chosen at once")
      .in(1, 65536);
  s.field("damping", &SparsegptParams::damping, "added to H, in means of its diagonal").in(0, 1);
  s.check([](const SparsegptParams& p, const Node& map, Reader& reader) {
    const pruning::Pattern pattern = pruning::pattern_of(p.structure);
    if (!pattern.exists() || p.block_size % pattern.of == 0) return;
    const Reader::Scope scope(reader, "block_size");
    reader.problem(map.where, "must be a multiple of " + std::to_string(pattern.of) +
                                  ": a block holds whole groups");
  });
  return s;
}

namespace {

class Sparsegpt final : public Compressor {
 public:
  explicit Sparsegpt(const SparsegptParams& p)
      : p_(p), options_{p.block_size, p.sparsity, pruning::pattern_of(p.structure)} {}

  void compress(Model& model, const Calibration* calibration, State& memory,
                Stream stream) const override {
    const auto choose = [&](pruning::Layer& layer) {
      return pruning::sparsegpt(layer, pruning::InverseFactor(*layer.inputs, p_.damping), options_);
    };
    const auto adjust = [&](pruning::Layer& layer, const pruning::Mask& mask) {
      pruning::sparsegpt_update(layer, pruning::InverseFactor(*layer.inputs, p_.damping), mask,
                                p_.block_size);
    };
    pruning::prune_layers(model, calibration, p_.targets, memory, stream,
                          {"sparsegpt", true, choose, adjust});
  }
  Shape shape(const Shape& before) const override {
    return pruning::masked_targets(before, p_.targets, [&](const Slice& s) {
      return pruning::sparsegpt_removed(options_, s.rows, s.cols);
    });
  }
  Cost cost(const Shape& before) const override {
    return pruning::walk_cost(
        before, p_.targets,
        [&](double r, double c) {
          return 2.0 / 3 * c * c * c + pruning::update_flops(r, c, p_.block_size, 0);
        },
        pruning::second_order_scratch);
  }
  bool needs_calibration() const override { return true; }
  bool removes_weights() const override { return true; }

 private:
  SparsegptParams p_;
  pruning::SecondOrder options_;
};

SKIFF_REGISTER(Compressor, Sparsegpt, SparsegptParams,
               {.name = "sparsegpt",
                .summary = "second-order, column by column",
                .paper = "Frantar and Alistarh 2023, arXiv:2301.00774",
                .family = "pruning",
                .verified = "masks, weights and errors of a layer given in closed form; its own "
                            "account of the error equals the error",
                .deviates = "exact counts where the paper's program removes all ties; inputs of a "
                            "layer come through all pruned layers before it"});

}  // namespace
}  // namespace skiff
