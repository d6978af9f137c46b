#include "algorithms/quantization/pv_weights.h"

#include "algorithms/masked_values.h"
#include "algorithms/quantization/pv_view.h"

namespace skiff {

void PvWeights::rebind(const PvParams& params, std::shared_ptr<const Model> base,
                       const Vector& received) {
  dense_.rebind(received, base != nullptr ? base->kept : nullptr);
  base_ = std::move(base);
  mode_ = params.kind();
  rates_ = params.rates();
  layers_.clear();
  tensors_.clear();
  layer_of_.assign(received.layout->slices.size(), -1);
  if (base_ == nullptr) return;
  for (std::size_t t = 0; t < base_->tensors.size(); ++t) {
    const std::optional<TableParts> parts = table_parts(*kept_values(base_->tensors[t]));
    if (!parts) continue;
    layer_of_[t] = static_cast<int>(layers_.size());
    layers_.emplace_back(*parts);
    tensors_.push_back(t);
  }
}

void PvWeights::after_step() {
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    layers_[i].step(layer_gradient(*base_, tensors_[i], dense_.gradient()), mode_, rates_,
                    step_.child("rounding").child("layer", i));
    show_layer(*base_, tensors_[i], layers_[i], dense_.parameters());
  }
  dense_.after_step();
}

StoredValuesPtr PvWeights::stored(std::size_t tensor) const {
  const int layer = layer_of_[tensor];
  return layer < 0 ? nullptr : layers_[static_cast<std::size_t>(layer)].stored();
}

void PvWeights::update(Vector& out) const {
  dense_.update(out);
  for (const std::size_t t : tensors_) {
    const Slice& slice = base_->layout->slices[t];
    const StoredTensor& before = base_->tensors[t];
    const std::vector<float> was = before.dense(), is = with_values(before, stored(t)).dense();
    std::vector<float> change(was.size());
    for (std::size_t i = 0; i < change.size(); ++i) change[i] = is[i] - was[i];
    from_row_major(slice, change, std::span(out.values).subspan(slice.offset, slice.size()));
  }
}

}  // namespace skiff
