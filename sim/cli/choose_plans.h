// compression.planner {name: adaptive}: which of its candidates (candidates.h) a fleet uses;
// compression.target_size for every planner.
//
// Candidates are priced from shapes alone for each device, as the run will price them; a run then
// has only those plans that somebody uses, the widest first, and nothing else is ever prepared.
#pragma once

#include "sim/federation/setup.h"
#include "sim/scenario/scenario.h"

namespace skiff {

// The composition holds a plan for each candidate: keeps those that are used, and gives
// setup.planner their predicted losses.
void choose_plans(const Scenario& scenario, FederationSetup& setup);

// Throws where a plan's devices would hold a model larger than compression.target_size.
void check_target_size(const Scenario& scenario, const FederationSetup& setup);

}  // namespace skiff
