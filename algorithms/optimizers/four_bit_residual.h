// What MicroAdam's error feedback keeps of a slice: 4 bits a value between the least and the
// greatest of its bucket (Modoranu et al. 2024, arXiv:2405.15593, section 3), both in bfloat16; the
// formulas: kernels/four_bits.h. Where all values of a bucket are one, code 0 gives it back, as
// bfloat16. Not thread-safe: a view of one State.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>

#include "algorithms/kernels/four_bits.h"
#include "algorithms/state.h"

namespace skiff {

class FourBitResidual {
 public:
  // The arrays `name`/error and `name`/ranges of `state`, for d values.
  FourBitResidual(State& state, const std::string& name, std::size_t d, std::size_t bucket)
      : codes_(state.array<std::uint8_t>(name + "/error", (d + 1) / 2)),
        ranges_(state.array<std::uint16_t>(name + "/ranges", 2 * (d / bucket + 1))),
        kept_{codes_.data(), ranges_.data(), bucket} {}

  static std::size_t bytes(std::size_t d, std::size_t bucket) {
    return (d + 1) / 2 + 2 * sizeof(std::uint16_t) * (d / bucket + 1);
  }

  // a[i] = g[i] + what is kept of value first + i; `first`: where a bucket begins.
  void add(std::span<float> a, const float* g, std::size_t first = 0) const {
    kernels::add_four_bits(a, g, kept_, first);
  }
  // Values first, first + 1, ... become those of a.
  kernels::TakenSquares take(std::span<const float> a, std::size_t first = 0) {
    return kernels::take_four_bits(kept_, a, first);
  }
  void clear() {
    std::fill(codes_.begin(), codes_.end(), std::uint8_t{0});
    std::fill(ranges_.begin(), ranges_.end(), std::uint16_t{0});
  }

 private:
  std::span<std::uint8_t> codes_;
  std::span<std::uint16_t> ranges_;
  kernels::FourBits kept_;
};

}  // namespace skiff
