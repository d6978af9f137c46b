// Flora: low-rank gradients by random projections (Hao et al. 2024, arXiv:2402.03293, algorithm 2).
// P is Gaussian of variance 1/r, drawn again from its seed whenever it is needed (dense_space.h):
//   G_C = P^T G;   W -= learning_rate scale P Adam(G_C);   every `refresh` steps another seed, and
//   m = P_new^T P_old m: the mean is read in the new directions
// Biases, norms, embeddings and the output layer are AdamW's.
// Differs from the authors' program: it projects only the mean, and divides by Adafactor's factored
// second moments of the dense gradient, with clipped steps and a learning rate relative to the
// weights. Here the dense gradient never exists, so both moments are Adam's, of G_C; at a change of
// directions the second ones become their mean over the old directions (each sees the same power in
// expectation). Each round begins with a choice of each client's own; the seed of the directions
// lies beside the moments, so that those kept by client_state: persistent change over as well.
// In RAM beside the weights: gradient and two moments (r n each), two seeds.
// Immutable, thread-safe.
#include "algorithms/optimizers/dense_space.h"
#include "algorithms/optimizers/projected_optimizer.h"

namespace skiff {

struct FloraParams : ProjectedParams {
  FloraParams() { refresh = 1000; }
  std::shared_ptr<const Projection> projection() const {
    return dense_projection(*this, Directions::kRandom);
  }
};

template <>
Schema<FloraParams> schema<FloraParams>() {
  Schema<FloraParams> s;
  add_projected_fields(s, "flora");
  add_more_projected_fields(s);
  return s;
}

SKIFF_REGISTER(Optimizer, ProjectedOptimizer<FloraParams>, FloraParams,
               {.name = "flora",
                .summary = "Adam in random directions of each layer's gradient",
                .paper = "Hao et al. 2024, arXiv:2402.03293",
                .verified = "projections are unbiased; the mean survives a change of directions as "
                            "it must; state and gradient to the byte",
                .deviates = "Adam's second moments of the projected gradient in the place of "
                            "Adafactor's of the dense one"});

}  // namespace skiff
