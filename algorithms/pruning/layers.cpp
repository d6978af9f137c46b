#include "algorithms/pruning/layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "algorithms/kernels/reduce.h"
#include "algorithms/masked_values.h"
#include "sim/core/error.h"

namespace skiff::pruning {
namespace {

bool contains(const std::vector<std::size_t>& all, std::size_t t) {
  return std::find(all.begin(), all.end(), t) != all.end();
}

// Targets by group, in the order of evaluation; without calibration each alone, in that of the
// layout.
std::vector<std::vector<std::size_t>> groups_of(const Calibration* calibration,
                                                const std::vector<std::size_t>& targets,
                                                const LayerMethod& method, const Layout& layout) {
  std::vector<std::vector<std::size_t>> groups;
  if (!method.needs_inputs) {
    for (const std::size_t t : targets) groups.push_back({t});
    return groups;
  }
  for (const std::size_t t : targets) {
    if (calibration->group_of(t) < calibration->groups().size()) continue;
    throw std::invalid_argument(
        fmt::format("{} needs the inputs of a layer, and {} is no linear layer that could tell "
                    "them; leave it out of targets, or take magnitude",
                    method.name, layer_of(layout.slices[t])));
  }
  for (const std::vector<std::size_t>& group : calibration->groups()) {
    std::vector<std::size_t> some;
    for (const std::size_t t : group) {
      if (contains(targets, t)) some.push_back(t);
    }
    if (!some.empty()) groups.push_back(std::move(some));
  }
  return groups;
}

std::string mask_key(const std::string& slice) { return "mask." + slice; }

Layer layer_at(const Model& model, std::size_t t, const InputStatistics* inputs,
               const Stream& stream) {
  const StoredTensor& tensor = model.tensors[t];
  const std::vector<float> dense = tensor.dense();
  return {model.layout->slices[t].name,
          tensor.rows,
          tensor.cols,
          {dense.begin(), dense.end()},
          inputs,
          stream.child("pruning." + model.layout->slices[t].name)};
}

// Takes the mask that the memory has, or chooses it; then stores what stays.
void prune_one(Model& model, std::size_t t, Layer& layer, State& memory,
               const LayerMethod& method) {
  const std::string key = mask_key(layer.name);
  const bool known = memory.has(key);
  const std::span<std::uint8_t> kept = memory.array<std::uint8_t>(key, layer.weights.size());
  Mask mask;
  if (known) {
    mask.assign(kept.begin(), kept.end());
    if (method.adjust) method.adjust(layer, mask);
  } else {
    mask = method.choose(layer);
    std::copy(mask.begin(), mask.end(), kept.begin());
  }
  SKIFF_CHECK(mask.size() == layer.weights.size(), "a mask of another size");
  std::vector<float> values(layer.weights.size());
  std::vector<std::uint8_t> keep(mask.size());
  for (std::size_t i = 0; i < mask.size(); ++i) {
    keep[i] = mask[i] == 0 ? 1 : 0;
    values[i] = keep[i] != 0 ? static_cast<float>(layer.weights[i]) : 0.0F;
  }
  model.tensors[t] = masked_tensor(layer.rows, layer.cols, values, keep);
}

}  // namespace

void require_calibration(const Calibration* calibration, const std::string& name) {
  if (calibration != nullptr) return;
  throw std::invalid_argument(name +
                              " needs samples of the server's to calibrate with: write "
                              "data.server_samples");
}

Vector finite_weights(const Model& model) {
  Vector weights = decoded(model);
  for (const Slice& s : weights.layout->slices) {
    if (kernels::all_finite(std::span(weights.values).subspan(s.offset, s.size()))) continue;
    throw std::invalid_argument(
        fmt::format("layer {} holds values that are not finite", layer_of(s)));
  }
  return weights;
}

bool chosen_before(const State& memory, const Model& model, const LayerTargets& targets) {
  return memory.has(mask_key(model.layout->slices[targets.of(*model.layout).front()].name));
}

void prune_layers(Model& model, const Calibration* calibration, const LayerTargets& targets,
                  State& memory, const Stream& stream, const LayerMethod& method) {
  if (method.needs_inputs) require_calibration(calibration, method.name);
  const std::vector<std::size_t> chosen = targets.of(*model.layout);
  Vector weights = finite_weights(model);
  for (const auto& group : groups_of(calibration, chosen, method, *model.layout)) {
    InputStatistics inputs;
    if (method.needs_inputs) inputs = calibration->inputs(weights, calibration->group_of(group[0]));
    for (const std::size_t t : group) {
      Layer layer = layer_at(model, t, method.needs_inputs ? &inputs : nullptr, stream);
      prune_one(model, t, layer, memory, method);
      const Slice& s = model.layout->slices[t];
      from_row_major(s, model.tensors[t].dense(),
                     std::span(weights.values).subspan(s.offset, s.size()));
    }
  }
}

std::int64_t removed(const Removal& removal, Group group, std::int64_t rows, std::int64_t cols) {
  const Pattern pattern = pattern_of(removal.structure);
  if (pattern.exists()) return pattern_count(pattern, rows, cols);
  if (group == Group::kRow) return rows * floor_share(cols, removal.sparsity);
  return floor_share(rows * cols, removal.sparsity);
}

Mask choose(const Scores& scores, const Removal& removal, Group group, const Layer& layer) {
  const Pattern pattern = pattern_of(removal.structure);
  if (pattern.exists()) return lowest_of_pattern(scores, layer.cols, pattern);
  if (group == Group::kRow) {
    return lowest_of_rows(scores, layer.cols, floor_share(layer.cols, removal.sparsity));
  }
  return lowest(scores, removed(removal, group, layer.rows, layer.cols));
}

Shape masked_targets(const Shape& before, const LayerTargets& targets, const RemovedOf& removed) {
  Shape after = before;
  for (const std::size_t t : targets.of(*before.layout)) {
    const Slice& s = before.layout->slices[t];
    const auto size = static_cast<std::int64_t>(s.size());
    after = with_tensor(std::move(after), t, masked_shape(size, size - removed(s)));
  }
  return after;
}

Cost walk_cost(const Shape& before, const LayerTargets& targets, const WorkOf& flops_of,
               const WorkOf& scratch_doubles) {
  Cost cost;
  double flops = 0, scratch = 0;
  std::int64_t steps = 0, values = 0;
  for (const std::size_t t : targets.of(*before.layout)) {
    const Slice& s = before.layout->slices[t];
    const double rows = s.rows, cols = s.cols;
    flops += flops_of(rows, cols);
    scratch = std::max(scratch, scratch_doubles(rows, cols));
    values += static_cast<std::int64_t>(s.size());
    ++steps;
  }
  cost.fp32 = Flops(flops);
  cost.dram = Bytes(2 * 4 * values);  // read, and written
  cost.steps = std::max<std::int64_t>(steps, 1);
  cost.memory.weights = before.stored;
  cost.memory.scratch = Bytes(static_cast<std::int64_t>(scratch * sizeof(double)));
  return cost;
}

}  // namespace skiff::pruning
