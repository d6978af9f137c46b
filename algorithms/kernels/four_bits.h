// Floats rounded to 4 bits between the least and the greatest of a bucket.
//
//   code = floor((x - least) / unit + 1/2), at least 0 and at most 15;  back: fma(code, unit,
//   least)
// Where unit is not positive all codes are 0; a NaN is 0 too. Codes lie two in a byte, the first in
// its upper half; `first` is the number of x[0] among them, so that a bucket may begin anywhere.
// Elementwise and correctly rounded: the same bits on any machine. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace skiff::kernels {

struct Range {
  float least, greatest;
};
// Of x, not empty; zeros count as +0. A NaN may or may not be passed over.
Range range_of(std::span<const float> x) noexcept;

// out[i] = x[i] + what the codes stand for; out may be x.
void add_four_bits(std::span<float> out, const float* x, const std::uint8_t* codes,
                   std::size_t first, float least, float unit) noexcept;
// The codes of x; of x is left what they do not say.
void take_four_bits(std::uint8_t* codes, std::span<float> x, std::size_t first, float least,
                    float unit) noexcept;

}  // namespace skiff::kernels
