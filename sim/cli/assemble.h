// From a typed scenario to a federated run: loads the data and the catalogue, builds the model, the
// fleet and the plans, and refuses what does not go together.
#pragma once

#include "sim/federation/setup.h"
#include "sim/scenario/scenario.h"

namespace skiff {

// Throws ScenarioError for what only shows once data and models are known (a cnn on flat features,
// an illegal combination), DataError for data files.
FederationSetup assemble(const Scenario& scenario);

}  // namespace skiff
