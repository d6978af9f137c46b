// bfloat16 storage of floats: the upper half of a binary32. Rounding is to nearest, ties to even;
// NaN stays NaN, quiet. Thread-safe.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace skiff::kernels {

inline float from_bfloat16(std::uint16_t bits) noexcept {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

inline std::uint16_t to_bfloat16(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (std::isnan(value)) return static_cast<std::uint16_t>(bits >> 16 | 0x40);
  return static_cast<std::uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

}  // namespace skiff::kernels
