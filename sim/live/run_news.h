// What a run of a sweep says of itself while it lasts: plain bytes, fit for a pipe or a network.
#pragma once

#include <cstdint>

namespace skiff {

struct RunNews {
  std::uint32_t job = 0;  // which run: its place in the sweep
  std::uint32_t round = 0, rounds = 0;
  double virtual_time = 0;  // s
  double bytes_up = 0, bytes_down = 0;
  double energy = 0;     // J
  double value = 0;      // of the metric; NaN where this round was not evaluated
  char metric[32] = {};  // "test_accuracy"

  double fraction() const { return rounds == 0 ? 1.0 : static_cast<double>(round) / rounds; }
};

}  // namespace skiff
