#include "algorithms/models/checkpoint_model.h"

#include "algorithms/models/hf_config.h"
#include "sim/core/error.h"

namespace skiff {

LlamaConfig checkpoint_config(const Checkpoint& checkpoint) {
  if (checkpoint.config().empty()) {
    throw DataError(checkpoint.path(),
                    "has no config.json beside it: the model's shape is unknown");
  }
  const LlamaConfig config =
      llama_config(parse_hf_config(checkpoint.path() + ": config.json", checkpoint.config()));
  checkpoint.check(llama_layout(config));
  return config;
}

std::shared_ptr<const Llama> checkpoint_architecture(const Checkpoint& checkpoint,
                                                     const TaskShape& task) {
  return std::make_shared<const Llama>(checkpoint_config(checkpoint), task);
}

std::shared_ptr<const Vector> checkpoint_weights(const Checkpoint& checkpoint,
                                                 const LayoutPtr& layout) {
  checkpoint.check(*layout);
  auto weights = std::make_shared<Vector>(layout);
  checkpoint.fill(*weights);
  return weights;
}

}  // namespace skiff
