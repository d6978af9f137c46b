#include "algorithms/models/initialise.h"

#include <cmath>
#include <span>

namespace skiff {

void initialise_uniform(Vector& weights, const Stream& stream) {
  int fan_in = 1;
  for (const Slice& slice : weights.layout->slices) {
    if (!slice.name.ends_with(".bias")) fan_in = slice.cols;
    const float bound = 1.0F / std::sqrt(static_cast<float>(fan_in));
    Stream draws = stream.child(slice.name);
    for (float& w : std::span(weights.values).subspan(slice.offset, slice.size())) {
      w = bound * (2.0F * draws.uniform_float() - 1.0F);
    }
  }
}

}  // namespace skiff
