// The devices' half of PV-Tuning: codes are trained as codes.
#pragma once

#include <memory>

#include "algorithms/parametrization.h"
#include "algorithms/quantization/pv_params.h"

namespace skiff {

std::shared_ptr<const Parametrization> pv_training(const PvParams& params);

}  // namespace skiff
