// Fine-tuning a mask without training: weights never change, entries are swapped one for one within
// a row. DSnoT: Zhang et al. 2023, "Dynamic sparse no training" (arXiv:2310.08915). R2-DSnoT, its
// relative and regularised form: Yi and Richtarik 2025 (arXiv:2501.18980).
//
// D_r = W_r sum_r, with sum_r what input r adds up to over a sequence, on average; eps = the sum of
// D_r over the removed entries of a row: how much its output is off, on average. While |eps| >
// threshold, at most 50 times, with s = sign(eps):
//   grow   the removed entry of the largest  s D_r / var_r     (relative: s sign(W_r) R_r mean_r /
//          var_r), plus g1 |W_r|^p
//   prune  the kept entry of the smallest  P_r |x_r|^alpha + g2 |W_r|^p  among those with s D_r <
//   0;
//          P = |W|, or the relative importance R (`relative: prune`)
// A row stops when the entry that grows would not lower eps, or when eps would change its sign
// (`same_sign`). R_ir = |W_ir| / |W_i.|_1 + |W_ir| / |W_.r|_1. The formulas of R2-DSnoT are not
// printed in full: this is our reading. Rows keep their counts. Pure function, double.
#pragma once

#include "algorithms/pruning/layers.h"

namespace skiff::pruning {

enum class Relative { kNone, kGrow, kPrune };

struct Dsnot {
  Relative relative = Relative::kNone;
  double alpha = 1;       // power of |x_r| when pruning
  double g1 = 0, g2 = 0;  // weights of |W_r|^p
  double p = 2;
  double threshold = 0.1;
  int most_swaps = 50;  // of a row
  bool same_sign = true;
};

struct DsnotResult {
  std::int64_t swaps = 0;
  double mean_error = 0;  // of |eps| over the rows, after
};

DsnotResult refine(Mask& mask, const Layer& layer, const Dsnot& options);
// Of the mask as it is: mean |eps|.
double mean_row_error(const Mask& mask, const Layer& layer);

}  // namespace skiff::pruning
