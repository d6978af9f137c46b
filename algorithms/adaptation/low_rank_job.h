// What the low-rank parametrizations do alike: a job's Weights, their cost, the first factors.
#pragma once

#include <memory>

#include "algorithms/adaptation/low_rank_weights.h"
#include "algorithms/cost.h"
#include "algorithms/optimizer.h"

namespace skiff {

// LowRankWeights, made or (with `reuse`) taken over.
std::unique_ptr<Weights> bind_low_rank(const AdapterParams& params,
                                       std::shared_ptr<const Model> base, const Vector& received,
                                       const Vector& frozen, std::unique_ptr<Weights> reuse);

// In RAM: the base as it is stored (and, if that is not dense, its largest matrix decoded), all
// factors, gradients and optimizer state of those in `trained`. No gradient of a base weight is
// formed.
void add_low_rank_cost(const AdapterParams& params, const Shape& prepared, const Layout& trained,
                       const Optimizer& optimizer, Cost& cost);

// What merging adds to the cost of a base that is not stored dense: RAM for the most that lies
// beside it, operations for what lies there on average.
void add_merge_cost(const MergeParams& merge, const AdapterParams& params, const Shape& prepared,
                    Cost& cost);

// Independent draws for every slice, by its name. uniform: U(-1/sqrt(n), 1/sqrt(n)) for the n
// columns of a slice, what kaiming initialisation with a = sqrt(5) is; else normal, variance 1/n.
void draw_slices(Vector& factors, Factor which, bool uniform, Stream stream);

}  // namespace skiff
