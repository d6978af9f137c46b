// stories260K from its files, as a model that runs.
#pragma once

#include <memory>
#include <string>

#include "algorithms/models/checkpoint_model.h"
#include "algorithms/models/full_weights.h"
#include "tests/models/checkpoint_fixture.h"

namespace skiff::testing {

inline TaskShape stories_task() {
  TaskShape task;
  task.kind = TaskKind::kNextToken;
  task.vocabulary = 512;
  task.sequence_length = 512;
  return task;
}

struct Stories {
  explicit Stories(const std::string& file)
      : checkpoint(open_checkpoint(real_data("llama2c/" + file))),
        model(checkpoint_architecture(*checkpoint, stories_task())),
        weights(*checkpoint_weights(*checkpoint, model->layout())) {}
  CheckpointPtr checkpoint;
  std::shared_ptr<const Llama> model;
  FullWeights weights;
};

inline constexpr const char* kFiles[] = {"stories260K.bin", "stories260K.safetensors"};

}  // namespace skiff::testing
