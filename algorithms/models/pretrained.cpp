#include "algorithms/models/pretrained.h"

#include "algorithms/models/checkpoint_model.h"
#include "sim/core/error.h"

namespace skiff {

Pretrained::Pretrained(std::shared_ptr<const Architecture> inner,
                       std::shared_ptr<const Vector> weights)
    : inner_(std::move(inner)), weights_(std::move(weights)) {
  SKIFF_CHECK(weights_->values.size() == inner_->layout()->size, "weights of another model");
}

std::shared_ptr<const Architecture> Pretrained::checkpointed() const {
  auto inner = inner_->checkpointed();
  return inner == nullptr ? nullptr : std::make_shared<const Pretrained>(inner, weights_);
}

std::shared_ptr<const Architecture> pretrained_model(const std::string& path,
                                                     const TaskShape& task) {
  const CheckpointPtr checkpoint = open_checkpoint(path);
  const auto model = checkpoint_architecture(*checkpoint, task);
  return std::make_shared<const Pretrained>(model,
                                            checkpoint_weights(*checkpoint, model->layout()));
}

}  // namespace skiff
