// What quantizers share: they walk the target layers, put codes in the place of floats and leave
// everything else as it is.
//
// Of a tensor that a pruner thinned, the kept values are one row of 1 x kept; the mask stays, so
// what was pruned stays exactly 0. Values that are not finite are refused. Immutable, thread-safe.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "algorithms/compressor.h"
#include "algorithms/layer_targets.h"
#include "algorithms/quantization/scale_array.h"

namespace skiff {

// A layer's weights, row-major outputs x inputs, or the kept ones of a masked layer in one row.
struct LayerMatrix {
  std::string layer;
  std::size_t tensor = 0;
  bool masked = false;
  int rows = 0, cols = 0;
  std::vector<float> values;

  std::span<const float> row(int r) const {
    const auto width = static_cast<std::size_t>(cols);
    return std::span(values).subspan(static_cast<std::size_t>(r) * width, width);
  }
};

// Throws std::invalid_argument, naming the layer, if a value is not finite.
LayerMatrix layer_matrix(const Model& model, std::size_t tensor);
// Puts what is to stand for that matrix in its place, under the mask if there is one.
void put_values(Model& model, std::size_t tensor, StoredValuesPtr values);
// Runs `encode` and names the layer in what it refuses.
StoredValuesPtr encode_named(const LayerMatrix& matrix,
                             const std::function<StoredValuesPtr(const LayerMatrix&)>& encode);

// Chance of a layer's own, whatever other layers there are.
Stream layer_stream(const Stream& stream, const Slice& slice);

using MatrixBytes = std::function<Bytes(int rows, int cols)>;
// The shape after each target has become `bytes(rows, cols)`, with its mask; `scales` of these.
Shape quantized_shape(const Shape& before, const std::vector<std::size_t>& targets,
                      const MatrixBytes& bytes, const MatrixBytes& scales);
// What it takes to quantize them once, at so many operations a weight.
Cost quantizing_cost(const Shape& before, const Shape& after,
                     const std::vector<std::size_t>& targets, double flops_per_weight);

// Quantizers that look at one layer at a time and at nothing but its weights.
class LayerQuantizer : public Compressor {
 public:
  void compress(Model& model, const Calibration* calibration, State& memory,
                Stream stream) const override;
  Shape shape(const Shape& before) const override;
  Cost cost(const Shape& before) const override;

 protected:
  explicit LayerQuantizer(LayerTargets targets) : targets_(std::move(targets)) {}
  virtual StoredValuesPtr encode(const LayerMatrix& matrix, Stream stream) const = 0;
  virtual Bytes bytes(int rows, int cols) const = 0;
  virtual Bytes scale_bytes(int rows, int cols) const = 0;
  virtual double flops_per_weight() const = 0;

 private:
  LayerTargets targets_;
};

}  // namespace skiff
