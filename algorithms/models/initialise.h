// Where training starts.
//
// initialise_uniform: every weight and bias of a layer uniform in [-b, b), b = 1/sqrt(fan in), as
// PyTorch's Linear and Conv2d do by default (Kaiming uniform with a = sqrt(5): He et al. 2015). The
// fan in of "x.weight" is its `cols`; "x.bias" follows the weight before it. Each slice draws from
// the stream's child of its own name, in storage order, one 24-bit uniform a value: changing one
// layer leaves the start of all others.
#pragma once

#include "algorithms/models/layout.h"
#include "sim/core/random.h"

namespace skiff {

void initialise_uniform(Vector& weights, const Stream& stream);

}  // namespace skiff
