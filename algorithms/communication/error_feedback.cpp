#include "algorithms/communication/error_feedback.h"

#include "algorithms/communication/saturate.h"

namespace skiff {

void add_residual(std::span<float> values, std::span<float> residual) noexcept {
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = residual[i] = saturated(values[i] + residual[i]);
  }
}

}  // namespace skiff
