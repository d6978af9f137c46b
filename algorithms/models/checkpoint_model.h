// The model that a checkpoint holds: its architecture by its config.json, its weights by name.
#pragma once

#include <memory>
#include <string>

#include "algorithms/models/architecture.h"
#include "algorithms/models/checkpoint.h"
#include "algorithms/models/llama.h"

namespace skiff {

// Checks that every weight is there and fits before anything is allocated. `task`: next-token
// prediction with no more ids and tokens than the model has. Throws DataError for a file that does
// not hold what its config says, std::invalid_argument for a model or a task that cannot be run.
std::shared_ptr<const Llama> checkpoint_architecture(const Checkpoint& checkpoint,
                                                     const TaskShape& task);
// The shape alone, without a task.
LlamaConfig checkpoint_config(const Checkpoint& checkpoint);
std::shared_ptr<const Vector> checkpoint_weights(const Checkpoint& checkpoint,
                                                 const LayoutPtr& layout);

}  // namespace skiff
