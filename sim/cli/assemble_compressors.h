// What compression.quantization and .pruning say, put into a plan: which compressors, and when.
#pragma once

#include "algorithms/plan.h"
#include "sim/scenario/scenario.h"

namespace skiff {

// The plan's parametrization is that of compression.adaptation, or the neutral one; a compressor
// that has a training of its own takes the neutral one's place. Throws ScenarioError, with the
// reason, for a moment that means nothing for a compressor.
void assemble_compressors(const Scenario& scenario, Plan& plan);

}  // namespace skiff
