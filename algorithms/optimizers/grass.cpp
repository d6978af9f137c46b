// GRASS: training with structured sparse gradients (Muhamed et al. 2024, arXiv:2406.17660). Of the
// gradient G (m x n) of a layer only r rows exist, those that P^T = rho B picks (row_selection.h):
//   every `refresh` steps: sigma, rho from the norms of G's rows; the moments begin anew
//   G_C = P^T G, from the layer's factors: (dy[:, sigma] rho)^T x, r n multiply-adds a token where
//   the whole takes m n;   Delta = Adam(G_C);   W[sigma_j] -= learning_rate scale rho_j Delta_j
// m is the smaller side (side: min). For the norms the rows are formed 32 at a time and forgotten.
// Biases, norms, embeddings and the output layer are AdamW's (adamw.cpp); so are all slices that
// are stepped through Optimizer::step. weight_decay acts on whole layers.
// As we understand the paper (its authors' repository holds no program): the moments are reset at a
// refresh; drawn rows come back with their rho, so that with replacement a row's step is rho times
// Adam's. `keep` leaves the moments to whatever rows come; `carry-overlap`, ours, lets rows that
// stay keep theirs, and their age. Ours too: norms are those of the first group of sequences of a
// step, a round begins with a choice of each client's own, and what goes up is the dense change,
// 0 in all rows that were not chosen: the mean over clients is that of FedAvg.
// With client_state: persistent the choice that begins a round treats a client's kept moments as
// any other choice does: by default they begin anew.
// In RAM beside the weights (r n each): gradient, two moments; 8 bytes a row of sigma and rho, and
// with carry-overlap 12 of age and row.
// Immutable, thread-safe.
#include "algorithms/optimizers/grass_space.h"
#include "algorithms/optimizers/projected_optimizer.h"

namespace skiff {
namespace {

class GrassProjection final : public Projection {
 public:
  explicit GrassProjection(const GrassParams& p) : p_(p) {}
  const LayerTargets& targets() const override { return p_.targets; }
  std::int64_t refresh() const override { return p_.refresh; }
  double weight_decay() const override { return p_.weight_decay; }
  Slice shape(const Slice& s) const override { return projected(s, p_.side_of(s), p_.rank_of(s)); }
  std::unique_ptr<Subspace> make(const Slice& layer) const override {
    return std::make_unique<GrassSpace>(p_, layer);
  }
  ProjectionCost cost(const Slice& layer, std::int64_t rows) const override {
    return GrassSpace::cost(p_, layer, rows);
  }

 private:
  GrassParams p_;
};

}  // namespace

std::shared_ptr<const Projection> GrassParams::projection() const {
  return std::make_shared<const GrassProjection>(*this);
}

template <>
Schema<GrassParams> schema<GrassParams>() {
  using P = GrassParams;
  Schema<P> s;
  add_projected_fields(s, "grass");
  s.field("rows", &P::rows, "how rows are chosen: the largest, or drawn (-nr: none twice)")
      .one_of(row_selection_words());
  s.field("side", &P::side, "rows of W (outputs), columns (inputs), or whichever are fewer")
      .one_of({"min", "rows", "cols"});
  s.field("moments", &P::moments, "what a choice of rows does to the moments")
      .one_of({"reset", "keep", "carry-overlap"});
  s.field("rewarm", &P::rewarm, "steps over which the learning rate rises again after a choice")
      .at_least(0);
  add_more_projected_fields(s);
  return s;
}

SKIFF_REGISTER(Optimizer, ProjectedOptimizer<GrassParams>, GrassParams,
               {.name = "grass",
                .summary = "Adam on a few rows of each layer's gradient, chosen anew at times",
                .paper = "Muhamed et al. 2024, arXiv:2406.17660",
                .verified = "Adam with all rows; variances of all selections in closed form; "
                            "losses of an independent program on a quadratic; state and gradient "
                            "to the byte",
                .deviates = "norms are those of the first sequences of a step; the authors' "
                            "program is not public"});

}  // namespace skiff
