// The walk of the layer-wise pruners: one matrix after the other, in the order of evaluation.
//
// A group of layers that read the same input is pruned with statistics of that input as it is by
// now, the layers before it already pruned. (The papers prune the layers of a whole transformer
// block against the unpruned block's inputs, then run the pruned block; finer steps let every layer
// make up for the ones before it.) The masks of the first call are kept in the memory and hold for
// all later ones. Immutable callers, one thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "algorithms/calibration.h"
#include "algorithms/compressor.h"
#include "algorithms/pruning/mask.h"
#include "algorithms/pruning/scores.h"
#include "algorithms/removal.h"

namespace skiff::pruning {

// A matrix while it is pruned.
struct Layer {
  std::string name;  // of its slice
  int rows = 0, cols = 0;
  std::vector<double> weights;              // row-major outputs x inputs
  const InputStatistics* inputs = nullptr;  // null unless the method needs them
  Stream stream{0, ""};                     // of this layer

  MatrixOf matrix() const { return {weights, rows, cols}; }
  std::size_t index(int i, int j) const {
    return static_cast<std::size_t>(i) * static_cast<std::size_t>(cols) +
           static_cast<std::size_t>(j);
  }
};

struct LayerMethod {
  std::string name;  // for messages: "wanda"
  bool needs_inputs = false;
  // Which entries go. May move the weights that stay.
  std::function<Mask(Layer&)> choose;
  // Moves the weights that stay under a mask that was chosen before; empty: they stay as they are.
  std::function<void(Layer&, const Mask&)> adjust;
};

void prune_layers(Model& model, const Calibration* calibration, const LayerTargets& targets,
                  State& memory, const Stream& stream, const LayerMethod& method);

// Whether the memory has the masks of an earlier call.
bool chosen_before(const State& memory, const Model& model, const LayerTargets& targets);

// Where groups are compared: how many entries of a matrix go.
enum class Group { kMatrix, kRow };
std::int64_t removed(const Removal& removal, Group group, std::int64_t rows, std::int64_t cols);
// Lowest scores, in the removal's structure.
Mask choose(const Scores& scores, const Removal& removal, Group group, const Layer& layer);

using RemovedOf = std::function<std::int64_t(const Slice&)>;
// What the walk will leave, given how many entries of each target go.
Shape masked_targets(const Shape& before, const LayerTargets& targets, const RemovedOf& removed);

// Work that grows with the targets: `flops_of(rows, cols)`, and doubles of scratch for the largest
// layer. What the calibration's own passes take is not in it: the caller knows samples and model.
using WorkOf = std::function<double(double rows, double cols)>;
Cost walk_cost(const Shape& before, const LayerTargets& targets, const WorkOf& flops_of,
               const WorkOf& scratch_doubles);

// What is stored, decoded. Throws std::invalid_argument, naming the layer, if it holds NaN or inf.
Vector finite_weights(const Model& model);

// Throws std::invalid_argument: "wanda needs calibration samples ...".
void require_calibration(const Calibration* calibration, const std::string& name);

}  // namespace skiff::pruning
