#include "algorithms/quantization/pv_view.h"

#include "algorithms/masked_values.h"

namespace skiff {

void show_layer(const Model& model, std::size_t t, const PvLayer& layer, Vector& weights) {
  const Slice& slice = model.layout->slices[t];
  const std::span<float> to = std::span(weights.values).subspan(slice.offset, slice.size());
  const MaskedValues* mask = masked_values(model.tensors[t]);
  if (mask == nullptr) return from_row_major(slice, layer.values(), to);
  std::vector<float> all(slice.size());
  std::size_t next = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (mask->is_kept(i)) all[i] = layer.values()[next++];
  }
  from_row_major(slice, all, to);
}

std::vector<float> layer_gradient(const Model& model, std::size_t t, const Vector& gradient) {
  const Slice& slice = model.layout->slices[t];
  std::vector<float> all(slice.size());
  to_row_major(slice, std::span(gradient.values).subspan(slice.offset, slice.size()), all);
  return only_kept(model.tensors[t], std::move(all));
}

}  // namespace skiff
