// compression.planner {name: adaptive, per_layer: true}: a candidate's bits become a budget of
// bytes, spent layer by layer.
//
// For each candidate, the bits that the choices mention are options of every layer that its
// quantizer codes: bytes from the quantizer's own shapes (scales, and a pruner's masks, counted),
// growth of the loss from CandidateLosses. algorithms/quantization/bit_allocation.h picks the least
// sum of growth within the bytes of the same bits everywhere; 3.5 bits are half-way between those
// of 3 and of 4. The plan then has a quantizer for each number of bits, with those layers as its
// targets: so any quantizer can do it. A real-size model that devices pay for has the bits of the
// layer at the same share of its depth.
#pragma once

#include <optional>
#include <vector>

#include "sim/cli/candidate_losses.h"

namespace skiff {

// Changes the plans of the composition, and of the deployed one; by candidate: what its bits let
// the loss grow by. Throws ScenarioError where the quantizer has no bits, allocates by itself, or
// has codes that devices train.
std::vector<std::optional<double>> spend_by_layer(const Scenario& scenario, FederationSetup& setup,
                                                  const std::vector<Node>& rows,
                                                  CandidateLosses& losses);

}  // namespace skiff
