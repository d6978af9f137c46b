// Overflow of finite float32 operands is held at the largest finite number: a run that diverges
// ends in a recorded result, never in infinities inside a codec's memory.
#pragma once

#include <limits>

namespace skiff {

inline float saturated(float x) noexcept {
  constexpr float most = std::numeric_limits<float>::max();
  const float below = x < most ? x : most;
  return below > -most ? below : -most;
}

}  // namespace skiff
