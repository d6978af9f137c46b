#include "algorithms/quantization/scale_array.h"

#include <fmt/format.h>

#include <cmath>

#include "algorithms/kernels/half.h"
#include "algorithms/kernels/reduce.h"

namespace skiff {

StoredArray ScaleArray::stored(std::string name) const {
  if (type == ScaleType::kFp32) {
    return stored_array<float>(std::move(name), "F32", values);
  }
  std::vector<std::uint16_t> halves(values.size());
  kernels::to_half(halves, values);
  return stored_array<std::uint16_t>(std::move(name), "F16", halves);
}

ScaleArray ScaleArray::read(const StoredParts& parts, const std::string& name, std::size_t count) {
  const StoredArray* array = parts.find(name);
  ScaleArray scales;
  if (array != nullptr && array->type == "F32") {
    scales = {parts.array<float>(name, "F32", count), ScaleType::kFp32};
  } else {
    scales.values.resize(count);
    kernels::from_half(scales.values, parts.array<std::uint16_t>(name, "F16", count));
  }
  if (!kernels::all_finite(scales.values)) {
    throw std::invalid_argument(name + " holds values that are not finite");
  }
  return scales;
}

float rounded(float value, ScaleType type) {
  return type == ScaleType::kFp32 ? value : kernels::from_half(kernels::to_half(value));
}

float stored_scale(float value, ScaleType type) {
  const float stored = rounded(value, type);
  if (!std::isfinite(stored)) {
    throw std::invalid_argument(
        fmt::format("a group's scale of {} is beyond what fp16 can hold (65504)", value));
  }
  return stored;
}

}  // namespace skiff
