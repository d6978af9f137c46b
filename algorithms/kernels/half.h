// IEEE binary16 ("fp16") storage of floats.
//
// Rounding is to nearest, ties to even; magnitudes from 65520 on become infinity, subnormals are
// kept, NaN stays NaN (quiet, upper bits of its payload). The span forms use the F16C instructions;
// the scalar forms compute the same bits with integers. out[i] depends on x[i] alone. Thread-safe.
// Cost: memory bound.
#pragma once

#include <cstdint>
#include <span>

namespace skiff::kernels {

void to_half(std::span<std::uint16_t> out, std::span<const float> x) noexcept;
void from_half(std::span<float> out, std::span<const std::uint16_t> h) noexcept;

std::uint16_t to_half(float x) noexcept;
float from_half(std::uint16_t h) noexcept;

}  // namespace skiff::kernels
