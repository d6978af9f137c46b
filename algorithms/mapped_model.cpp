// Tensors that stay in the mapped file until they are decoded: stored_checkpoint.h.
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <limits>

#include "algorithms/stored_checkpoint.h"
#include "algorithms/stored_formats.h"
#include "sim/core/error.h"

namespace skiff {
namespace {

// Lets the system forget that these bytes of a mapped file were read; they come back when they are
// asked for again.
void forget(std::span<const std::byte> bytes) {
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<std::uintptr_t>(bytes.data()) + page - 1) / page * page;
  const auto end = reinterpret_cast<std::uintptr_t>(bytes.data() + bytes.size()) / page * page;
  if (end > begin) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

// A tensor as it lies in a checkpoint.
class MappedValues final : public StoredValues {
 public:
  MappedValues(CheckpointPtr checkpoint, const CheckpointTensor& tensor, TensorRead read)
      : checkpoint_(std::move(checkpoint)), tensor_(tensor), read_(std::move(read)) {}

  std::string_view format() const override { return "dense"; }
  Bytes bytes() const override {
    return Bytes(
        static_cast<std::int64_t>(as_it_lies() ? tensor_.bytes.size() : sizeof(float) * size()));
  }
  void to_dense(std::span<float> out) const override {
    if (read_) read_(tensor_.name);
    tensor_.read(out);
    forget(tensor_.bytes);
  }
  std::vector<StoredArray> arrays() const override {
    if (as_it_lies()) {
      return {{"values", tensor_.type_name, {tensor_.bytes.begin(), tensor_.bytes.end()}}};
    }
    std::vector<float> values(size());
    tensor_.read(values);
    return {stored_array<float>("values", "F32", values)};
  }

 private:
  std::size_t size() const { return static_cast<std::size_t>(tensor_.elements()); }
  bool as_it_lies() const {
    const bool floats = tensor_.type == StoredType::kF32 || tensor_.type == StoredType::kF16 ||
                        tensor_.type == StoredType::kBF16;
    return floats && tensor_.interleaved_heads == 0;
  }

  CheckpointPtr checkpoint_;  // keeps tensor_
  const CheckpointTensor& tensor_;
  TensorRead read_;
};

int whole(const Checkpoint& checkpoint, const CheckpointTensor& tensor, std::int64_t n) {
  if (n >= 1 && n <= std::numeric_limits<std::int32_t>::max()) return static_cast<int>(n);
  throw DataError(checkpoint.path(), fmt::format("{} has a side of {} values", tensor.name, n));
}

}  // namespace

LayoutPtr checkpoint_layout(const Checkpoint& checkpoint) {
  auto layout = std::make_shared<Layout>();
  for (const CheckpointTensor& t : checkpoint.tensors()) {
    const std::int64_t rows = t.shape.empty() ? 1 : t.shape.front();
    const std::int64_t cols = rows == 0 ? 0 : t.elements() / rows;
    layout->add(t.name, whole(checkpoint, t, rows), whole(checkpoint, t, cols));
  }
  return layout;
}

Model mapped_model(const CheckpointPtr& checkpoint, const LayoutPtr& layout, TensorRead read) {
  Model model{layout, {}, {}, {}};
  for (const Slice& slice : layout->slices) {
    const CheckpointTensor* tensor = checkpoint->find(slice.name);
    if (tensor == nullptr || tensor->elements() != static_cast<std::int64_t>(slice.size())) {
      throw DataError(checkpoint->path(), "has no tensor " + slice.name + " of that shape");
    }
    model.tensors.push_back(
        {slice.rows, slice.cols, std::make_shared<const MappedValues>(checkpoint, *tensor, read)});
  }
  return model;
}

}  // namespace skiff
