#include "algorithms/optimizers/projected_weights.h"

#include "algorithms/optimizer.h"
#include "algorithms/optimizers/common.h"

namespace skiff {

LayoutPtr projected_layout(const Projection& projection, const Layout& layout) {
  auto made = std::make_shared<Layout>();
  std::vector<bool> target(layout.slices.size());
  for (const std::size_t t : projection.targets().of(layout)) target[t] = true;
  for (std::size_t t = 0; t < target.size(); ++t) {
    const Slice s = target[t] ? projection.shape(layout.slices[t]) : layout.slices[t];
    made->add(s.name, s.rows, s.cols, s.order);
  }
  return made;
}

void ProjectedWeights::rebind(const Projection& projection, const Model* base,
                              const Vector& received) {
  const Layout& layout = *received.layout;
  dense_.rebind(received, base != nullptr ? base->kept : nullptr,
                projected_layout(projection, layout));
  refresh_ = projection.refresh();
  weight_decay_ = projection.weight_decay();
  steps_ = 0;
  layers_.clear();
  layers_.resize(layout.slices.size());
  for (const std::size_t t : projection.targets().of(layout)) {
    layers_[t].space = projection.make(layout.slices[t]);
  }
}

void ProjectedWeights::project(std::size_t tensor, const kernels::Rows& x,
                               kernels::ConstMatrixView dy) {
  Layer& layer = layers_[tensor];
  if (layer.chosen_at < 0 || (steps_ % refresh_ == 0 && layer.chosen_at != steps_)) {
    layer.space->choose(x, dy, stream_.child("layer", tensor), scratch_);
    layer.chosen_at = steps_;
  }
  const kernels::Output output = dense_.start_gradient(tensor);
  layer.space->project(dense_.gradient_matrix(tensor), x, dy, output, scratch_);
}

void ProjectedWeights::backward_weight(std::size_t tensor, std::size_t bias, const kernels::Rows& x,
                                       kernels::ConstMatrixView dy) {
  if (layers_[tensor].space == nullptr) return dense_.backward_weight(tensor, bias, x, dy);
  project(tensor, x, dy);
  if (bias == kNoTensor) return;
  const kernels::Output output = dense_.start_gradient(bias);
  kernels::column_sum(dense_.gradient_piece(bias), dy, output);
}

// A matrix is the product of itself and the identity, whose rows are windows of one line.
void ProjectedWeights::add_gradient(std::size_t tensor, std::span<const float> g) {
  if (layers_[tensor].space == nullptr) return dense_.add_gradient(tensor, g);
  const Slice& s = shapes().slices[tensor];
  const bool turned = s.order == Order::kInOut;
  const int n = turned ? s.cols : s.rows, other = turned ? s.rows : s.cols;
  std::vector<float> line(static_cast<std::size_t>(2 * n - 1));
  line[static_cast<std::size_t>(n - 1)] = 1;
  const kernels::ConstMatrixView identity(line.data() + n - 1, n, n, -1);
  const kernels::ConstMatrixView whole = kernels::dense(g.data(), n, other);
  std::vector<const float*> rows(static_cast<std::size_t>(n));
  for (int i = 0; i < n; ++i) rows[static_cast<std::size_t>(i)] = turned ? identity[i] : whole[i];
  project(tensor, {rows.data(), n, turned ? n : other}, turned ? whole : identity);
}

void ProjectedWeights::add_row_gradients(std::size_t tensor, std::span<const std::int32_t> ids,
                                         kernels::ConstMatrixView rows) {
  if (layers_[tensor].space == nullptr) return dense_.add_row_gradients(tensor, ids, rows);
  // By way of add_gradient: there is no dense gradient of this layer.
  Weights::add_row_gradients(tensor, ids, rows);  // NOLINT(bugprone-parent-virtual-call)
}

bool ProjectedWeights::step(const Optimizer& optimizer, double learning_rate, State& moments) {
  Vector& w = dense_.parameters();
  dense_.gradient();  // what no layer has touched is 0
  for (std::size_t t = 0; t < layers_.size(); ++t) {
    const Slice& s = w.layout->slices[t];
    const std::span<float> values = std::span(w.values).subspan(s.offset, s.size());
    if (layers_[t].space == nullptr) {
      optimizer.step(s, values, dense_.gradient_piece(t), learning_rate, moments);
      continue;
    }
    decay(values, learning_rate, weight_decay_);
    if (layers_[t].chosen_at < 0) continue;  // the loss does not depend on it
    layers_[t].space->step(values, dense_.gradient_piece(t), learning_rate, moments, scratch_);
  }
  ++steps_;
  return true;
}

Bytes ProjectedWeights::kept() const {
  Bytes sum;
  for (const Layer& layer : layers_) {
    if (layer.space != nullptr) sum += layer.space->kept();
  }
  return sum;
}

}  // namespace skiff
