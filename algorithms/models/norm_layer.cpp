#include "algorithms/models/norm_layer.h"

#include <algorithm>

#include "algorithms/kernels/layer_norm.h"
#include "algorithms/kernels/rms_norm.h"

namespace skiff {

using kernels::ConstMatrixView;
using kernels::MatrixView;

void NormLayer::forward(Weights& weights, ConstMatrixView x, MatrixView y,
                        std::span<float> statistics) const {
  const auto rows = static_cast<std::size_t>(x.rows);
  if (kind == Kind::kRms) {
    kernels::rms_norm(y, statistics, x, weights.values(weight), epsilon);
  } else {
    kernels::layer_norm(y, {statistics.first(rows), statistics.subspan(rows, rows)}, x,
                        weights.values(weight), weights.values(bias), epsilon);
  }
}

void NormLayer::backward(Weights& weights, MatrixView dx, ConstMatrixView dy, ConstMatrixView x,
                         std::span<const float> statistics, std::span<float> scratch,
                         kernels::Output output) const {
  const auto rows = static_cast<std::size_t>(x.rows), width = static_cast<std::size_t>(x.cols);
  const std::span<float> dw = scratch.first(width), db = scratch.subspan(width, width);
  std::fill(scratch.begin(), scratch.begin() + static_cast<std::ptrdiff_t>(2 * width), 0.0F);
  if (kind == Kind::kRms) {
    kernels::rms_norm_backward(dx, dw, dy, x, statistics, weights.values(weight), output);
  } else {
    const kernels::ConstMoments moments{statistics.first(rows), statistics.subspan(rows, rows)};
    kernels::layer_norm_backward(dx, dw, db, dy, x, moments, weights.values(weight), output);
    weights.add_gradient(bias, db);
  }
  weights.add_gradient(weight, dw);
}

NormLayer add_norm(Layout& layout, const std::string& name, int width, NormLayer::Kind kind,
                   float epsilon) {
  NormLayer norm{kind, layout.add(name + ".weight", width, 1), kNoTensor, epsilon};
  if (kind == NormLayer::Kind::kLayer) norm.bias = layout.add(name + ".bias", width, 1);
  return norm;
}

}  // namespace skiff
