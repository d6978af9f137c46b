// What a live page is told: who runs, every round, how it ended. One line of JSON each; what was
// not measured is null.
#pragma once

#include <string>

#include "sim/record/recorder.h"

namespace skiff {

std::string live_start(const RunInfo& info);
// The row, and the totals so far: bytes, energy, attempts by device class.
std::string live_round(const RunInfo& info, const Tally& tally, const RoundRow& row);
std::string live_end(RunStatus status, const std::string& fingerprint);

}  // namespace skiff
