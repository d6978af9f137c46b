// Values of which a pruner kept some: a bitmap of those, then the kept ones in row-major order,
// themselves stored in any format. What is pruned is exactly 0.
//
// Bytes: ceil(values / 8) of the bitmap, bit i % 8 of byte i / 8 for value i, 1 = kept, and what
// the kept ones take as a tensor of 1 x kept. The bitmap is the truth: a kept value may be 0.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "algorithms/model.h"

namespace skiff {

class MaskedValues final : public StoredValues {
 public:
  // bitmap: of `size` values; kept: as many values as it has ones.
  MaskedValues(std::int64_t size, std::vector<std::uint8_t> bitmap, StoredValuesPtr kept);

  std::string_view format() const override { return "masked"; }
  Bytes bytes() const override;
  Bytes scale_bytes() const override { return values_->scale_bytes(); }
  void to_dense(std::span<float> out) const override;
  std::vector<StoredArray> arrays() const override;
  Node parameters() const override;  // {kept: {format: dense, ...}}

  bool is_kept(std::size_t i) const { return (bitmap_[i / 8] >> (i % 8) & 1) != 0; }
  std::int64_t kept() const { return kept_; }
  std::int64_t size() const { return size_; }
  const StoredValuesPtr& values() const { return values_; }
  const std::vector<std::uint8_t>& bitmap() const { return bitmap_; }

 private:
  std::int64_t size_, kept_;
  std::vector<std::uint8_t> bitmap_;
  StoredValuesPtr values_;
};

// Null if nothing of the tensor was pruned.
const MaskedValues* masked_values(const StoredTensor& tensor);
// Keeps values[i] in float32 where keep[i] is not 0.
StoredTensor masked_tensor(int rows, int cols, std::span<const float> values,
                           std::span<const std::uint8_t> keep);
// What is stored of its values: of a masked tensor the kept ones, else all.
const StoredValuesPtr& kept_values(const StoredTensor& tensor);
// Of values of every coordinate, row-major, those.
std::vector<float> only_kept(const StoredTensor& tensor, std::vector<float> values);
// The tensor with others in their place (a quantizer's codes), inside the same mask, if it has one.
StoredTensor with_values(const StoredTensor& tensor, StoredValuesPtr kept);
// What masked_tensor with so many kept values takes.
TensorShape masked_shape(std::int64_t size, std::int64_t kept);

}  // namespace skiff
