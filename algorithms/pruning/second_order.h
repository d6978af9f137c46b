// Second-order pruning of one layer y = W x: entries go, and the others make up for them.
//
// For a row w, H = sum of x x^T and entries q removed, the change d that moves the output least,
//   min d H d^T  with  d_q = -w_q,   is   d = -lambda R,  lambda R_q = w_q,
// where R are the rows q of H^-1 and R_q their columns q; it costs w_q R_q^-1 w_q^T (Hassibi and
// Stork 1993, for several weights at once). H^-1 = U^T U (inverse_factor.h).
//
//   sparsegpt  column by column, each weight of a column alone: e = w_j / U_jj, w -= e U_j (Frantar
//              and Alistarh 2023, arXiv:2301.00774, algorithm 1). c b (b + B) flops
//   thanos     blocks of B columns, all entries of a row's block at once (Ilin and Richtarik 2025,
//              arXiv:2504.05346): lambda by a solve of their own number s, E = lambda U_B^T, then
//              W[:, i:] -= E U[i:i+B, i:]: products for all rows where the paper inverts anew for
//              every block, the same numbers. c b (b + 2 B + s^3 / (3 B)) flops
//
// W: c x b row-major doubles, in place; masks as in mask.h. Weights of an input that was never seen
// become 0. Rows are treated in parallel, each alone: the same bits on any number of threads.
#pragma once

#include <vector>

#include "algorithms/pruning/inverse_factor.h"
#include "algorithms/pruning/layers.h"

namespace skiff::pruning {

struct SecondOrder {
  int block = 128;      // columns
  double sparsity = 0;  // share of all entries, unless
  Pattern pattern;      // n-of-m
};

// Both choose masks as they go. thanos: of all that is left of the matrix the lowest |W_ij| |x_j|,
// those in the block; sparsegpt: the lowest (w / U_jj)^2 of the block. Of a pattern: the same
// scores group by group, when the block (thanos) or the group (sparsegpt) begins.
Mask sparsegpt(Layer& layer, const InverseFactor& factor, const SecondOrder& options);
Mask thanos(Layer& layer, const InverseFactor& factor, const SecondOrder& options);
// The same updates under a given mask. sparsegpt's returns the sum of e^2, which equals the layer's
// output error if H is not damped.
double sparsegpt_update(Layer& layer, const InverseFactor& factor, const Mask& mask, int block);
void thanos_update(Layer& layer, const InverseFactor& factor, const Mask& mask, int block);

// What sparsegpt() removes: whole blocks' shares, each rounded down.
std::int64_t sparsegpt_removed(const SecondOrder& options, std::int64_t rows, std::int64_t cols);

// Flops of either but the factorisation's 2/3 b^3, and doubles held at once beside W.
double update_flops(double rows, double cols, double block, double solved);
double second_order_scratch(double rows, double cols);

}  // namespace skiff::pruning
