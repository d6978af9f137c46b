// What MicroAdam's error feedback keeps of a slice: 4 bits a value between the least and the
// greatest of its bucket (Modoranu et al. 2024, arXiv:2405.15593, section 3), both in bfloat16.
//
//   u = (greatest - least) / 15;  code = floor((x - least) / u + 1/2) in 0..15
//   back: least + code u;  of two codes the first stands in the upper half of its byte
// Where all values of a bucket are one, code 0 gives it back, as bfloat16. Rounded ranges may leave
// a value outside: its code is the nearest. Not thread-safe: a view of one State.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>

#include "algorithms/kernels/bfloat16.h"
#include "algorithms/kernels/four_bits.h"
#include "algorithms/state.h"

namespace skiff {

class FourBitResidual {
 public:
  // The arrays `name`/error and `name`/ranges of `state`, for d values.
  FourBitResidual(State& state, const std::string& name, std::size_t d, std::size_t bucket)
      : bucket_(bucket),
        codes_(state.array<std::uint8_t>(name + "/error", (d + 1) / 2)),
        ranges_(state.array<std::uint16_t>(name + "/ranges", 2 * (d / bucket + 1))) {}

  static std::size_t bytes(std::size_t d, std::size_t bucket) {
    return (d + 1) / 2 + 2 * sizeof(std::uint16_t) * (d / bucket + 1);
  }

  // a[i] = g[i] + what is kept of value first + i; `first`: where a bucket begins.
  void add(std::span<float> a, const float* g, std::size_t first = 0) const {
    each_bucket(a, first, [&](std::span<float> x, std::size_t at, std::size_t b) {
      kernels::add_four_bits(x, g + (at - first), codes_.data(), at, least(b), unit(b));
    });
  }
  void clear() {
    std::fill(codes_.begin(), codes_.end(), std::uint8_t{0});
    std::fill(ranges_.begin(), ranges_.end(), std::uint16_t{0});
  }

  // Values first, first + 1, ... become those of a, of which the error of rounding is left.
  void take(std::span<float> a, std::size_t first = 0) {
    each_bucket(a, first, [&](std::span<float> x, std::size_t at, std::size_t b) {
      const kernels::Range range = kernels::range_of(x);
      ranges_[2 * b] = kernels::to_bfloat16(range.least);
      ranges_[2 * b + 1] = kernels::to_bfloat16(range.greatest);
      kernels::take_four_bits(codes_.data(), x, at, least(b), unit(b));
    });
  }

 private:
  // body(values of a bucket, number of the first, number of the bucket)
  template <class Body>
  void each_bucket(std::span<float> a, std::size_t first, Body body) const {
    std::size_t b = first / bucket_;
    for (std::size_t at = 0; at < a.size(); at += bucket_, ++b) {
      body(a.subspan(at, std::min(bucket_, a.size() - at)), first + at, b);
    }
  }
  float least(std::size_t b) const { return kernels::from_bfloat16(ranges_[2 * b]); }
  float unit(std::size_t b) const {
    return (kernels::from_bfloat16(ranges_[2 * b + 1]) - least(b)) / 15;
  }

  std::size_t bucket_;
  std::span<std::uint8_t> codes_;
  std::span<std::uint16_t> ranges_;
};

}  // namespace skiff
