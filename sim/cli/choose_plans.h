// compression.planner {name: adaptive}: all plans that its choices make, and which of them a fleet
// uses; compression.target_size for every planner.
//
// Candidates are priced from shapes alone for each device, as the run will price them; a run then
// has only those plans that somebody uses, the widest first, and nothing else is ever prepared.
#pragma once

#include <string>
#include <vector>

#include "sim/federation/setup.h"
#include "sim/scenario/scenario.h"

namespace skiff {

// {bits: 4, sparsity: 0.6, ...}: all combinations, the last key changing fastest.
std::vector<Node> candidate_rows(const Scenario& scenario);
std::string candidate_name(const Node& row);  // "4 bits, 60 % sparse, rank 8"

// The composition holds a plan for each candidate: keeps those that are used, and gives
// setup.planner their predicted losses.
void choose_plans(const Scenario& scenario, FederationSetup& setup);

// Throws where a plan's devices would hold a model larger than compression.target_size.
void check_target_size(const Scenario& scenario, const FederationSetup& setup);

}  // namespace skiff
