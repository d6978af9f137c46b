// Trained weights in a file: named tensors over mapped bytes, in whichever format.
//
// Formats: safetensors (one file, or sharded with its index) and llama2.c's .bin, versions 0 to 2.
// Names, shapes and row order are those of Hugging Face's transformers whatever the format:
// matrices are outputs x inputs, and rotary heads pair component i with i + half (llama2.c pairs
// neighbours: its rows are given out in the other order). Nothing of a header is believed before it
// was checked against the file's size. Immutable; thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "algorithms/models/layout.h"
#include "algorithms/models/mapped_file.h"

namespace skiff {

// kQ8: int8 codes in consecutive groups of the flattened tensor, one float32 scale a group.
// kOther: kept in the list, refused when its values are asked for.
enum class StoredType { kF32, kF16, kBF16, kQ8, kOther };

struct CheckpointTensor {
  std::string name;  // "model.layers.0.mlp.up_proj.weight"
  std::vector<std::int64_t> shape;
  StoredType type = StoredType::kF32;
  std::string type_name;             // as the file says: "F32", "I64", ...
  MappedFilePtr file;                // keeps the bytes
  std::uint64_t offset = 0;          // of the first byte in the file
  std::span<const std::byte> bytes;  // of kQ8: the codes
  std::span<const std::byte> scales;
  std::int64_t group = 0;
  // Rows are so many heads whose rotary pairs are neighbours: read() puts them half apart. 0: as
  // is.
  std::int64_t interleaved_heads = 0;

  std::int64_t elements() const;
  // Row-major values. Throws DataError for a type without float values and, with the byte, for a
  // value that is not finite.
  void read(std::span<float> out) const;
};

class Checkpoint {
 public:
  // `config`: the model's config.json, or "" if there is none.
  Checkpoint(std::string path, std::vector<CheckpointTensor> tensors, std::string config);

  const std::string& path() const { return path_; }
  const std::vector<CheckpointTensor>& tensors() const { return tensors_; }  // sorted by name
  const CheckpointTensor* find(std::string_view name) const;                 // null if absent
  const std::string& config() const { return config_; }

  // Throws DataError for a slice whose tensor is missing or of another shape, and for weights of
  // the file that the layout has no slice for. Ask it before allocating for a layout that a file
  // made.
  void check(const Layout& layout) const;
  // Fills every slice of out's layout from the tensor of its name, transposed where the slice lies
  // so in memory. Throws as check() does, and for values that are not finite.
  void fill(Vector& out) const;

 private:
  const CheckpointTensor& tensor_of(const Slice& slice) const;

  std::string path_;
  std::vector<CheckpointTensor> tensors_;
  std::string config_;
};
using CheckpointPtr = std::shared_ptr<const Checkpoint>;

// A .safetensors, an .index.json of shards, a folder that holds one of them, or a llama2.c .bin.
// config.json is read where it lies beside. Throws DataError.
CheckpointPtr open_checkpoint(const std::string& path);

}  // namespace skiff
