// What a device or a file holds: stored tensors, as opposed to the server's dense master Vector.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "algorithms/models/layout.h"
#include "sim/core/node.h"
#include "sim/core/units.h"

namespace skiff {

// A part of a stored tensor as it stands in a file.
struct StoredArray {
  std::string name;  // "codes", "scales", "mask"
  std::string type;  // of safetensors: "U8", "F16", "F32", ...
  std::vector<std::byte> bytes;
};

// How the values of a tensor are kept: floats, codes and scales, a mask and what it leaves.
//
// Immutable, shared. Values are read row-major, outputs x inputs, whatever the order of the slice.
// One class a format; the families make them.
class StoredValues {
 public:
  virtual ~StoredValues() = default;
  virtual std::string_view format() const = 0;            // "dense", "grid", "masked"
  virtual Bytes bytes() const = 0;                        // exactly those of arrays()
  virtual Bytes scale_bytes() const { return Bytes(0); }  // of these: scales, zeros, tables
  virtual void to_dense(std::span<float> out) const = 0;
  // For files: arrays() and parameters() make it anew.
  virtual std::vector<StoredArray> arrays() const = 0;
  virtual Node parameters() const { return {}; }
};
using StoredValuesPtr = std::shared_ptr<const StoredValues>;

struct StoredTensor {
  int rows = 0, cols = 0;
  StoredValuesPtr values;

  std::size_t size() const {
    return static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols);
  }
  Bytes bytes() const { return values->bytes(); }
  double bits() const;  // a value, all that is stored counted
  std::vector<float> dense() const;
};

// Of float32 values, row-major.
StoredTensor dense_tensor(int rows, int cols, std::vector<float> values);

struct Model {
  LayoutPtr layout;
  std::vector<StoredTensor> tensors;  // by slice of the layout
  // Of a structured pruner, by tensor: row or column -> the full model's; empty = all are left.
  std::vector<std::vector<int>> kept_rows, kept_cols;
  // Coordinates of the layout that no mask left out, ascending; null: nothing is masked.
  std::shared_ptr<const std::vector<std::uint32_t>> kept;
};

// How one tensor is stored, as far as its size goes.
struct TensorShape {
  Bytes stored;           // with its mask
  std::int64_t kept = 0;  // values that are stored at all
  bool masked = false;    // a mask says which they are
  Bytes scales{};         // of stored: scales, zero points and tables of the codes
};

// Of a prepared Model, or predicted from shapes alone.
struct Shape {
  LayoutPtr layout;
  Bytes stored;                      // of all tensors
  std::vector<TensorShape> tensors;  // by slice

  bool masked() const;
  std::int64_t kept() const;  // values that are stored at all
  Bytes masks() const;        // of stored
  Bytes scales() const;       // of stored
};

Shape dense_shape(const LayoutPtr& layout);  // float32, nothing compressed
Shape with_tensor(Shape shape, std::size_t tensor, const TensorShape& becomes);
Shape shape_of(const Model& model);

Model dense_model(const Vector& weights);
// What the stored tensors decode to, in the order of each slice of model.layout.
Vector decoded(const Model& model);

// A slice's values between the order of its layout and row-major outputs x inputs.
void to_row_major(const Slice& slice, std::span<const float> in, std::span<float> out);
void from_row_major(const Slice& slice, std::span<const float> in, std::span<float> out);

}  // namespace skiff
