// Layer-wise cutting: of each group of units the lowest go, in the order of evaluation.
//
// ceil(p n) units of a group of n go, never all. A method scores the units of the reading layer
// from its weights and inputs (those that the groups before, already cut, leave), and may move what
// stays of that layer. The choice of the first call is kept in the memory and holds for all later
// ones.
#pragma once

#include <functional>

#include "algorithms/pruning/layers.h"
#include "algorithms/pruning/units.h"

namespace skiff::pruning {

struct CutMethod {
  std::string name;
  bool needs_inputs = false;
  // One score a unit; the lowest go.
  std::function<std::vector<double>(const Layer& reader, const UnitGroup& group,
                                    const Vector& weights)>
      score;
  // Moves what stays of the reader for the columns that go; empty: nothing moves.
  std::function<void(Layer& reader, const std::vector<int>& columns)> adjust;
};

void cut_layers(Model& model, const Calibration* calibration, const Removal& removal,
                int head_width, State& memory, const CutMethod& method);
// Units of each group that go.
std::vector<std::int64_t> cut_counts(const std::vector<UnitGroup>& groups, double sparsity);
Shape cut_layers_shape(const Shape& before, const Removal& removal, int head_width);

// Sums of column scores over the columns of each unit.
std::vector<double> by_unit(const std::vector<double>& columns, const UnitGroup& group);

// Sum of |W_ij| |x_j| over the rows, by column.
std::vector<double> wanda_columns(const Layer& layer);

}  // namespace skiff::pruning
