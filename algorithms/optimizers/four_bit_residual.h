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
#include <utility>
#include <vector>

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

  // a[i] += sign * what is kept of value first + i; `first`: where a bucket begins.
  void add_to(std::span<float> a, std::size_t first = 0, float sign = 1) const {
    each_bucket(a.size(), first, [&](std::size_t at, std::size_t n, std::size_t b) {
      const float low = sign * least(b), step = sign * unit(b);
      float* x = a.data() + at;
      std::size_t i = 0;
      if ((first + at) % 2 == 0) {
        const std::uint8_t* bytes = codes_.data() + (first + at) / 2;
        for (; i + 2 <= n; i += 2) {
          x[i] += std::fma(static_cast<float>(bytes[i / 2] >> 4), step, low);
          x[i + 1] += std::fma(static_cast<float>(bytes[i / 2] & 15), step, low);
        }
      }
      for (; i < n; ++i) x[i] += std::fma(static_cast<float>(code(first + at + i)), step, low);
    });
  }
  void clear() {
    std::fill(codes_.begin(), codes_.end(), std::uint8_t{0});
    std::fill(ranges_.begin(), ranges_.end(), std::uint16_t{0});
  }

  // Values first, first + 1, ... become those of a.
  void store(std::span<const float> a, std::size_t first = 0) {
    std::vector<std::uint8_t> codes(std::min(bucket_, a.size()));
    each_bucket(a.size(), first, [&](std::size_t at, std::size_t n, std::size_t b) {
      const std::span<const float> x = a.subspan(at, n);
      const auto [low, high] = range_of(x);
      ranges_[2 * b] = kernels::to_bfloat16(low);
      ranges_[2 * b + 1] = kernels::to_bfloat16(high);
      encode(std::span(codes).first(n), x, b);
      for (std::size_t i = 0; i < n; ++i) put(first + at + i, codes[i]);
    });
  }

 private:
  static constexpr float kLast = 15;
  static constexpr std::size_t kLanes = 8;

  template <class Body>
  void each_bucket(std::size_t size, std::size_t first, Body body) const {
    for (std::size_t at = 0; at < size; at += bucket_) {
      body(at, std::min(bucket_, size - at), (first + at) / bucket_);
    }
  }
  // Lane by lane, so that it takes a register at a time.
  static std::pair<float, float> range_of(std::span<const float> x) {
    float low[kLanes], high[kLanes];
    std::fill(low, low + kLanes, x[0]);
    std::fill(high, high + kLanes, x[0]);
    std::size_t i = 0;
    for (; i + kLanes <= x.size(); i += kLanes) {
      for (std::size_t l = 0; l < kLanes; ++l) {
        low[l] = x[i + l] < low[l] ? x[i + l] : low[l];
        high[l] = x[i + l] > high[l] ? x[i + l] : high[l];
      }
    }
    for (; i < x.size(); ++i) {
      low[0] = std::min(low[0], x[i]);
      high[0] = std::max(high[0], x[i]);
    }
    return {*std::min_element(low, low + kLanes), *std::max_element(high, high + kLanes)};
  }
  void encode(std::span<std::uint8_t> codes, std::span<const float> x, std::size_t b) const {
    const float low = least(b), u = unit(b);
    if (!(u > 0)) return std::fill(codes.begin(), codes.end(), std::uint8_t{0});
    for (std::size_t i = 0; i < x.size(); ++i) {
      const float place = std::floor((x[i] - low) / u + 0.5F);
      // A NaN, which training reports, is code 0.
      const float code = place > 0 ? place : 0;
      codes[i] = static_cast<std::uint8_t>(static_cast<int>(code < kLast ? code : kLast));
    }
  }

  int code(std::size_t i) const { return i % 2 == 0 ? codes_[i / 2] >> 4 : codes_[i / 2] & 15; }
  void put(std::size_t i, std::uint8_t code) {
    std::uint8_t& byte = codes_[i / 2];
    byte = static_cast<std::uint8_t>(i % 2 == 0 ? (byte & 15) | code << 4 : (byte & 240) | code);
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
