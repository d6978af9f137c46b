// What `skiff inspect run.h5` says: identity, last figures, digests, sizes of the tables.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "sim/record/run_reader.h"

namespace skiff {

// Four lines or so, each ended, of at most 80 columns.
std::string inspect_text(const StoredRun& run);
nlohmann::ordered_json inspect_json(const StoredRun& run);

}  // namespace skiff
