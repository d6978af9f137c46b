// Floats in 4 bits between the least and the greatest value of their bucket.
//
//   width = greatest - least;  code = trunc((x - least) (15 / width) + 1/2) in 0..15
//   back: fma(code, width / 15, least)
// Least and greatest are rounded to bfloat16, and those are what codes are computed from: a value
// that is then outside has the nearest code. Where width is not positive all codes are 0; a NaN is
// 0 too. Codes lie two in a byte, the first in its upper half. Elementwise and correctly rounded:
// the same bits on any machine. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace skiff::kernels {

// A view of d values in buckets, the last of which may be shorter.
struct FourBits {
  std::uint8_t* codes;    // ceil(d / 2)
  std::uint16_t* ranges;  // of each bucket: least, greatest, in bfloat16
  std::size_t bucket;     // values of one
};

// out[i] = x[i] + value first + i of `kept`; `first`: where a bucket begins. out may be x.
void add_four_bits(std::span<float> out, const float* x, const FourBits& kept,
                   std::size_t first) noexcept;

// Sums of squares, in float within a bucket and in double over them.
struct TakenSquares {
  double given, lost;  // of x; of what its codes do not say
};
// Values first, first + 1, ... of `kept` become x; `first`: where a bucket begins.
TakenSquares take_four_bits(const FourBits& kept, std::span<const float> x,
                            std::size_t first) noexcept;

}  // namespace skiff::kernels
