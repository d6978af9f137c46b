#include "algorithms/model.h"

#include <algorithm>
#include <cstring>

#include "algorithms/kernels/gemm.h"
#include "algorithms/masked_values.h"
#include "sim/core/error.h"

namespace skiff {
namespace {

class DenseValues final : public StoredValues {
 public:
  explicit DenseValues(std::vector<float> values) : values_(std::move(values)) {}
  std::string_view format() const override { return "dense"; }
  Bytes bytes() const override {
    return Bytes(static_cast<std::int64_t>(values_.size() * sizeof(float)));
  }
  void to_dense(std::span<float> out) const override {
    SKIFF_CHECK(out.size() == values_.size(), "a tensor decoded into another size");
    std::copy(values_.begin(), values_.end(), out.begin());
  }
  std::vector<StoredArray> arrays() const override {
    std::vector<std::byte> raw(values_.size() * sizeof(float));
    std::memcpy(raw.data(), values_.data(), raw.size());
    return {{"values", "F32", std::move(raw)}};
  }

 private:
  std::vector<float> values_;
};

Bytes float_bytes(const Slice& s) {
  return Bytes(static_cast<std::int64_t>(s.size() * sizeof(float)));
}

// out (cols x rows) = transpose of in (rows x cols).
void transpose(int rows, int cols, std::span<const float> in, std::span<float> out) {
  SKIFF_CHECK(in.size() == out.size(), "a matrix of another size");
  kernels::transpose(kernels::dense(out.data(), cols, rows), kernels::dense(in.data(), rows, cols));
}

}  // namespace

double StoredTensor::bits() const {
  return 8.0 * static_cast<double>(bytes().value()) / static_cast<double>(size());
}

std::vector<float> StoredTensor::dense() const {
  std::vector<float> out(size());
  values->to_dense(out);
  return out;
}

StoredTensor dense_tensor(int rows, int cols, std::vector<float> values) {
  StoredTensor tensor{rows, cols, nullptr};
  SKIFF_CHECK(values.size() == tensor.size(), "a tensor of another size");
  tensor.values = std::make_shared<const DenseValues>(std::move(values));
  return tensor;
}

void to_row_major(const Slice& slice, std::span<const float> in, std::span<float> out) {
  if (slice.order == Order::kInOut) {
    transpose(slice.cols, slice.rows, in, out);
  } else {
    std::copy(in.begin(), in.end(), out.begin());
  }
}

void from_row_major(const Slice& slice, std::span<const float> in, std::span<float> out) {
  if (slice.order == Order::kInOut) {
    transpose(slice.rows, slice.cols, in, out);
  } else {
    std::copy(in.begin(), in.end(), out.begin());
  }
}

Shape dense_shape(const LayoutPtr& layout) {
  Shape shape{layout, Bytes(static_cast<std::int64_t>(layout->size * sizeof(float))), {}};
  for (const Slice& s : layout->slices) {
    shape.tensors.push_back({float_bytes(s), static_cast<std::int64_t>(s.size()), false});
  }
  return shape;
}

Shape with_tensor(Shape shape, std::size_t tensor, const TensorShape& becomes) {
  shape.stored += becomes.stored - shape.tensors[tensor].stored;
  shape.tensors[tensor] = becomes;
  return shape;
}

Shape shape_of(const Model& model) {
  Shape shape{model.layout, {}, {}};
  for (const StoredTensor& t : model.tensors) {
    const MaskedValues* masked = masked_values(t);
    const auto size = static_cast<std::int64_t>(t.size());
    shape.tensors.push_back({t.bytes(), masked != nullptr ? masked->kept() : size,
                             masked != nullptr, t.values->scale_bytes()});
    shape.stored += t.bytes();
  }
  return shape;
}

bool Shape::masked() const {
  return std::any_of(tensors.begin(), tensors.end(), [](const TensorShape& t) { return t.masked; });
}

std::int64_t Shape::kept() const {
  std::int64_t n = 0;
  for (const TensorShape& t : tensors) n += t.kept;
  return n;
}

Bytes Shape::masks() const {
  std::int64_t bytes = 0;
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    if (tensors[t].masked) bytes += static_cast<std::int64_t>((layout->slices[t].size() + 7) / 8);
  }
  return Bytes(bytes);
}

Bytes Shape::scales() const {
  Bytes bytes{};
  for (const TensorShape& t : tensors) bytes += t.scales;
  return bytes;
}

Model dense_model(const Vector& weights) {
  Model model;
  model.layout = weights.layout;
  for (const Slice& s : weights.layout->slices) {
    std::vector<float> values(s.size());
    to_row_major(s, std::span(weights.values).subspan(s.offset, s.size()), values);
    model.tensors.push_back(dense_tensor(s.rows, s.cols, std::move(values)));
  }
  return model;
}

Vector decoded(const Model& model) {
  Vector weights(model.layout);
  for (std::size_t t = 0; t < model.tensors.size(); ++t) {
    const Slice& s = model.layout->slices[t];
    from_row_major(s, model.tensors[t].dense(),
                   std::span(weights.values).subspan(s.offset, s.size()));
  }
  return weights;
}

}  // namespace skiff
