// RMSNorm or LayerNorm over the Weights seam. Thread-safe.
#pragma once

#include "algorithms/models/architecture.h"

namespace skiff {

struct NormLayer {
  enum class Kind { kRms, kLayer };
  Kind kind = Kind::kRms;
  std::size_t weight = kNoTensor;
  std::size_t bias = kNoTensor;  // of a LayerNorm
  float epsilon = 1e-5F;

  // What forward leaves for backward.
  std::size_t statistics(int rows) const {
    return static_cast<std::size_t>(rows) * (kind == Kind::kRms ? 1 : 2);
  }
  void forward(Weights& weights, kernels::ConstMatrixView x, kernels::MatrixView y,
               std::span<float> statistics) const;
  // scratch: 2 floats a column. dx may be dy.
  void backward(Weights& weights, kernels::MatrixView dx, kernels::ConstMatrixView dy,
                kernels::ConstMatrixView x, std::span<const float> statistics,
                std::span<float> scratch, kernels::Output output) const;
};

// Appends NAME.weight, and NAME.bias of a LayerNorm.
NormLayer add_norm(Layout& layout, const std::string& name, int width, NormLayer::Kind kind,
                   float epsilon);

}  // namespace skiff
