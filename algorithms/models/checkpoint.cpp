#include "algorithms/models/checkpoint.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <filesystem>

#include "algorithms/kernels/bfloat16.h"
#include "algorithms/kernels/half.h"
#include "algorithms/models/llama2c.h"
#include "algorithms/models/safetensors.h"
#include "sim/core/error.h"

namespace fs = std::filesystem;

namespace skiff {
namespace {

// The i-th T of bytes that may lie at any address.
template <class T>
T element(std::span<const std::byte> bytes, std::size_t i) {
  T value;
  std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
  return value;
}

std::size_t bytes_of(StoredType type) {
  return type == StoredType::kF32 ? 4 : type == StoredType::kQ8 ? 1 : 2;
}

void convert(const CheckpointTensor& t, std::span<float> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    switch (t.type) {
      case StoredType::kF32:
        out[i] = element<float>(t.bytes, i);
        break;
      case StoredType::kF16:
        out[i] = kernels::from_half(element<std::uint16_t>(t.bytes, i));
        break;
      case StoredType::kBF16:
        out[i] = kernels::from_bfloat16(element<std::uint16_t>(t.bytes, i));
        break;
      default:
        out[i] = static_cast<float>(element<std::int8_t>(t.bytes, i)) *
                 element<float>(t.scales, i / static_cast<std::size_t>(t.group));
    }
  }
}

// Rows (2i, 2i + 1) of each head become rows (i, half + i).
void part_heads(std::span<float> values, std::size_t rows, std::size_t heads) {
  const std::vector<float> from(values.begin(), values.end());
  const std::size_t cols = values.size() / rows;
  const std::size_t per_head = rows / heads, half = per_head / 2;
  for (std::size_t row = 0; row < rows; ++row) {
    const std::size_t within = row % per_head;
    const std::size_t to = row - within + within / 2 + (within % 2 == 0 ? 0 : half);
    std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(row * cols), cols,
                values.begin() + static_cast<std::ptrdiff_t>(to * cols));
  }
}

// Buffers of transformers that hold no weights.
bool is_buffer(std::string_view name) {
  return name.ends_with("rotary_emb.inv_freq") || name.ends_with("position_ids") ||
         name.ends_with(".masked_bias") || name.ends_with(".num_batches_tracked");
}

bool same_bytes(const CheckpointTensor& a, const CheckpointTensor& b) {
  return a.type == b.type && a.shape == b.shape && std::ranges::equal(a.bytes, b.bytes) &&
         std::ranges::equal(a.scales, b.scales);
}

void read_slice(const CheckpointTensor& tensor, const Slice& slice, std::span<float> out) {
  if (slice.order == Order::kOutIn || slice.cols == 1 || slice.rows == 1) return tensor.read(out);
  std::vector<float> stored(out.size());
  tensor.read(stored);
  const auto rows = static_cast<std::size_t>(slice.rows);
  const auto cols = static_cast<std::size_t>(slice.cols);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < cols; ++j) out[j * rows + i] = stored[i * cols + j];
  }
}

std::string find_in_folder(const fs::path& folder) {
  for (const char* name : {"model.safetensors", "model.safetensors.index.json"}) {
    if (fs::is_regular_file(folder / name)) return folder / name;
  }
  std::string found;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() != ".safetensors") continue;
    if (!found.empty()) {
      throw DataError(folder, "holds several .safetensors and no model.safetensors.index.json");
    }
    found = entry.path();
  }
  if (found.empty()) throw DataError(folder, "holds no .safetensors");
  return found;
}

}  // namespace

std::int64_t CheckpointTensor::elements() const {
  std::int64_t n = 1;
  for (const std::int64_t d : shape) n *= d;
  return n;
}

