#include "algorithms/optimizers/projected_training.h"

#include <algorithm>

#include "algorithms/optimizers/projected_weights.h"
#include "algorithms/whole_training.h"

namespace skiff {
namespace {

class ProjectedTraining final : public WholeTraining {
 public:
  explicit ProjectedTraining(std::shared_ptr<const Projection> projection)
      : projection_(std::move(projection)) {}

  std::unique_ptr<Weights> bind(std::shared_ptr<const Model> base, const Vector& received, Stream,
                                std::unique_ptr<Weights> reuse) const override {
    return bound<ProjectedWeights>(std::move(reuse), [&](ProjectedWeights& weights) {
      weights.rebind(*projection_, base.get(), received);
    });
  }
  LayoutPtr update_layout(const Shape& prepared) const override {
    projection_->targets().of(*prepared.layout);  // says which layers there are not
    return prepared.layout;
  }
  // Those of a subspace say whose they are, and change over when a round chooses another.
  bool keeps_moments() const override { return true; }
  Bytes kept_moments(const Shape& prepared, const Optimizer& optimizer) const override {
    std::int64_t moments = 0;
    const Layout rest = each_target(
        *prepared.layout, [&](const Slice& s) { moments += projection_->cost(s, 0).moments; });
    return optimizer.state_bytes(rest) + Bytes(moments);
  }
  bool shows_gradient() const override { return false; }

  void cost(const Shape& prepared, const Optimizer& optimizer, Cost& cost) const override {
    const Layout& layout = *prepared.layout;
    const auto floats = [](std::size_t n) { return Bytes(static_cast<std::int64_t>(4 * n)); };
    add_weights(prepared, cost);
    cost.memory.gradients += floats(projected_layout(*projection_, layout)->size);
    Sum sum;
    const Layout rest = each_target(layout, [&](const Slice& s) { add(s, cost, sum); });
    cost.memory.optimizer_state += optimizer.state_bytes(rest) + Bytes(sum.state);
    cost.memory.scratch += Bytes(4 * sum.scratch);
    // The dense products are replaced; so is what they wrote.
    const Flops dense = std::min(Flops(sum.dense_flops), cost.weight_gradients);
    cost.fp32 = cost.fp32 - dense + Flops(sum.flops);
    cost.weight_gradients = cost.weight_gradients - dense;
    cost.dram = Bytes(std::max<std::int64_t>(0, cost.dram.value() - cost.steps * sum.unwritten));
  }

 private:
  struct Sum {
    std::int64_t state = 0, scratch = 0, unwritten = 0;
    double dense_flops = 0, flops = 0;
  };
  // Calls `visit` for all that is projected, and returns the rest.
  template <class Visit>
  Layout each_target(const Layout& layout, Visit visit) const {
    std::vector<bool> target(layout.slices.size());
    for (const std::size_t t : projection_->targets().of(layout)) target[t] = true;
    Layout rest;
    for (std::size_t t = 0; t < target.size(); ++t) {
      const Slice& s = layout.slices[t];
      if (target[t]) {
        visit(s);
      } else {
        rest.add(s.name, s.rows, s.cols, s.order);
      }
    }
    return rest;
  }
  void add(const Slice& s, const Cost& cost, Sum& sum) const {
    const ProjectionCost c = projection_->cost(s, cost.rows);
    const auto steps = static_cast<double>(cost.steps), rows = static_cast<double>(cost.rows);
    const std::int64_t choices = (cost.steps + projection_->refresh() - 1) / projection_->refresh();
    sum.state += c.moments + c.kept;
    // The other factor of a dense gradient: a line of floats and pointers to it.
    sum.scratch = std::max(sum.scratch, c.scratch + 4 * std::max(s.rows, s.cols));
    sum.unwritten += 4 * static_cast<std::int64_t>(s.size() - projection_->shape(s).size());
    sum.dense_flops += 2 * rows * steps * static_cast<double>(s.size());
    sum.flops += steps * (rows * c.row_flops + c.step_flops);
    sum.flops += static_cast<double>(choices) * (c.refresh_flops + rows * c.refresh_row_flops);
  }

  std::shared_ptr<const Projection> projection_;
};

}  // namespace

std::shared_ptr<const Parametrization> projected_training(
    std::shared_ptr<const Projection> projection) {
  return std::make_shared<const ProjectedTraining>(std::move(projection));
}

}  // namespace skiff
