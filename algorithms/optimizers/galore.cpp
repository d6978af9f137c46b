// GaLore: gradient low-rank projection (Zhao et al. 2024, arXiv:2403.03507, algorithm 2). Of the
// gradient G of a layer, P the r leading singular vectors of its smaller side (dense_space.h):
//   every `refresh` steps: P from G;  G_C = P^T G;  W -= learning_rate scale P Adam(G_C)
// The moments go on over a refresh, whatever the new P; so they do, with client_state: persistent,
// over the choice that begins a client's next round. Biases, norms, embeddings and the output layer
// are AdamW's.
// Differs from the authors' program, which forms the dense gradient first: here G_C comes from the
// layer's factors, P from a subspace iteration on them (accurate to 1e-6 of the greatest singular
// value), and no dense gradient exists; the singular vectors are those of the first group of
// sequences of a step; epsilon is added to the corrected root, as in Adam's paper; weight decay
// comes before the step. Each round begins with a choice of each client's own.
// In RAM beside the weights: gradient and two moments (r n each), P (m r).
// Immutable, thread-safe.
#include "algorithms/optimizers/dense_space.h"
#include "algorithms/optimizers/projected_optimizer.h"

namespace skiff {

struct GaloreParams : ProjectedParams {
  GaloreParams() { scale = 0.25; }
  std::shared_ptr<const Projection> projection() const {
    return dense_projection(*this, Directions::kSingular);
  }
};

template <>
Schema<GaloreParams> schema<GaloreParams>() {
  Schema<GaloreParams> s;
  add_projected_fields(s, "galore");
  add_more_projected_fields(s);
  return s;
}

SKIFF_REGISTER(Optimizer, ProjectedOptimizer<GaloreParams>, GaloreParams,
               {.name = "galore",
                .summary = "Adam in the leading singular subspace of each layer's gradient",
                .paper = "Zhao et al. 2024, arXiv:2403.03507",
                .verified = "Adam's step in exact singular vectors; a gradient of rank r loses "
                            "nothing; state and gradient to the byte",
                .deviates = "no dense gradient is formed: singular vectors and projections come "
                            "from its factors"});

}  // namespace skiff
