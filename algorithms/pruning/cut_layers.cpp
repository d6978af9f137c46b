#include "algorithms/pruning/cut_layers.h"

#include <algorithm>

namespace skiff::pruning {
namespace {

// Groups in the order in which their readers are evaluated.
std::vector<UnitGroup> in_order(std::vector<UnitGroup> groups, const Calibration* calibration) {
  if (calibration == nullptr) return groups;
  std::stable_sort(groups.begin(), groups.end(), [&](const UnitGroup& a, const UnitGroup& b) {
    return calibration->group_of(a.reader) < calibration->group_of(b.reader);
  });
  return groups;
}

Layer reader_of(const Vector& weights, const UnitGroup& group, const InputStatistics* inputs) {
  const Slice& s = weights.layout->slices[group.reader];
  std::vector<float> values(s.size());
  to_row_major(s, std::span(weights.values).subspan(s.offset, s.size()), values);
  return {s.name, s.rows, s.cols, {values.begin(), values.end()}, inputs};
}

void write_back(Vector& weights, const UnitGroup& group, const Layer& layer) {
  const Slice& s = weights.layout->slices[group.reader];
  const std::vector<float> values(layer.weights.begin(), layer.weights.end());
  from_row_major(s, values, std::span(weights.values).subspan(s.offset, s.size()));
}

Mask choose_units(const Layer& layer, const UnitGroup& group, const Vector& weights,
                  const Removal& removal, State& memory, const CutMethod& method) {
  const std::string key = "units." + group.name;
  const bool known = memory.has(key);
  const std::span<std::uint8_t> kept =
      memory.array<std::uint8_t>(key, static_cast<std::size_t>(group.count));
  if (known) return {kept.begin(), kept.end()};
  Mask mask =
      lowest(method.score(layer, group, weights), cut_counts({group}, removal.sparsity).front());
  std::copy(mask.begin(), mask.end(), kept.begin());
  return mask;
}

}  // namespace

std::vector<double> by_unit(const std::vector<double>& columns, const UnitGroup& group) {
  std::vector<double> units(static_cast<std::size_t>(group.count));
  for (std::size_t j = 0; j < columns.size(); ++j) {
    units[j / static_cast<std::size_t>(group.reader_width())] += columns[j];
  }
  return units;
}

std::vector<double> wanda_columns(const Layer& layer) {
  const Scores scores = wanda(layer.matrix(), input_norms(*layer.inputs));
  std::vector<double> columns(static_cast<std::size_t>(layer.cols));
  for (std::size_t at = 0; at < scores.size(); ++at) columns[at % columns.size()] += scores[at];
  return columns;
}

std::vector<std::int64_t> cut_counts(const std::vector<UnitGroup>& groups, double sparsity) {
  std::vector<std::int64_t> counts;
  for (const UnitGroup& g : groups) {
    counts.push_back(std::min<std::int64_t>(g.count - 1, ceil_share(g.count, sparsity)));
  }
  return counts;
}

Shape cut_layers_shape(const Shape& before, const Removal& removal, int head_width) {
  const std::vector<UnitGroup> groups = unit_groups(*before.layout, removal, head_width);
  return cut_shape(before, groups, cut_counts(groups, removal.sparsity));
}

void cut_layers(Model& model, const Calibration* calibration, const Removal& removal,
                int head_width, State& memory, const CutMethod& method) {
  if (method.needs_inputs) require_calibration(calibration, method.name);
  const std::vector<UnitGroup> groups =
      in_order(unit_groups(*model.layout, removal, head_width), calibration);
  Vector weights = finite_weights(model);
  Units removed;
  for (const UnitGroup& group : groups) {
    InputStatistics inputs;
    if (method.needs_inputs) {
      inputs = calibration->inputs(weights, calibration->group_of(group.reader));
    }
    Layer layer = reader_of(weights, group, method.needs_inputs ? &inputs : nullptr);
    removed.push_back(choose_units(layer, group, weights, removal, memory, method));
    if (method.adjust) {
      std::vector<int> columns;
      for (int j = 0; j < layer.cols; ++j) {
        if (removed.back()[static_cast<std::size_t>(j / group.reader_width())] != 0) {
          columns.push_back(j);
        }
      }
      method.adjust(layer, columns);
      write_back(weights, group, layer);
      model.tensors[group.reader] = dense_tensor(
          layer.rows, layer.cols, std::vector<float>(layer.weights.begin(), layer.weights.end()));
    }
    silence(weights, group, removed.back());
  }
  cut(model, groups, removed);
}

}  // namespace skiff::pruning
