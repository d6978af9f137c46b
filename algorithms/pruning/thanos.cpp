// Thanos: block by block of columns, with all removed weights of a row's block made up for at once.
// Ilin and Richtarik 2025 (arXiv:2504.05346). The mathematics: second_order.h, columns.h.
//
//   unstructured  the mask of a block: of all weights left in the matrix the lowest |W_ij| |x_j|,
//                 those in the block, so that the matrix's count is exact and rows differ
//   n-of-m        the n lowest of each group, chosen when the block begins
//   channel, head  with outlier_rows = 0 the columns of the layers that read units (down_proj,
//                 o_proj), units whole, and the units are cut out of the model (cut_layers.h). With
//                 outlier_rows > 0 columns of every target become 0 but in those rows, as in the
//                 paper: a mask, since a column that some rows keep cannot be cut
//
// block_size: layer takes the whole matrix as one block: the best weights for its mask, and a solve
// of (p b)^3 / 3 flops a row. reconstruction: false leaves the weights as they are: a mask alone.

#include <optional>

#include "algorithms/pruning/columns.h"
#include "algorithms/pruning/cut_layers.h"
#include "algorithms/pruning/cut_params.h"
#include "algorithms/pruning/second_order.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

struct ThanosParams : pruning::CutParams {
  std::optional<int> block_size = 128;
  bool reconstruction = true;
  double outlier_rows = 0;
  double damping = pruning::kDamping;
};

void check_thanos(const ThanosParams& p, const Node& map, Reader& reader) {
  const pruning::Pattern pattern = pruning::pattern_of(p.structure);
  const auto problem = [&](const char* key, const std::string& text) {
    const Reader::Scope scope(reader, key);
    const Node* written = map.find(key);
    reader.problem(written != nullptr ? written->where : map.where, text);
  };
  if (pattern.exists() && p.block_size && *p.block_size % pattern.of != 0) {
    problem("block_size",
            "must be a multiple of " + std::to_string(pattern.of) + ": a block holds whole groups");
  }
  if (p.outlier_rows > 0 && p.structure != "channel") {
    problem("outlier_rows", "rows are kept whole only where channels go; write structure: channel");
  }
  if (p.sparsity > 1 - p.outlier_rows) {
    problem("sparsity", "no more than 1 - outlier_rows can go");
  }
  const ThanosParams defaults;
  const bool blocks = p.reconstruction && !pruning::cuts_units(p.structure);
  refuse_idle(!blocks && p.block_size != defaults.block_size, "block_size",
              "the reconstruction of structures without whole columns", map, reader);
  refuse_idle(!p.reconstruction && p.damping != defaults.damping, "damping", "reconstruction: true",
              map, reader);
}

}  // namespace

template <>
Schema<ThanosParams> schema() {
  Schema<ThanosParams> s;
  pruning::add_cut_fields(s);
  s.field("block_size", &ThanosParams::block_size,
          "columns that are treated at once; layer: the whole matrix")
      .in(1, 65536)
      .or_word("layer");
  s.field("reconstruction", &ThanosParams::reconstruction,
          "the weights that stay make up for those that went");
  s.field("outlier_rows", &ThanosParams::outlier_rows,
          "structure channel: share of the outputs that keep all their inputs")
      .fraction(0, 0.99);
  s.field("damping", &ThanosParams::damping, "added to H, in means of its diagonal").in(0, 1);
  s.check(check_thanos);
  return s;
}

namespace {

class Thanos final : public Compressor {
 public:
  explicit Thanos(const ThanosParams& p) : p_(p) {}

  void compress(Model& model, const Calibration* calibration, State& memory,
                Stream stream) const override {
    if (changes_shapes()) {
      return pruning::cut_layers(model, calibration, p_, p_.head_width, memory, cutting());
    }
    const auto choose = [&](pruning::Layer& layer) {
      return columns() ? choose_columns(layer) : choose_entries(layer);
    };
    const auto adjust = [&](pruning::Layer& layer, const pruning::Mask& mask) {
      if (p_.reconstruction) {
        pruning::thanos_update(layer, factor(layer), mask, options(layer.cols).block);
      }
    };
    pruning::prune_layers(model, calibration, p_.targets, memory, stream,
                          {"thanos", true, choose, adjust});
  }

