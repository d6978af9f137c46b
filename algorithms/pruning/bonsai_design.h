// Bonsai's experiment: which sub-models are tried, and what their losses say of the units. Dery,
// Kolawole, Kagey, Smith, Neubig and Talwalkar 2024, "Everybody prune now" (arXiv:2402.05406).
//
// Per module (a feed-forward layer or an attention) of n live units, at rate p: sorted by their
// prior, the best floor(n (1 - 2 p)) are fixed, always on; the others are eligible. A sub-model
// switches floor(p n) + 1 of them off, drawn one after the other with probabilities proportional to
// (greatest prior of the module - prior); the next sub-model is its complement among the eligible.
// Then, with a sub-model's mask a (1 = on) and utility y = -loss,
//   beta = A^T (A A^T + gamma I)^-1 (y - mean y),  A with its column means taken off:
// ridge regression in its dual form, gamma among {1e-4, 1e-2, 1, 1e2} x mean diagonal of A A^T by
// five-fold cross-validation on Kendall's tau (folds are contiguous, so that a mask and its
// complement share one; among equals the greater gamma). Pure functions.
#pragma once

#include <vector>

#include "algorithms/pruning/mask.h"
#include "sim/core/random.h"

namespace skiff::pruning {

// A module's units in a round; indices of units, ascending.
struct Eligible {
  std::vector<int> units;
  std::vector<double> weights;  // of being switched off; not normalised
  int draws = 0;                // a sub-model switches so many off
};
// prior: of all units of the module; alive: 1 = not yet removed. `times`: eligible units for each
// that is to go (2 in the paper); at least `least` are eligible where there are so many.
Eligible eligible(const std::vector<double>& prior, const Mask& alive, double rate, double times,
                  std::int64_t least = 2);

// Masks over all eligible units, one module after the other (1 = on): a draw, its complement, ...
// stratified: every module draws its own number, as in the paper. pooled: all draw together, each
// module with the weight of its number, so that modules can be compared with one another.
std::vector<Mask> sub_models(const std::vector<Eligible>& modules, int count, bool pooled,
                             Stream stream);

std::vector<double> ridge(const std::vector<Mask>& masks, const std::vector<double>& utilities,
                          double gamma);
std::vector<double> cross_validated_ridge(const std::vector<Mask>& masks,
                                          const std::vector<double>& utilities);
double kendall_tau(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace skiff::pruning
