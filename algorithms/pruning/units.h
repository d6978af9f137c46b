// Units that can be cut out of a model: channels of feed-forward layers, attention heads.
//
// A unit is rows of the layers that make it and columns of the one that reads it: channel k of
// mlp.up_proj (and gate_proj, and their biases) and of down_proj; a hidden unit of an mlp; a head's
// rows of q, k and v and its columns of o. With grouped queries a head of keys and values goes
// together with all queries that read it. Found by the names that layouts give (llama_config.h,
// encoder_layers.h, dense_network.h); convolutions have none here. At least one unit of a group
// stays. A model without the units is narrower: its layout has fewer rows and columns, and
// kept_rows, kept_cols say which of the full model's they are.
#pragma once

#include <string>
#include <vector>

#include "algorithms/model.h"
#include "algorithms/pruning/mask.h"
#include "algorithms/removal.h"

namespace skiff::pruning {

struct UnitPart {
  std::size_t tensor;
  bool columns;  // else rows
  int width;     // rows or columns of one unit, next to one another
};

struct UnitGroup {
  std::string name;  // of the layer that reads the units
  bool heads = false;
  int count = 0;
  std::size_t reader = 0;       // tensor; its columns are the units, part.back()
  std::int64_t parameters = 0;  // of one unit
  std::vector<UnitPart> parts;  // the reader last
  int reader_width() const { return parts.back().width; }
};

// Of the structures channel, head and channel-and-head, where the targets have the reading layer.
// head_width: of one head; asked for only where heads are. Throws std::invalid_argument if there
// are none.
std::vector<UnitGroup> unit_groups(const Layout& layout, const Removal& removal, int head_width);
bool cuts_units(const std::string& structure);

using Units = std::vector<Mask>;  // by group: 1 = removed
std::int64_t unit_parameters(const std::vector<UnitGroup>& groups);

// Without them. The tensors of the groups must be dense; else std::invalid_argument.
void cut(Model& model, const std::vector<UnitGroup>& groups, const Units& removed);
// The layout and its dense size, given how many units of each group go.
Shape cut_shape(const Shape& before, const std::vector<UnitGroup>& groups,
                const std::vector<std::int64_t>& removed);

// Entries of the reader's columns of one unit become 0: the same function as without the unit.
void silence(Vector& weights, const UnitGroup& group, const Mask& removed);
// Sum of squares of all weights of each unit.
std::vector<double> unit_squares(const Vector& weights, const UnitGroup& group);

}  // namespace skiff::pruning
