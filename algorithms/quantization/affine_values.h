// Values on an even grid: (code - zero) * scale, the scale of a group of weights and, if there are
// any, zero points of groups; without them the zero is the middle 2^(bits-1) - 1.
//
// Stored: "codes", those of each row packed and begun on a byte: rows x ceil(cols * bits / 8);
// "scales" and, if any, "zeros", fp16 (2 bytes a group) or fp32.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "algorithms/quantization/group_size.h"
#include "algorithms/quantization/scale_array.h"

namespace skiff {

struct AffineFormat {
  int bits = 4;
  GroupSize group;
  bool zeros = false;
  ScaleType scales = ScaleType::kFp16;

  Bytes bytes(int rows, int cols) const;
  Bytes scale_bytes(int rows, int cols) const;  // of these: all but the codes
  int middle() const { return (1 << (bits - 1)) - 1; }
  int most() const { return (1 << bits) - 1; }
};

// Codes before they are packed: row-major, one byte each.
struct AffineCodes {
  std::vector<std::uint8_t> codes;
  std::vector<float> scales, zeros;  // as they will be read back; zeros may be empty
};

StoredValuesPtr affine_values(const AffineFormat& format, int rows, int cols,
                              const AffineCodes& codes);
// What such values are read as.
inline float affine_value(std::uint8_t code, float scale, float zero) {
  return (static_cast<float>(code) - zero) * scale;
}

}  // namespace skiff
