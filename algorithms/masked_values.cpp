#include "algorithms/masked_values.h"

#include <bit>
#include <cstring>
#include <numeric>

#include "sim/core/error.h"

namespace skiff {
namespace {

std::int64_t bitmap_bytes(std::int64_t size) { return (size + 7) / 8; }

}  // namespace

MaskedValues::MaskedValues(std::int64_t size, std::vector<std::uint8_t> bitmap,
                           StoredValuesPtr kept)
    : size_(size), bitmap_(std::move(bitmap)), values_(std::move(kept)) {
  SKIFF_CHECK(static_cast<std::int64_t>(bitmap_.size()) == bitmap_bytes(size), "a mask too short");
  kept_ =
      std::accumulate(bitmap_.begin(), bitmap_.end(), std::int64_t{0},
                      [](std::int64_t n, std::uint8_t byte) { return n + std::popcount(byte); });
}

Bytes MaskedValues::bytes() const { return Bytes(bitmap_bytes(size_)) + values_->bytes(); }

void MaskedValues::to_dense(std::span<float> out) const {
  SKIFF_CHECK(static_cast<std::int64_t>(out.size()) == size_, "a tensor decoded into another size");
  std::vector<float> kept(static_cast<std::size_t>(kept_));
  values_->to_dense(kept);
  std::size_t next = 0;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = is_kept(i) ? kept[next++] : 0.0F;
}

std::vector<StoredArray> MaskedValues::arrays() const {
  std::vector<std::byte> bitmap(bitmap_.size());
  std::memcpy(bitmap.data(), bitmap_.data(), bitmap.size());
  std::vector<StoredArray> all{{"mask", "U8", std::move(bitmap)}};
  for (StoredArray& array : values_->arrays()) all.push_back(std::move(array));
  return all;
}

Node MaskedValues::parameters() const {
  Node kept = values_->parameters();
  kept.kind = Node::Kind::kMap;
  kept.set("format", Node::scalar(std::string(values_->format())));
  Node all;
  all.kind = Node::Kind::kMap;
  all.set("kept", kept);
  return all;
}

const MaskedValues* masked_values(const StoredTensor& tensor) {
  return dynamic_cast<const MaskedValues*>(tensor.values.get());
}

StoredTensor masked_tensor(int rows, int cols, std::span<const float> values,
                           std::span<const std::uint8_t> keep) {
  SKIFF_CHECK(values.size() == keep.size(), "a mask of another size");
  std::vector<std::uint8_t> bitmap((values.size() + 7) / 8);
  std::vector<float> kept;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (keep[i] == 0) continue;
    bitmap[i / 8] = static_cast<std::uint8_t>(bitmap[i / 8] | 1U << (i % 8));
    kept.push_back(values[i]);
  }
  const auto count = static_cast<int>(kept.size());
  const auto size = static_cast<std::int64_t>(values.size());
  return {rows, cols,
          std::make_shared<const MaskedValues>(size, std::move(bitmap),
                                               dense_tensor(1, count, std::move(kept)).values)};
}

const StoredValuesPtr& kept_values(const StoredTensor& tensor) {
  const MaskedValues* mask = masked_values(tensor);
  return mask != nullptr ? mask->values() : tensor.values;
}

std::vector<float> only_kept(const StoredTensor& tensor, std::vector<float> values) {
  const MaskedValues* mask = masked_values(tensor);
  if (mask == nullptr) return values;
  std::size_t next = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (mask->is_kept(i)) values[next++] = values[i];
  }
  values.resize(next);
  return values;
}

StoredTensor with_values(const StoredTensor& tensor, StoredValuesPtr kept) {
  const MaskedValues* mask = masked_values(tensor);
  if (mask == nullptr) return {tensor.rows, tensor.cols, std::move(kept)};
  return {tensor.rows, tensor.cols,
          std::make_shared<const MaskedValues>(mask->size(), mask->bitmap(), std::move(kept))};
}

TensorShape masked_shape(std::int64_t size, std::int64_t kept) {
  return {Bytes(bitmap_bytes(size) + kept * static_cast<std::int64_t>(sizeof(float))), kept, true};
}

}  // namespace skiff
