// Which columns each table of run.h5 has, in order, with units and a few words on each.
#pragma once

#include <vector>

#include "sim/record/run_info.h"
#include "sim/record/table.h"

namespace skiff {

std::vector<ColumnSpec> round_columns(const RunInfo& info);
std::vector<ColumnSpec> attempt_columns();
std::vector<ColumnSpec> device_columns(const RunInfo& info);
std::vector<ColumnSpec> tier_columns();
std::vector<ColumnSpec> layer_columns();
std::vector<ColumnSpec> evaluation_columns(const RunInfo& info);

}  // namespace skiff
