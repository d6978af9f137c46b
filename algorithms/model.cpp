#include "algorithms/model.h"

#include <algorithm>
#include <span>

#include "sim/core/error.h"

namespace skiff {

void StoredTensor::to_dense(std::span<float> out) const {
  SKIFF_CHECK(out.size() == dense.size(), "a tensor decoded into another size");
  std::copy(dense.begin(), dense.end(), out.begin());
}

Shape dense_shape(const LayoutPtr& layout) {
  return {layout, Bytes(static_cast<std::int64_t>(layout->size * sizeof(float)))};
}

Model dense_model(const Vector& weights) {
  Model model{weights.layout, {}, {}, {}};
  for (const Slice& s : weights.layout->slices) {
    const auto first = weights.values.begin() + static_cast<std::ptrdiff_t>(s.offset);
    model.tensors.push_back(
        {s.rows, s.cols, 32, {first, first + static_cast<std::ptrdiff_t>(s.size())}});
  }
  return model;
}

Shape shape_of(const Model& model) {
  Bytes stored;
  for (const StoredTensor& t : model.tensors) stored += t.bytes();
  return {model.layout, stored};
}

}  // namespace skiff
