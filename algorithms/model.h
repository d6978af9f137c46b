// What a device or a file holds: stored tensors, as opposed to the server's dense master Vector.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "algorithms/models/layout.h"
#include "sim/core/units.h"

namespace skiff {

// One tensor as it is stored. Dense float32 values for now; codes, masks and mapped files follow
// with the compressors that make them.
struct StoredTensor {
  int rows = 0, cols = 0, bits = 32;
  std::vector<float> dense;
  Bytes bytes() const { return Bytes(static_cast<std::int64_t>(dense.size() * sizeof(float))); }
  void to_dense(std::span<float> out) const;
};

struct Model {
  LayoutPtr layout;
  std::vector<StoredTensor> tensors;                   // by slice of the layout
  std::vector<std::vector<int>> kept_rows, kept_cols;  // unit -> the full model's; empty = all
};

// Of a prepared Model, or predicted from shapes alone.
struct Shape {
  LayoutPtr layout;
  Bytes stored;
};

Shape dense_shape(const LayoutPtr& layout);  // float32, nothing compressed
Model dense_model(const Vector& weights);
Shape shape_of(const Model& model);

}  // namespace skiff
