// What the optimizers of projected gradients have in common, beside AdamW's parameters.
#pragma once

#include "algorithms/layer_targets.h"
#include "algorithms/optimizers/adam_params.h"

namespace skiff {

struct ProjectedParams : AdamParams {
  int rank = 0;
  int refresh = 200;
  double scale = 1;
  LayerTargets targets;
};

// The fields that open the schema of each; P derives from ProjectedParams.
template <class P>
void add_projected_fields(Schema<P>& s, const std::string& name) {
  add_common_fields(s, name);
  s.field("rank", &P::rank, "dimension of the subspace; at most a layer's smaller side")
      .required("by " + name)
      .at_least(1);
}
template <class P>
void add_more_projected_fields(Schema<P>& s) {
  s.field("refresh", &P::refresh,
          "steps between choices of the subspace; each round begins with a choice")
      .at_least(1);
  s.field("scale", &P::scale, "factor on the learning rate of projected layers").above(0);
  s.field("targets", &P::targets,
          "layers whose gradients are projected; AdamW moves all others as they are");
  add_adam_fields(s);
}

}  // namespace skiff
