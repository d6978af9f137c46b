// The safetensors format of Hugging Face: reading with every bound checked, and writing.
//
//   u64 N | N bytes of JSON {"name": {"dtype", "shape", "data_offsets": [begin, end]}, ...,
//   "__metadata__": {text: text}} | the values, row-major, little-endian
//
// Offsets count from the end of the header. Refused with the byte and what was expected: a header
// longer than the file or 100 MB, no JSON, names or keys twice, types that do not exist, shapes
// that overflow or do not match their bytes, tensors that overlap, leave holes or end outside.
// Sharded: an index {"weight_map": {name: file}} over files in its own folder.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "algorithms/models/checkpoint.h"

namespace skiff {

CheckpointPtr open_safetensors(const std::string& path);
CheckpointPtr open_sharded_safetensors(const std::string& index_path);

// Writes the slices of `weights` under their names, row-major outputs x inputs (biases and norms
// with one dimension); kF32, kF16 or kBF16. `metadata`: text kept in the header. The file appears
// under its name only when it is complete. Throws RunError if it cannot be written.
void write_safetensors(const std::string& path, const Vector& weights, StoredType type,
                       const std::vector<std::pair<std::string, std::string>>& metadata = {});

// The text of config.json beside `path`; "" if there is none.
std::string config_beside(const std::string& path);

}  // namespace skiff
