// What the planner `adaptive` tries: a row of words for each candidate, {bits: 4, rank: 8, ...}.
//
// A key that compression.planner.choices leaves out has the usual values of what the composition is
// made of, and a key with one value is settled:
//   bits           2, 3, 4, 8 where the quantizer has bits; by layer, budgets between them too
//   sparsity       0, 30, 50, 60, 80 % where a pruner takes any share
//   rank           4, 8, 16, 32 and the scenario's own, where ranks may differ between clients
//   optimizer      those of less memory for which the scenario's step size stands: after adamw
//                  adam-8bit and microadam, after adam-8bit microadam (the same step from moments
//                  kept otherwise); after momentum plain sgd, its rate divided by 1 - momentum. A
//                  step of sgd's has nothing to do with one of adamw's, so it is not tried for it
//   checkpointing  false, true
// A candidate of another rank keeps the scenario's alpha / rank: clients of all ranks then take
// steps of one size, and averages weigh what each learned alike.
#pragma once

#include <string>
#include <vector>

#include "sim/scenario/scenario.h"

namespace skiff {

// All combinations, the last key changing fastest. Throws ScenarioError.
std::vector<Node> candidate_rows(const Scenario& scenario);
std::string candidate_name(const Node& row);  // "bits 4, sparsity 0.6, rank 8, adam-8bit"

// The adaptation's map with this rank, and alpha / rank as before.
Node with_rank(const Node& adaptation, const Node& rank);
// The word of `bits` that a quantizer of all layers takes: the next whole number.
Node whole_bits(const Node& bits);

}  // namespace skiff