void CheckpointTensor::read(std::span<float> out) const {
  if (type == StoredType::kOther) {
    throw DataError(file->path(), static_cast<long long>(offset),
                    fmt::format("{} is of type {}; expected F32, F16 or BF16", name, type_name));
  }
  SKIFF_CHECK(out.size() == static_cast<std::size_t>(elements()), "a tensor of another size");
  convert(*this, out);
  const auto wrong =
      std::find_if_not(out.begin(), out.end(), [](float v) { return std::isfinite(v); });
  if (wrong != out.end()) {
    const auto i = static_cast<std::uint64_t>(wrong - out.begin());
    throw DataError(file->path(), static_cast<long long>(offset + i * bytes_of(type)),
                    fmt::format("{}: value {} is not finite", name, i));
  }
  if (interleaved_heads > 0) {
    part_heads(out, static_cast<std::size_t>(shape.front()),
               static_cast<std::size_t>(interleaved_heads));
  }
}

Checkpoint::Checkpoint(std::string path, std::vector<CheckpointTensor> tensors, std::string config)
    : path_(std::move(path)), tensors_(std::move(tensors)), config_(std::move(config)) {
  std::sort(tensors_.begin(), tensors_.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  const auto twice =
      std::adjacent_find(tensors_.begin(), tensors_.end(),
                         [](const auto& a, const auto& b) { return a.name == b.name; });
  if (twice != tensors_.end()) throw DataError(path_, twice->name + " occurs twice");
}

const CheckpointTensor* Checkpoint::find(std::string_view name) const {
  const auto at = std::lower_bound(tensors_.begin(), tensors_.end(), name,
                                   [](const auto& t, std::string_view n) { return t.name < n; });
  return at != tensors_.end() && at->name == name ? &*at : nullptr;
}

const CheckpointTensor& Checkpoint::tensor_of(const Slice& slice) const {
  const CheckpointTensor* tensor = find(slice.name);
  if (tensor == nullptr) {
    std::vector<std::string> names;
    for (const CheckpointTensor& t : tensors_) names.push_back(t.name);
    const std::string near = nearest_word(slice.name, names);
    throw DataError(path_, fmt::format("has no tensor {}{}", slice.name,
                                       near.empty() ? "" : "; the nearest is " + near));
  }
  // A convolution's kernel is outputs x (channels x height x width).
  const bool fits = !tensor->shape.empty() && tensor->shape.front() == slice.rows &&
                    tensor->elements() == static_cast<std::int64_t>(slice.size());
  if (!fits) {
    throw DataError(path_, fmt::format("{} has the shape {}; expected {} x {}", slice.name,
                                       fmt::join(tensor->shape, " x "), slice.rows, slice.cols));
  }
  return *tensor;
}

void Checkpoint::check(const Layout& layout) const {
  for (const Slice& slice : layout.slices) tensor_of(slice);
  // Weights that nobody reads would make another model than the file's.
  for (const CheckpointTensor& t : tensors_) {
    if (layout.find(t.name) != nullptr || is_buffer(t.name)) continue;
    const CheckpointTensor* embedding = find("model.embed_tokens.weight");
    const bool tied_copy =
        t.name == "lm_head.weight" && embedding != nullptr && same_bytes(t, *embedding);
    if (!tied_copy) throw DataError(path_, t.name + " is in the file, but not in the model");
  }
}

void Checkpoint::fill(Vector& out) const {
  check(*out.layout);
  for (const Slice& slice : out.layout->slices) {
    read_slice(tensor_of(slice), slice, std::span(out.values).subspan(slice.offset, slice.size()));
  }
}

CheckpointPtr open_checkpoint(const std::string& path) {
  std::error_code error;
  const std::string file = fs::is_directory(path, error) ? find_in_folder(path) : path;
  if (file.ends_with(".index.json")) return open_sharded_safetensors(file);
  if (file.ends_with(".safetensors")) return open_safetensors(file);
  if (file.ends_with(".bin")) return open_llama2c(file);
  throw DataError(path,
                  "expected a checkpoint: .safetensors, its .index.json, or a .bin of llama2.c");
}

}  // namespace skiff
