// What every pruner is told: how much goes, which weights may go together, and from which layers.
//
// Only matrices are pruned; biases, norms, embeddings and the output layer stay unless targets name
// them. n-of-m: of every m consecutive inputs of an output, n stay (2-of-4, 4-of-8; "2:4" in the
// papers); sparsity must then be 50%. channel: the units of a feed-forward layer; head: attention
// heads, with their keys and values.
#pragma once

#include <string>
#include <vector>

#include "algorithms/layer_targets.h"
#include "sim/core/refuse_idle.h"
#include "sim/core/schema.h"

namespace skiff {

struct Removal {
  double sparsity = 0;  // share of the targets' weights
  std::string structure;
  LayerTargets targets;
};

// The fields that open the schema of every pruner; P derives from Removal. `structures`: those
// that this pruner can do.
template <class P>
void add_removal(Schema<P>& s, std::vector<std::string> structures) {
  s.field("sparsity", &P::sparsity, "share of the weights removed")
      .fraction()
      .required("skiff has no default that changes results");
  s.field("structure", &P::structure, "which weights may go together")
      .one_of(std::move(structures))
      .required();
  s.field("targets", &P::targets, "linear (every linear layer), or layer names");
  s.check([](const P& p, const Node& map, Reader& reader) {
    const bool pattern = p.structure == "2-of-4" || p.structure == "4-of-8";
    if (!pattern || p.sparsity == 0.5) return;
    const Reader::Scope scope(reader, "sparsity");
    reader.problem(map.find("sparsity")->where, p.structure + " removes half: write 50%");
  });
}

}  // namespace skiff
