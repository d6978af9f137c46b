// The Parametrization of projected gradients: every weight is trained, and no dense gradient of a
// layer is held. What goes up is the dense change of the weights, through the codec of uploads:
// rows that were not chosen are 0 in it, which sparse codecs do not send.
#pragma once

#include <memory>

#include "algorithms/optimizers/subspace.h"
#include "algorithms/parametrization.h"

namespace skiff {

std::shared_ptr<const Parametrization> projected_training(
    std::shared_ptr<const Projection> projection);

}  // namespace skiff
