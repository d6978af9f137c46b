#include "algorithms/pruning/units.h"

#include <algorithm>
#include <stdexcept>

#include "algorithms/masked_values.h"
#include "sim/core/error.h"

namespace skiff::pruning {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

std::size_t tensor_of(const Layout& layout, const std::string& name) {
  for (std::size_t t = 0; t < layout.slices.size(); ++t) {
    if (layout.slices[t].name == name) return t;
  }
  return kNone;
}

class Finder {
 public:
  Finder(const Layout& layout, int head_width) : layout_(layout), head_width_(head_width) {}

  // Rows of NAME.weight and NAME.bias; false if there is no such layer.
  bool add_rows(UnitGroup& group, const std::string& layer, int width) const {
    const std::size_t weight = tensor_of(layout_, layer + ".weight");
    if (weight == kNone) return false;
    group.parts.push_back({weight, false, width});
    const std::size_t bias = tensor_of(layout_, layer + ".bias");
    if (bias != kNone) group.parts.push_back({bias, false, width});
    return true;
  }
  UnitGroup finish(UnitGroup group, std::size_t reader, int width) const {
    group.reader = reader;
    group.name = layer_of(layout_.slices[reader]);
    group.count = layout_.slices[reader].cols / width;
    group.parts.push_back({reader, true, width});
    for (const UnitPart& part : group.parts) {
      const Slice& s = layout_.slices[part.tensor];
      group.parameters += std::int64_t{part.width} * (part.columns ? s.rows : s.cols);
    }
    return group;
  }

  // The layers that make the channels which `reader` reads; empty if it reads none.
  UnitGroup channels(std::size_t reader) const {
    UnitGroup group;
    const std::string name = layer_of(layout_.slices[reader]);
    const auto before = [&](const std::string& end) {
      return name.substr(0, name.size() - end.size());
    };
    if (name.ends_with("mlp.down_proj")) {
      add_rows(group, before("down_proj") + "gate_proj", 1);
      add_rows(group, before("down_proj") + "up_proj", 1);
    } else if (name.ends_with(".output.dense") && !name.ends_with("attention.output.dense")) {
      add_rows(group, before("output.dense") + "intermediate.dense", 1);
    } else if (name == "output" || name.starts_with("hidden.")) {
      const std::size_t bias = tensor_of(layout_, name + ".bias");
      std::size_t last = reader;
      while (last > 0 && (last == bias || last == reader)) --last;  // the layer before ends here
      const std::string maker = last == reader ? "" : layer_of(layout_.slices[last]);
      if (maker.starts_with("hidden.")) add_rows(group, maker, 1);
    }
    return group.parts.empty() ? group : finish(std::move(group), reader, 1);
  }

  UnitGroup heads(std::size_t reader) const {
    UnitGroup group;
    const std::string name = layer_of(layout_.slices[reader]);
    std::string q, k, v;
    if (name.ends_with("self_attn.o_proj")) {
      const std::string stem = name.substr(0, name.size() - 6);
      q = stem + "q_proj", k = stem + "k_proj", v = stem + "v_proj";
    } else if (name.ends_with("attention.output.dense")) {
      const std::string stem = name.substr(0, name.size() - std::string("output.dense").size());
      const bool inner = tensor_of(layout_, stem + "attention.query.weight") != kNone;
      const std::string mid = stem + (inner ? "attention." : "self.");
      q = mid + "query", k = mid + "key", v = mid + "value";
    }
    const std::size_t keys = k.empty() ? kNone : tensor_of(layout_, k + ".weight");
    if (keys == kNone) return group;
    const int key_rows = layout_.slices[keys].rows, read = layout_.slices[reader].cols;
    if (head_width_ == 0) {
      throw std::invalid_argument("structures with heads need head_width: how many rows of " + k +
                                  " are one head");
    }
    if (key_rows % head_width_ != 0) {
      throw std::invalid_argument("head_width: " + std::to_string(head_width_) +
                                  " does not divide the " + std::to_string(key_rows) + " rows of " +
                                  k);
    }
    const int width = read / (key_rows / head_width_);
    group.heads = true;
    add_rows(group, q, width);
    add_rows(group, k, head_width_);
    add_rows(group, v, head_width_);
    return finish(std::move(group), reader, width);
  }

 private:
  const Layout& layout_;
  int head_width_;
};

// What stays of `width` x units, as indices.
std::vector<int> kept_indices(const Mask& removed, int width) {
  std::vector<int> kept;
  for (std::size_t u = 0; u < removed.size(); ++u) {
    for (int i = 0; i < width && removed[u] == 0; ++i) {
      kept.push_back(static_cast<int>(u) * width + i);
    }
  }
  return kept;
}

// What was kept of the full model's, of that what is kept now.
void compose(std::vector<int>& of_full, const std::vector<int>& kept) {
  if (of_full.empty()) {
    of_full = kept;
    return;
  }
  std::vector<int> both;
  for (const int i : kept) both.push_back(of_full[static_cast<std::size_t>(i)]);
  of_full = std::move(both);
}

StoredTensor without(const StoredTensor& tensor, const std::vector<int>& kept, bool columns) {
  const std::vector<float> all = tensor.dense();
  const int rows = columns ? tensor.rows : static_cast<int>(kept.size());
  const int cols = columns ? static_cast<int>(kept.size()) : tensor.cols;
  std::vector<float> some;
  some.reserve(static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols));
  for (int i = 0; i < rows; ++i) {
    const int row = columns ? i : kept[static_cast<std::size_t>(i)];
    for (int j = 0; j < cols; ++j) {
      const int col = columns ? kept[static_cast<std::size_t>(j)] : j;
      some.push_back(all[static_cast<std::size_t>(row) * static_cast<std::size_t>(tensor.cols) +
                         static_cast<std::size_t>(col)]);
    }
  }
  return dense_tensor(rows, cols, std::move(some));
}

