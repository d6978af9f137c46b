// The weighted mean of clients' vectors of one shape.
#pragma once

#include <span>
#include <vector>

#include "algorithms/models/layout.h"
#include "algorithms/server.h"

namespace skiff {

// Update::weight over their sum.
std::vector<double> shares_of(std::span<const Update> updates);
// direction = sum of shares[i] * vectors[i], in that order for every coordinate, in double.
void weighted_sum(std::span<const double> shares, std::span<const Vector> vectors,
                  std::span<float> direction);
// Both. All vectors are of the direction's size.
void weighted_mean(std::span<const Update> updates, std::span<const Vector> vectors,
                   Vector& direction);

}  // namespace skiff
