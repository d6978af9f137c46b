// One LEAF file: {"users": [...], "num_samples": [...], "user_data": {user: {"x": [[...], ...],
// "y": [...]}}} (Caldas et al. 2018), keys in any order, others skipped.
//
// Read as a stream: features go straight into the samples, so memory is what the samples take.
// Text (Shakespeare: x a window of characters, y the one after it) becomes texts: windows that each
// begin one character after the one before are joined again. Throws DataError with the byte for
// what is malformed, ragged or does not add up.
#pragma once

#include <string>

#include "algorithms/data/text_samples.h"
#include "algorithms/data/users.h"

namespace skiff {

// Numbers go to `users`, text to `texts`, which is null where no tokenizer was given.
void read_leaf_file(const std::string& path, UserCollector& users, TextCollector* texts);

}  // namespace skiff
