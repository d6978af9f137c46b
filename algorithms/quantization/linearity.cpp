#include "algorithms/quantization/linearity.h"

#include <cmath>

#include "algorithms/kernels/reduce.h"
#include "algorithms/quantization/layer_quantizer.h"
#include "sim/core/distributions.h"
#include "sim/core/parallel.h"

namespace skiff {
namespace {

double level(const NoiseLevels& levels, int i) {
  if (levels.count == 1) return levels.most;
  const double share = static_cast<double>(i) / (levels.count - 1);
  return levels.least * std::pow(levels.most / levels.least, share);
}

// Unit noise of the layer in the order of its slice; 0 where nothing is kept.
std::vector<float> unit_noise(std::span<const float> weights, Stream stream) {
  std::vector<float> noise(weights.size());
  std::size_t kept = 0;
  for (std::size_t i = 0; i < noise.size(); ++i) {
    const auto drawn = static_cast<float>(normal(stream));
    noise[i] = weights[i] != 0 ? drawn : 0.0F;
    kept += weights[i] != 0;
  }
  const double norm = std::sqrt(kernels::squared_norm_double(weights));
  const auto size =
      kept == 0 ? 0.0F : static_cast<float>(norm / std::sqrt(static_cast<double>(kept)));
  kernels::scale(noise, size, noise);
  return noise;
}

}  // namespace

std::vector<double> loss_slopes(const Calibration& calibration, const Model& model,
                                const std::vector<std::size_t>& targets, const NoiseLevels& levels,
                                const Stream& stream) {
  const Vector weights = decoded(model);
  const double before = calibration.loss(weights);
  std::vector<double> slopes;
  for (const std::size_t t : targets) {
    const Slice& slice = model.layout->slices[t];
    const std::span<const float> own =
        std::span(weights.values).subspan(slice.offset, slice.size());
    double products = 0, squares = 0;
    for (int i = 0; i < levels.count; ++i) {
      const double error = level(levels, i);
      const std::vector<float> noise =
          unit_noise(own, stream.child("noise", t * 64 + static_cast<std::size_t>(i)));
      double growth = 0;
      for (const double sign : {1.0, -1.0}) {
        Vector disturbed = weights;
        kernels::axpy(std::span(disturbed.values).subspan(slice.offset, slice.size()),
                      static_cast<float>(sign * std::sqrt(error)), noise);
        growth += 0.5 * (calibration.loss(disturbed) - before);
      }
      products += growth * error;
      squares += error * error;
    }
    slopes.push_back(products / squares);
  }
  return slopes;
}

}  // namespace skiff