// The slices anew, with the rows and columns that stand in `model`-like sizes.
LayoutPtr relaid(const Layout& layout, const std::vector<std::pair<int, int>>& sizes) {
  Layout narrow;
  for (std::size_t t = 0; t < layout.slices.size(); ++t) {
    narrow.add(layout.slices[t].name, sizes[t].first, sizes[t].second, layout.slices[t].order);
  }
  return std::make_shared<const Layout>(std::move(narrow));
}

std::vector<std::pair<int, int>> sizes_of(const Layout& layout) {
  std::vector<std::pair<int, int>> sizes;
  for (const Slice& s : layout.slices) sizes.emplace_back(s.rows, s.cols);
  return sizes;
}

}  // namespace

bool cuts_units(const std::string& structure) {
  return structure == "channel" || structure == "head" || structure == "channel-and-head";
}

std::vector<UnitGroup> unit_groups(const Layout& layout, const Removal& removal, int head_width) {
  const Finder finder(layout, head_width);
  std::vector<std::size_t> readers = removal.targets.of(layout);
  const std::size_t output = tensor_of(layout, "output.weight");  // reads hidden units, and stays
  if (removal.targets.all_linear && output != kNone) readers.push_back(output);
  std::vector<UnitGroup> groups;
  for (const std::size_t t : readers) {
    UnitGroup channels, heads;
    if (removal.structure != "head") channels = finder.channels(t);
    if (removal.structure != "channel") heads = finder.heads(t);
    for (UnitGroup* group : {&channels, &heads}) {
      if (!group->parts.empty()) groups.push_back(std::move(*group));
    }
  }
  if (groups.empty()) {
    throw std::invalid_argument("the model has no " + removal.structure +
                                " that could be cut out; take structure: unstructured");
  }
  return groups;
}

std::int64_t unit_parameters(const std::vector<UnitGroup>& groups) {
  std::int64_t all = 0;
  for (const UnitGroup& g : groups) all += g.parameters * g.count;
  return all;
}

void cut(Model& model, const std::vector<UnitGroup>& groups, const Units& removed) {
  const std::size_t n = model.tensors.size();
  model.kept_rows.resize(n);
  model.kept_cols.resize(n);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    SKIFF_CHECK(std::ssize(removed[g]) == groups[g].count, "units of another group");
    for (const UnitPart& part : groups[g].parts) {
      StoredTensor& tensor = model.tensors[part.tensor];
      if (tensor.values->format() != "dense") {
        throw std::invalid_argument("units are cut out of dense layers; " +
                                    model.layout->slices[part.tensor].name + " is compressed");
      }
      const std::vector<int> kept = kept_indices(removed[g], part.width);
      tensor = without(tensor, kept, part.columns);
      compose(part.columns ? model.kept_cols[part.tensor] : model.kept_rows[part.tensor], kept);
    }
  }
  std::vector<std::pair<int, int>> sizes;
  for (const StoredTensor& t : model.tensors) sizes.emplace_back(t.rows, t.cols);
  model.layout = relaid(*model.layout, sizes);
}

Shape cut_shape(const Shape& before, const std::vector<UnitGroup>& groups,
                const std::vector<std::int64_t>& removed) {
  std::vector<std::pair<int, int>> sizes = sizes_of(*before.layout);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    for (const UnitPart& part : groups[g].parts) {
      int& size = part.columns ? sizes[part.tensor].second : sizes[part.tensor].first;
      size -= part.width * static_cast<int>(removed[g]);
    }
  }
  Shape after = dense_shape(relaid(*before.layout, sizes));
  for (std::size_t t = 0; t < sizes.size(); ++t) {
    const Slice& s = before.layout->slices[t];
    if (sizes[t] == std::pair{s.rows, s.cols}) after = with_tensor(after, t, before.tensors[t]);
  }
  return after;
}

void silence(Vector& weights, const UnitGroup& group, const Mask& removed) {
  const Slice& s = weights.layout->slices[group.reader];
  const auto rows = static_cast<std::size_t>(s.rows), cols = static_cast<std::size_t>(s.cols);
  float* const w = weights.values.data() + s.offset;
  for (std::size_t j = 0; j < cols; ++j) {
    if (removed[j / static_cast<std::size_t>(group.reader_width())] == 0) continue;
    for (std::size_t i = 0; i < rows; ++i)
      w[s.order == Order::kInOut ? j * rows + i : i * cols + j] = 0;
  }
}

std::vector<double> unit_squares(const Vector& weights, const UnitGroup& group) {
  std::vector<double> squares(static_cast<std::size_t>(group.count));
  for (const UnitPart& part : group.parts) {
    const Slice& s = weights.layout->slices[part.tensor];
    const int inner = s.order == Order::kInOut ? s.rows : s.cols;
    for (std::size_t at = 0; at < s.size(); ++at) {
      const int slow = static_cast<int>(at) / inner, fast = static_cast<int>(at) % inner;
      const bool by_slow = (s.order == Order::kInOut) == part.columns;
      const double w = static_cast<double>(weights.values[s.offset + at]);
      squares[static_cast<std::size_t>((by_slow ? slow : fast) / part.width)] += w * w;
    }
  }
  return squares;
}

}  // namespace skiff::pruning
