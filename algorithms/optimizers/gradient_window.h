// MicroAdam's window: its last sparse gradients (microadam.cpp), slot after slot, each block after
// block. A view of one State; not thread-safe.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

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
  // Values first, first + 1, ...
  void read(std::span<float> out, std::size_t first) const {
    if (halves_.empty()) {
      std::copy_n(floats_.begin() + static_cast<std::ptrdiff_t>(first), out.size(), out.begin());
      return;
    }
    const std::uint16_t* from = halves_.data() + first;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = kernels::from_bfloat16(from[i]);
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

// Sums over the slots of one block, value by value, and which values have any. Most have none, and
// a step of Adam leaves those as they are.
class BlockSums {
 public:
  explicit BlockSums(std::size_t block) : sums_(block), touched_((block + 63) / 64) {}

  // mean += share1 v, square += (share2 v) v for each place.
  void add(std::span<const std::uint16_t> places, std::span<const float> values, float share1,
           float share2) {
    for (std::size_t j = 0; j < places.size(); ++j) {
      const std::size_t i = places[j];
      const float v = values[j];
      Sum& s = sums_[i];
      s.mean = std::fma(share1, v, s.mean);
      s.square = std::fma(share2 * v, v, s.square);
      touched_[i / 64] |= std::uint64_t{1} << (i % 64);
    }
  }
  // body(place, mean, square) for all that have any, ascending; then all are 0 again.
  template <class Body>
  void take(Body body) {
    for (std::size_t word = 0; word < touched_.size(); ++word) {
      for (std::uint64_t left = touched_[word]; left != 0; left &= left - 1) {
        const std::size_t i = 64 * word + static_cast<std::size_t>(std::countr_zero(left));
        body(i, sums_[i].mean, sums_[i].square);
        sums_[i] = {};
      }
      touched_[word] = 0;
    }
  }

 private:
  struct Sum {
    float mean = 0, square = 0;
  };
  std::vector<Sum> sums_;
  std::vector<std::uint64_t> touched_;
};

}  // namespace skiff
