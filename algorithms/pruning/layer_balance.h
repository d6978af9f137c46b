// How many entries each matrix gives, when all together give a share p.
//
//   uniform  p of each
//   global   one threshold over all scores, each matrix's divided by their mean; a matrix gives
//            between p - 0.2 and min(p + 0.2, 0.95) of itself, the others make up for it
//   owl      Yin et al. 2023, "Outlier weighed layerwise sparsity" (arXiv:2310.05175): D_l = 100 x
//            the share of a block's scores above M times their mean; densities spread over
//            2 lambda by D, their mean over all weights kept at 1 - p; lambda 0.08, M 3
// Counts are exact: they add up to the sum of floor(p n) whatever the choice. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "algorithms/pruning/mask.h"

namespace skiff::pruning {

struct BalancedMatrix {
  std::string name;            // of its slice; the block is what stands before its first number
  std::vector<double> scores;  // not negative
};

std::vector<std::int64_t> uniform_counts(const std::vector<BalancedMatrix>& matrices, double p);
std::vector<std::int64_t> global_counts(const std::vector<BalancedMatrix>& matrices, double p);
std::vector<std::int64_t> owl_counts(const std::vector<BalancedMatrix>& matrices, double p,
                                     double lambda = 0.08, double outlier = 3);

// "model.layers.3" of "model.layers.3.mlp.up_proj.weight"; the name itself if it has no number.
std::string block_of(const std::string& name);

}  // namespace skiff::pruning
