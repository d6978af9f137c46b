// What the distilling methods share: a teacher that the server trains on its own samples, models
// whose answers are read off for many samples, and what they ask of a composition.
//
// The teacher is a map like `model`: {architecture: mlp, hidden: [200], pretrain_epochs: 10}, with
// optimizer and batch beside them. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "algorithms/distillation.h"
#include "sim/core/registry.h"

namespace skiff::distillation {

struct TeacherParams {
  int pretrain_epochs = 10;
  int batch = 32;
  Node optimizer;  // {name: adamw, learning_rate: 0.001} unless written
  Chosen<ModelFamily> model;
};
bool convert(const Node& node, TeacherParams& out, const Rules& rules, Reader& reader);
std::string print_value(const TeacherParams& params);
// The keys that it has beside its architecture's.
std::vector<FieldInfo> teacher_fields();

// Throws std::invalid_argument unless the composition's plans train all of one uncompressed model
// that learns logits, over codecs without memory.
void require_teachable(const Composition& composition, const std::string& method);

// `epochs` passes over the samples in batches, each in an order of its own; the weights move by the
// optimizer's steps on the labels' loss.
void train_on(const Architecture& model, const Samples& samples, std::int64_t epochs, int batch,
              const Optimizer& optimizer, Stream stream, Vector& weights);

// The models that the composition's plans train, each once: indices into Composition::models.
std::vector<std::size_t> trained_models(const Composition& composition);

// What lessons of a consensus or of an ensemble are like. clip: the gradient's largest norm, 0:
// any. `enough` is asked after every `look_every` steps, 0: never; true ends the lessons.
struct Lessons {
  int steps = 0, batch = 0;
  double clip = 0;
  std::function<double(int step)> learning_rate;
  int look_every = 0;
  std::function<bool(const Vector& weights)> enough = {};
};
// The loss of the rows at these places of `rows`; valid until it is asked for others.
using LessonLoss = std::function<const LogitLoss&(std::span<const std::size_t> places)>;
// Moves the weights by batches of these rows, in an order drawn anew for each pass.
void teach(const Architecture& model, const Samples& samples, std::span<const std::uint32_t> rows,
           const Lessons& lessons, const LessonLoss& loss, const Optimizer& optimizer,
           Stream stream, Vector& weights);

// Logits of these rows, samples x outputs, in blocks. `centred`: each sample's mean is taken off,
// which changes no probability (a single output stays as it is).
std::vector<float> answers(const Architecture& model, const Vector& weights, const Samples& samples,
                           std::span<const std::uint32_t> rows, bool centred);
// What that takes of a device that holds the model and nothing else of it.
Cost answering_cost(const Architecture& model, std::int64_t samples);

}  // namespace skiff::distillation

namespace skiff {
template <>
struct TypeName<distillation::TeacherParams> {
  static std::string get() { return "map"; }
};
}  // namespace skiff
