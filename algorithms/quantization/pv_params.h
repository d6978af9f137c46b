// What a scenario says of PV-Tuning: of the server's half, which makes a quantized model and tunes
// it (pv_tuning.cpp), and of the devices' half, which goes on tuning its codes (pv_training.h).
#pragma once

#include <string>

#include "algorithms/layer_targets.h"
#include "algorithms/quantization/pv_layer.h"
#include "sim/core/schema.h"

namespace skiff {

struct PvParams {
  int bits = 2;
  std::string mode = "pv-ste";
  double subspace = 0.01;
  std::string codebook = "scalar";
  double code_learning_rate = 0.01;
  double learning_rate = 3e-4;
  int steps = 200;
  int batch = 8;
  GroupSize group{GroupSize::kRow};
  std::string aggregation = "delta";
  std::string wire = "delta";
  LayerTargets targets;

  PvMode kind() const;
  PvRates rates() const { return {learning_rate, code_learning_rate, subspace}; }
  TableFormat format() const;
};

template <>
Schema<PvParams> schema();

}  // namespace skiff
