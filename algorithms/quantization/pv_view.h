// A layer of PV-Tuning inside a vector of all weights: where its values go, and where its gradient
// is. Of a masked layer the values are one row of those that are kept. Thread-safe.
#pragma once

#include <cstddef>
#include <vector>

#include "algorithms/model.h"
#include "algorithms/quantization/pv_layer.h"

namespace skiff {

// Puts the layer's values, as they are now, into the weights.
void show_layer(const Model& model, std::size_t tensor, const PvLayer& layer, Vector& weights);
// The tensor's part of a gradient, row-major; of a masked layer only where values are kept.
std::vector<float> layer_gradient(const Model& model, std::size_t tensor, const Vector& gradient);

}  // namespace skiff
