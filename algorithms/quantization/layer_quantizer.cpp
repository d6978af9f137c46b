#include "algorithms/quantization/layer_quantizer.h"

#include <fmt/format.h>

#include <algorithm>

#include "algorithms/kernels/reduce.h"
#include "algorithms/masked_values.h"

namespace skiff {

LayerMatrix layer_matrix(const Model& model, std::size_t tensor) {
  const StoredTensor& stored = model.tensors.at(tensor);
  LayerMatrix matrix{
      layer_of(model.layout->slices[tensor]), tensor, false, stored.rows, stored.cols, {}};
  if (const MaskedValues* masked = masked_values(stored)) {
    matrix.masked = true;
    matrix.rows = 1;
    matrix.cols = static_cast<int>(masked->kept());
    matrix.values.resize(static_cast<std::size_t>(masked->kept()));
    masked->values()->to_dense(matrix.values);
  } else {
    matrix.values = stored.dense();
  }
  if (!kernels::all_finite(matrix.values)) {
    throw std::invalid_argument(
        fmt::format("layer {} holds values that are not finite", matrix.layer));
  }
  return matrix;
}

void put_values(Model& model, std::size_t tensor, StoredValuesPtr values) {
  StoredTensor& stored = model.tensors.at(tensor);
  stored = with_values(stored, std::move(values));
}

StoredValuesPtr encode_named(const LayerMatrix& matrix,
                             const std::function<StoredValuesPtr(const LayerMatrix&)>& encode) {
  try {
    return encode(matrix);
  } catch (const std::invalid_argument& reason) {
    throw std::invalid_argument(fmt::format("layer {}: {}", matrix.layer, reason.what()));
  }
}

Stream layer_stream(const Stream& stream, const Slice& slice) {
  return stream.child("layer." + slice.name);
}

Shape quantized_shape(const Shape& before, const std::vector<std::size_t>& targets,
                      const MatrixBytes& bytes, const MatrixBytes& scales) {
  Shape after = before;
  for (const std::size_t t : targets) {
    const Slice& slice = before.layout->slices.at(t);
    TensorShape becomes = before.tensors.at(t);
    const int rows = becomes.masked ? 1 : slice.rows;
    const int cols = becomes.masked ? static_cast<int>(becomes.kept) : slice.cols;
    becomes.stored = bytes(rows, cols);
    becomes.scales = scales(rows, cols);
    if (becomes.masked) becomes.stored += Bytes(static_cast<std::int64_t>((slice.size() + 7) / 8));
    after = with_tensor(std::move(after), t, becomes);
  }
  return after;
}

Cost quantizing_cost(const Shape& before, const Shape& after,
                     const std::vector<std::size_t>& targets, double flops_per_weight) {
  std::int64_t weights = 0, largest = 0;
  for (const std::size_t t : targets) {
    weights += before.tensors.at(t).kept;
    largest = std::max(largest, before.tensors.at(t).kept);
  }
  Cost cost;
  cost.fp32 = Flops(flops_per_weight * static_cast<double>(weights));
  cost.dram = before.stored + after.stored;
  cost.memory.weights = before.stored;  // layer after layer: what is done replaces what was
  cost.memory.scratch = Bytes(largest * static_cast<std::int64_t>(sizeof(float)));
  cost.storage = after.stored;
  return cost;
}

void LayerQuantizer::compress(Model& model, const Calibration*, State&, Stream stream) const {
  for (const std::size_t t : targets_.of(*model.layout)) {
    const Stream own = layer_stream(stream, model.layout->slices[t]);
    put_values(model, t, encode_named(layer_matrix(model, t), [&](const LayerMatrix& matrix) {
                 return encode(matrix, own);
               }));
  }
}

Shape LayerQuantizer::shape(const Shape& before) const {
  return quantized_shape(
      before, targets_.of(*before.layout), [this](int rows, int cols) { return bytes(rows, cols); },
      [this](int rows, int cols) { return scale_bytes(rows, cols); });
}

Cost LayerQuantizer::cost(const Shape& before) const {
  return quantizing_cost(before, shape(before), targets_.of(*before.layout), flops_per_weight());
}

}  // namespace skiff
