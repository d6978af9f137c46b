// Which layers a compressor or an adapter works on: `targets: linear` or `targets: [q_proj, ...]`.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "algorithms/models/layout.h"
#include "sim/core/convert.h"

namespace skiff {

// `linear`: every matrix of a linear layer or convolution, embeddings and the output layer left
// out. A name stands for the layers that end in it, as a whole word: "q_proj" for
// "model.layers.0.self_attn.q_proj".
// `rest`, where a field offers the word: what `linear` leaves out, vectors too.
struct LayerTargets {
  bool all_linear = true;
  std::vector<std::string> names;
  bool rest = false;

  // Indices of slices, ascending; only matrices, unless `rest`. Throws std::invalid_argument, with
  // the layers that there are, for a name that no layer has, and if nothing is left.
  std::vector<std::size_t> of(const Layout& layout) const;
};

// "hidden.0.weight" belongs to layer "hidden.0".
std::string layer_of(const Slice& slice);

bool convert(const Node& node, LayerTargets& out, const Rules& rules, Reader& reader);
std::string print_value(const LayerTargets& targets);
template <>
struct TypeName<LayerTargets> {
  static std::string get() { return "layers"; }
};

}  // namespace skiff
