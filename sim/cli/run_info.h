// What is known of a run before its first event, for the recorder and the summary.
#pragma once

#include "sim/federation/setup.h"
#include "sim/record/run_info.h"
#include "sim/scenario/scenario.h"

namespace skiff::cli {

RunInfo run_info(const Scenario& scenario, const FederationSetup& setup);

}  // namespace skiff::cli
