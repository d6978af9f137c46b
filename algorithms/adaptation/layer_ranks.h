// Ranks by layer under a budget: ours, not of a paper.
//
// A random sketch of rank r of m dimensions catches r / m of a gradient's energy, so a step of a
// layer with |G|^2 = g lowers the loss in proportion to r g / m (the descent lemma of
// arXiv:2410.08305 with an isotropic sketch). A layer's factors take m + n values a rank. Ranks are
// given out in the order of g / (m (m + n)), each layer from `least` up to `most`, as far as both
// budgets reach: all factors (RAM and operations) and those trained (wire, gradients, optimizer
// state) take no more than with one rank for all. Since what a step is worth is linear in the
// ranks, layers are at one of their bounds but for one; new ranks must be worth 1.2 times the
// present ones, so that layers alike stay alike.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace skiff {

struct RankedLayer {
  int sketched = 0;   // m: the side that the frozen factor has in common with the layer
  int trained = 0;    // n: the trained factor's other side
  double energy = 0;  // |G|^2, up to a factor that all layers share
  int limit() const { return sketched < trained ? sketched : trained; }
};

struct RankLimits {
  int rank = 1;  // that, for all layers, is the budget
  int least = 1, most = 1;
};

// By layer. No layer gets less than min(least, rank), or more than `most` or its own sides.
std::vector<std::uint16_t> ranks_by_layer(std::span<const RankedLayer> layers,
                                          std::span<const std::uint16_t> present,
                                          const RankLimits& limits);

// sum r g / m: what the ranks are worth.
double caught(std::span<const RankedLayer> layers, std::span<const std::uint16_t> ranks);

}  // namespace skiff
