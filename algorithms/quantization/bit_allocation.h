// One option for each layer so that the sum of values is least and the sum of costs fits a budget:
// the multiple-choice knapsack that dynamic bit allocation is.
//
// Exact: layer after layer, the list of sums (cost, value) that no other beats, by falling value. A
// list beyond 2^17 sums is thinned by rounding costs up to 2^-16 of the budget: what comes out
// still fits, but may not be the least (`exact` says so). Of equal values the cheaper wins, then
// the lower option of the earliest layer.
#pragma once

#include <span>
#include <vector>

namespace skiff {

struct AllocationOption {
  double cost = 0, value = 0;
};

struct Allocation {
  std::vector<int> choice;  // by layer
  double cost = 0, value = 0;
  bool exact = true;
};

// Throws std::invalid_argument if even the cheapest options are beyond the budget.
Allocation allocate(std::span<const std::vector<AllocationOption>> layers, double budget);

}  // namespace skiff
