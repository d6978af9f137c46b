// From the server's dense master to what devices hold and back: compressing, keeping the structure
// that was found once, and the vectors of clients whose model has fewer units or a mask.
//
// Pure functions. A mask leaves a model's layout as it is; a structured pruner narrows it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "algorithms/compressor.h"
#include "algorithms/model.h"
#include "algorithms/plan.h"

namespace skiff {

using Coordinates = std::vector<std::uint32_t>;

// Fills Model::kept from the masks.
void find_kept(Model& model);
// The master as a model of the same units and masks as `first`, in float32: what pruners once left.
Model like(const Model& first, const Vector& master);
// By coordinate of the model's layout: that of the full layout.
Coordinates full_coordinates(const Model& model, const Layout& full);
// The full layout's values that the model holds come from it, the others are 0.
Vector widened(const Model& model, const LayoutPtr& full);

// Through a codec, without what a mask leaves out. `values` becomes what the receiver will read.
Payload encode_wire(const Codec& codec, const Composition& composition, const Plan& plan,
                    const Model* prepared, Vector& values, State& sender, Stream stream);
Vector decode_wire(const Codec& codec, const Composition& composition, const Plan& plan,
                   const Model* prepared, const LayoutPtr& layout, const Payload& payload);

}  // namespace skiff
