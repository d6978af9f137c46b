// Values in IEEE binary16, row-major.
#pragma once

#include <span>

#include "algorithms/model.h"

namespace skiff {

// Rounds to nearest. Throws std::invalid_argument for a value that fp16 cannot hold (65504).
StoredValuesPtr half_values(std::span<const float> values);

}  // namespace skiff
