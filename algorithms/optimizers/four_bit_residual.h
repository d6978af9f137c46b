// What MicroAdam's error feedback keeps of a slice: 4 bits a value between the least and the
// greatest of its bucket (Modoranu et al. 2024, arXiv:2405.15593, section 3), both in bfloat16.
//
//   u = (greatest - least) / 15;  code = floor((x - least) / u + 1/2) in 0..15
//   back: least + code u;  of two codes the first stands in the upper half of its byte
// Where all values of a bucket are one, code 0 gives it back, as bfloat16. Rounded ranges may leave
// a value outside: its code is the nearest. Not thread-safe: a view of one State.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>

#include "algorithms/kernels/bfloat16.h"
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

  // a[i] += what is kept of value i
  void add_to(std::span<float> a) const {
    for (std::size_t i = 0; i < a.size(); ++i) {
      a[i] += std::fma(static_cast<float>(code(i)), unit(i / bucket_), least(i / bucket_));
    }
  }

  void store(std::span<const float> a) {
    std::fill(codes_.begin(), codes_.end(), std::uint8_t{0});
    for (std::size_t begin = 0; begin < a.size(); begin += bucket_) {
      const std::span<const float> x = a.subspan(begin, std::min(bucket_, a.size() - begin));
      const auto range = std::minmax_element(x.begin(), x.end());
      const std::size_t b = begin / bucket_;
      ranges_[2 * b] = kernels::to_bfloat16(*range.first);
      ranges_[2 * b + 1] = kernels::to_bfloat16(*range.second);
      const float u = unit(b);
      if (!(u > 0)) continue;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const float place = std::floor((x[i] - least(b)) / u + 0.5F);
        // A NaN, which training reports, is code 0.
        put(begin + i, place > 0 ? static_cast<std::uint8_t>(std::min(place, kLast)) : 0);
      }
    }
  }

 private:
  static constexpr float kLast = 15;

  int code(std::size_t i) const { return i % 2 == 0 ? codes_[i / 2] >> 4 : codes_[i / 2] & 15; }
  void put(std::size_t i, std::uint8_t code) {
    codes_[i / 2] |= static_cast<std::uint8_t>(i % 2 == 0 ? code << 4 : code);
  }
  float least(std::size_t b) const { return kernels::from_bfloat16(ranges_[2 * b]); }
  float unit(std::size_t b) const {
    return (kernels::from_bfloat16(ranges_[2 * b + 1]) - least(b)) / kLast;
  }

  std::size_t bucket_;
  std::span<std::uint8_t> codes_;
  std::span<std::uint16_t> ranges_;
};

}  // namespace skiff
