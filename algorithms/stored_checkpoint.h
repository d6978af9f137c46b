// Compressed models in files: a safetensors file of all arrays and, beside it, compression.json,
// which says how each tensor is stored.
//
//   model.safetensors  a dense tensor under its name, in the type that it came in; of any other,
//                      each array of its format under NAME.ARRAY ("....q_proj.weight.codes")
//   compression.json   {"version": 1, "made_by": [...], "tensors": {NAME: {"format", "rows",
//                      "cols", "parameters": {...}, "kept_rows": [...], "kept_cols": [...]}}};
//                      of whole dense tensors nothing. kept_*: of a tensor that lost channels or
//                      heads, which of the whole model's rows and columns are left
//
// Reading makes the same tensors anew, bit by bit.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "algorithms/model.h"
#include "algorithms/models/checkpoint.h"

namespace skiff {

// A layout of the tensors of a file, in the order of their names: outputs x inputs.
LayoutPtr checkpoint_layout(const Checkpoint& checkpoint);
// Its tensors as they lie in the file: nothing is read before it is decoded. `read`: told of each
// tensor when it is. Tensors of another shape than the layout's, or none, are a DataError.
using TensorRead = std::function<void(const std::string& name)>;
Model mapped_model(const CheckpointPtr& checkpoint, const LayoutPtr& layout, TensorRead read = {});

// Writes folder/model.safetensors and folder/compression.json; the folder is made. `made_by`: the
// compressors as flow text, in their order. Throws RunError.
void write_compressed(const std::string& folder, const Model& model,
                      const std::vector<std::string>& made_by);

// The text of compression.json beside the checkpoint; empty if there is none.
std::optional<std::string> compression_beside(const Checkpoint& checkpoint);
// The model that the two hold, tensors by the names of the layout, which is the whole model's; the
// layout of what is read is narrower where channels or heads were cut out. Throws DataError.
Model read_compressed(const CheckpointPtr& checkpoint, const std::string& compression,
                      const LayoutPtr& layout);

}  // namespace skiff
