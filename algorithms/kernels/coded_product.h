// A matrix of 4-bit codes times a vector, without decoding the matrix: y = W x, at batch 1 bound by
// the bytes of the codes.
//
//   y_r = sum over groups k ascending of scale_rk * s_rk, s_rk = <points[code], x> of the group
//
// in float: s_rk is four sums of eight lanes, value i of the group in lane i % 8 of sum i / 8 % 4,
// each by fma in order, joined as (0 + 1) + (2 + 3) and by the tree of a reduction; y_r by fma. The
// same bits on every instruction set. For weights that were rotated (HIGGS) x is the rotated input.
// codes: row after row, packed as bitpack.h has it. Thread-safe; nothing is allocated.
#pragma once

#include <cstdint>
#include <span>

namespace skiff::kernels {

// points: at most 16; group: a multiple of 32 that divides x.size(); codes: y.size() * x.size() / 2
// bytes; scales: y.size() * x.size() / group.
void coded_product(std::span<float> y, std::span<const std::uint8_t> codes,
                   std::span<const float> scales, std::span<const float> points,
                   std::span<const float> x, int group) noexcept;

}  // namespace skiff::kernels