  Shape shape(const Shape& before) const override {
    if (changes_shapes()) return pruning::cut_layers_shape(before, p_, p_.head_width);
    return pruning::masked_targets(before, p_.targets, [&](const Slice& s) {
      if (columns()) {
        return (s.rows - pruning::outlier_rows(s.rows, p_.outlier_rows)) *
               pruning::columns_removed(s.cols, p_.sparsity, p_.outlier_rows);
      }
      return pruning::removed(p_, pruning::Group::kMatrix, s.rows, s.cols);
    });
  }

  Cost cost(const Shape& before) const override {
    return pruning::walk_cost(
        before, p_.targets,
        [&](double r, double c) {
          if (!p_.reconstruction) return 3 * r * c;
          const double s = p_.sparsity * c, inverse = 2.0 / 3 * c * c * c;
          if (columns()) return inverse + s * s * s / 3 + 2 * s * c * c + 2 * r * s * c;
          const double block = options(static_cast<int>(c)).block;
          return inverse + pruning::update_flops(r, c, block, p_.sparsity * block);
        },
        pruning::second_order_scratch);
  }
  bool needs_calibration() const override { return true; }
  bool removes_weights() const override { return true; }
  bool changes_shapes() const override {
    return pruning::cuts_units(p_.structure) && p_.outlier_rows == 0;
  }

 private:
  bool columns() const { return pruning::cuts_units(p_.structure); }
  pruning::CutMethod cutting() const {
    pruning::CutMethod method{"thanos", true, {}, {}};
    method.score = [](const pruning::Layer& reader, const pruning::UnitGroup& group,
                      const Vector&) {
      const std::vector<std::uint8_t> none(static_cast<std::size_t>(reader.rows));
      return pruning::by_unit(pruning::column_losses(reader, none), group);
    };
    if (!p_.reconstruction) return method;
    method.adjust = [this](pruning::Layer& reader, const std::vector<int>& gone) {
      pruning::remove_columns(
          reader, factor(reader),
          {gone, std::vector<std::uint8_t>(static_cast<std::size_t>(reader.rows))});
    };
    return method;
  }
  pruning::SecondOrder options(int cols) const {
    return {std::min(p_.block_size.value_or(cols), cols), p_.sparsity,
            pruning::pattern_of(p_.structure)};
  }
  pruning::InverseFactor factor(const pruning::Layer& layer) const {
    return {*layer.inputs, p_.damping};
  }
  pruning::Mask choose_columns(pruning::Layer& layer) const {
    const pruning::ColumnChoice choice =
        pruning::choose_columns(layer, p_.sparsity, p_.outlier_rows);
    if (p_.reconstruction) pruning::remove_columns(layer, factor(layer), choice);
    return pruning::mask_of(choice, layer.rows, layer.cols);
  }
  pruning::Mask choose_entries(pruning::Layer& layer) const {
    if (p_.reconstruction) return pruning::thanos(layer, factor(layer), options(layer.cols));
    const std::vector<double> xn = pruning::input_norms(*layer.inputs);
    return pruning::choose(pruning::wanda(layer.matrix(), xn), p_, pruning::Group::kMatrix, layer);
  }

  ThanosParams p_;
};

SKIFF_REGISTER(Compressor, Thanos, ThanosParams,
               {.name = "thanos",
                .summary = "block by block, outputs reconstructed",
                .paper = "Ilin and Richtarik 2025, arXiv:2504.05346",
                .family = "pruning",
                .verified = "masks, weights and errors of a layer given in closed form; equals "
                            "constrained least squares, and sparsegpt at one column",
                .deviates = "one factorisation instead of an inverse for every block: the same "
                            "numbers; floor(c outlier_rows) rows stay whole, the program's one "
                            "more; inputs of a layer come through all pruned layers before it"});

}  // namespace
}  // namespace skiff
