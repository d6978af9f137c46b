#include "algorithms/quantization/half_values.h"

#include <fmt/format.h>

#include <cmath>

#include "algorithms/kernels/half.h"
#include "algorithms/stored_formats.h"
#include "sim/core/error.h"

namespace skiff {
namespace {

class HalfValues final : public StoredValues {
 public:
  explicit HalfValues(std::vector<std::uint16_t> values) : values_(std::move(values)) {}
  std::string_view format() const override { return "fp16"; }
  Bytes bytes() const override {
    return Bytes(static_cast<std::int64_t>(values_.size() * sizeof(std::uint16_t)));
  }
  void to_dense(std::span<float> out) const override {
    SKIFF_CHECK(out.size() == values_.size(), "a tensor decoded into another size");
    kernels::from_half(out, values_);
  }
  std::vector<StoredArray> arrays() const override {
    return {stored_array<std::uint16_t>("values", "F16", values_)};
  }

 private:
  std::vector<std::uint16_t> values_;
};

StoredValuesPtr read(const StoredParts& parts) {
  const auto count = static_cast<std::size_t>(parts.rows) * static_cast<std::size_t>(parts.cols);
  return std::make_shared<const HalfValues>(parts.array<std::uint16_t>("values", "F16", count));
}

[[maybe_unused]] const bool registered = register_stored_format("fp16", read);

}  // namespace

StoredValuesPtr half_values(std::span<const float> values) {
  std::vector<std::uint16_t> halves(values.size());
  kernels::to_half(halves, values);
  for (std::size_t i = 0; i < halves.size(); ++i) {
    if (std::isfinite(kernels::from_half(halves[i]))) continue;
    throw std::invalid_argument(
        fmt::format("a value of {} is beyond what fp16 can hold (65504)", values[i]));
  }
  return std::make_shared<const HalfValues>(std::move(halves));
}

}  // namespace skiff
