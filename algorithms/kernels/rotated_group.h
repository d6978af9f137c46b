// A group of values as codes of a Gaussian grid: signs turned, rotated by a Hadamard matrix, scaled
// to unit variance, rounded. Shared by HIGGS as a quantizer and as a wire format.
//
// With g values v (a power of two; what is missing is 0), signs S and the orthonormal H = Hadamard
// / sqrt(g): s = fp16(|v| / sqrt(g)), u = H (S v) / s, codes = nearest points of u; back: v = S H
// u' s. H is symmetric and its own inverse. |v| is summed in double, fixed in shape. Unbiased: s
// |v|^2 / <v, v'> with v' as it was decoded with s (Vargaftik et al. 2022, EDEN, arXiv:2108.08842)
// is stored instead; the codes stay. Where that is not positive or overflows, s. Thread-safe. Cost:
// g (log2 g + 4) additions and the search.
#pragma once

#include <cstdint>
#include <span>

#include "algorithms/kernels/point_grid.h"
#include "sim/core/random.h"

namespace skiff::kernels {

// +-1, one bit drawn each.
void random_signs(std::span<float> signs, Stream stream);

// `work`: the g values, their signs turned; destroyed. codes: g / dimension. Answers the scale to
// store, an fp16 value, infinite if it cannot be; 0 if all values read as 0.
float encode_rotated(const PointGrid& grid, std::span<float> work, std::span<std::uint16_t> codes,
                     bool unbiased) noexcept;
// The g values as encoded, signs still turned.
void decode_rotated(const PointGrid& grid, std::span<const std::uint16_t> codes, float scale,
                    std::span<float> out) noexcept;

}  // namespace skiff::kernels
