// Scales or zero points of groups as they are stored: fp16 unless fp32 was asked for.
#pragma once

#include <string>
#include <vector>

#include "algorithms/stored_formats.h"

namespace skiff {

enum class ScaleType { kFp16, kFp32 };

struct ScaleArray {
  std::vector<float> values;  // as they are read back
  ScaleType type = ScaleType::kFp16;

  static std::size_t bytes_of(std::size_t count, ScaleType type) {
    return count * (type == ScaleType::kFp16 ? 2 : 4);
  }
  std::size_t bytes() const { return bytes_of(values.size(), type); }
  StoredArray stored(std::string name) const;
  // Throws std::invalid_argument for values that are missing or not finite.
  static ScaleArray read(const StoredParts& parts, const std::string& name, std::size_t count);
};

// The value as it will be read back.
float rounded(float value, ScaleType type);

// Throws std::invalid_argument for a scale that is not finite as it is stored.
float stored_scale(float value, ScaleType type);

}  // namespace skiff
