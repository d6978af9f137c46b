// One LEAF file: {"users": [...], "num_samples": [...], "user_data": {user: {"x": [[...], ...],
// "y": [...]}}} (Caldas et al. 2018), keys in any order, others skipped.
//
// Read as a stream: features go straight into the samples, so memory is what the samples take.
// Throws DataError with the byte for what is malformed, ragged or does not add up, and for text
// (x or y in quotes), which needs a text model.
#pragma once

#include <string>

#include "algorithms/data/users.h"

namespace skiff {

void read_leaf_file(const std::string& path, UserCollector& users);

}  // namespace skiff
