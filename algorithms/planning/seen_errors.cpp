#include "algorithms/planning/seen_errors.h"

#include <algorithm>

#include "algorithms/kernels/gemm.h"
#include "algorithms/kernels/reduce.h"
#include "algorithms/model.h"
#include "sim/core/error.h"

namespace skiff {
namespace {

std::span<const float> values_of(const Vector& v, const Slice& slice) {
  return std::span(v.values).subspan(slice.offset, slice.size());
}

}  // namespace

SeenErrors::SeenErrors(Vector weights, const Calibration* calibration)
    : weights_(std::move(weights)), group_of_(weights_.layout->slices.size()) {
  for (std::size_t g = 0; calibration != nullptr && g < calibration->groups().size(); ++g) {
    const InputStatistics heard = calibration->inputs(weights_, g);
    Inputs inputs{heard.width, std::vector<float>(heard.gram.size()), 0};
    for (int j = 0; j < heard.width; ++j) inputs.trace += heard.squared_norm(j);
    for (std::size_t i = 0; i < heard.gram.size() && inputs.trace > 0; ++i) {
      inputs.gram[i] = static_cast<float>(heard.gram[i] / inputs.trace);
    }
    groups_.push_back(std::move(inputs));
  }
  for (std::size_t t = 0; t < group_of_.size(); ++t) {
    const std::size_t g = calibration != nullptr ? calibration->group_of(t) : groups_.size();
    const bool fits = g < groups_.size() && groups_[g].trace > 0 &&
                      groups_[g].width == weights_.layout->slices[t].cols;
    group_of_[t] = fits ? g : groups_.size();
  }
}

// n tr(E H E^T) / (|W|^2 tr H); the Gram matrix is kept divided by its trace.
double SeenErrors::seen(const Slice& slice, const Inputs& inputs, const Vector& what) const {
  std::vector<float> now(slice.size()), error(slice.size()), product(slice.size());
  to_row_major(slice, values_of(what, slice), now);
  to_row_major(slice, values_of(weights_, slice), error);
  const double norm = kernels::squared_norm_double(error);
  kernels::subtract(error, now, error);
  kernels::gemm_nn(kernels::dense(product.data(), slice.rows, slice.cols),
                   kernels::dense(error.data(), slice.rows, slice.cols),
                   kernels::dense(inputs.gram.data(), inputs.width, inputs.width));
  return std::max(0.0, inputs.width * kernels::dot_double(product, error) / norm);
}

std::vector<double> SeenErrors::of(const Vector& what) const {
  SKIFF_CHECK(what.values.size() == weights_.values.size(), "a model of another layout");
  std::vector<double> errors(group_of_.size());
  for (std::size_t t = 0; t < errors.size(); ++t) {
    const Slice& slice = weights_.layout->slices[t];
    const std::span<const float> before = values_of(weights_, slice), now = values_of(what, slice);
    const double lost = kernels::squared_distance_double(now, before);
    const double norm = kernels::squared_norm_double(before);
    if (lost == 0 || norm == 0) continue;
    errors[t] =
        group_of_[t] < groups_.size() ? seen(slice, groups_[group_of_[t]], what) : lost / norm;
  }
  return errors;
}

}  // namespace skiff
