// MicroAdam's window: its last sparse gradients (microadam.cpp), slot after slot, each block after
// block. A view of one State; not thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "algorithms/kernels/bfloat16.h"
#include "algorithms/state.h"

namespace skiff {

// Values of the window as they are stored: bfloat16, or float for comparison with Adam.
class WindowValues {
 public:
  WindowValues(State& state, const std::string& name, std::size_t n, bool halves) {
    if (halves) {
      halves_ = state.array<std::uint16_t>(name, n);
    } else {
      floats_ = state.array<float>(name, n);
    }
  }
  float operator[](std::size_t i) const {
    return halves_.empty() ? floats_[i] : kernels::from_bfloat16(halves_[i]);
  }
  void put(std::size_t i, float value) const {
    if (halves_.empty()) {
      floats_[i] = value;
    } else {
      halves_[i] = kernels::to_bfloat16(value);
    }
  }

 private:
  std::span<std::uint16_t> halves_;
  std::span<float> floats_;
};

struct Window {
  std::span<std::uint16_t> places;  // in their blocks
  WindowValues values;
};

}  // namespace skiff
