#include "sim/scenario/section_schemas.h"

namespace skiff {

template <>
Schema<TrainingSection> schema() {
  Schema<TrainingSection> s;
  s.field("mode", &TrainingSection::mode, "real, or timing-only: the same events without numbers")
      .one_of({"real", "timing-only"});
  s.field("compute_time", &TrainingSection::compute_time,
          "timing-only: computing time of one participation, instead of the computed one")
      .at_least(0)
      .unit("s");
  s.field("download", &TrainingSection::download,
          "timing-only: bytes that a device receives, instead of the computed ones")
      .at_least(0)
      .unit("MB");
  s.field("upload", &TrainingSection::upload,
          "timing-only: bytes that a device sends, instead of the computed ones")
      .at_least(0)
      .unit("MB");
  s.field("epochs", &TrainingSection::epochs, "passes over a client's samples").at_least(1);
  s.field("steps", &TrainingSection::steps, "optimizer steps, instead of epochs").at_least(1);
  s.field("batch", &TrainingSection::batch, "samples a step; full: all of a client's")
      .at_least(1)
      .or_word("full")
      .no_default();
  s.field("clip_norm", &TrainingSection::clip_norm, "largest norm of a step's gradient")
      .above(0)
      .or_word("none");
  s.field("checkpointing", &TrainingSection::checkpointing,
          "recompute activations in the backward pass: less RAM, more time");
  s.field("optimizer", &TrainingSection::optimizer, "what a client steps with");
  s.field("method", &TrainingSection::method, "how clients become one model");
  s.field("heuristic", &TrainingSection::heuristic,
          "combinations that no theory covers, run nevertheless; every output says so")
      .one_of({"optimizer", "participation", "space"});
  return s;
}

}  // namespace skiff
