#include "algorithms/models/residual_stages.h"

#include <algorithm>

#include "algorithms/kernels/group_norm.h"
#include "algorithms/kernels/reduce.h"
#include "algorithms/models/memory_plan.h"

namespace skiff {
namespace {

using kernels::Convolution;
using kernels::MatrixView;

constexpr float kEpsilon = 1e-5F;

enum class Part { kStem, kFirst, kSecond, kShortcut };

std::size_t count(int n) { return static_cast<std::size_t>(n); }

MatrixView as_map(std::span<float> values, const Convolution& shape) {
  return kernels::dense(values.data(), shape.out_height() * shape.out_width(), shape.out);
}

// d = 0 where the ReLU's output is not positive.
void mask(std::span<float> d, std::span<const float> y) {
  for (std::size_t i = 0; i < y.size(); ++i) d[i] = y[i] > 0.0F ? d[i] : 0.0F;
}

}  // namespace

ResidualStages::ResidualStages(const TaskShape& task, const ResidualOptions& options,
                               Layout& layout)
    : task_(task), groups_(options.groups) {
  int in = options.widths.front();
  stem_ = add_unit(layout, "conv1", "bn1", in, task.channels, 3, 1);
  for (std::size_t stage = 0; stage < options.widths.size(); ++stage) {
    const int out = options.widths[stage];
    for (int i = 0; i < options.blocks; ++i, in = out) {
      const std::string p = "layer" + std::to_string(stage + 1) + "." + std::to_string(i) + ".";
      const int stride = stage > 0 && i == 0 ? 2 : 1;
      Block block;
      block.first = add_unit(layout, p + "conv1", p + "bn1", out, in, 3, stride);
      block.second = add_unit(layout, p + "conv2", p + "bn2", out, out, 3, 1);
      block.projects = stride > 1 || in != out;
      if (block.projects) {
        block.shortcut =
            add_unit(layout, p + "downsample.0", p + "downsample.1", out, in, 1, stride);
      }
      blocks_.push_back(block);
    }
  }
}

ResidualStages::Unit ResidualStages::add_unit(Layout& layout, const std::string& conv,
                                              const std::string& norm, int out, int in, int kernel,
                                              int stride) {
  Unit unit{.weight = layout.add(conv + ".weight", out, kernel * kernel * in, Order::kInOut),
            .norm = layout.add(norm + ".weight", out, 1),
            .shift = layout.add(norm + ".bias", out, 1),
            .kernel = kernel,
            .stride = stride};
  return unit;
}

std::size_t ResidualStages::units() const {
  std::size_t n = 1;
  for (const Block& b : blocks_) n += b.projects ? 3 : 2;
  return n;
}

// Calls body(unit, its shape, which part of a block it is) in the order of the traces.
template <class Body>
void ResidualStages::for_units(const Layout& shapes, Body body) const {
  int height = task_.height, width = task_.image_width, in = task_.channels;
  const auto visit = [&](const Unit& u, int channels, int out_height, int out_width, Part part) {
    const Convolution shape{out_height, out_width,
                            channels,   shapes.slices[u.weight].rows,
                            u.kernel,   kernels::Padding::kSame,
                            u.stride};
    body(u, shape, part);
    return shape;
  };
  in = visit(stem_, in, height, width, Part::kStem).out;
  for (const Block& b : blocks_) {
    const Convolution first = visit(b.first, in, height, width, Part::kFirst);
    const Convolution second =
        visit(b.second, first.out, first.out_height(), first.out_width(), Part::kSecond);
    if (b.projects) visit(b.shortcut, in, height, width, Part::kShortcut);
    height = second.out_height(), width = second.out_width(), in = second.out;
  }
}

template <class Visitor>
void ResidualStages::visit(const Layout& shapes, bool training, Buffers& b, Visitor visitor) const {
  visitor.array(b.units, units());
  std::size_t u = 0, map = 0, residual = 0, scratch = 0, channels = 0;
  for_units(shapes, [&](const Unit& unit, const Convolution& shape, Part part) {
    Trace t{};
    t.unit = &unit;
    t.shape = shape;
    const int pixels = shape.out_height() * shape.out_width();
    if (training) {
      visitor.matrix(t.z, pixels, shape.out);
      if (part != Part::kShortcut) visitor.matrix(t.y, pixels, shape.out);
      for (auto* d : {&t.d_norm, &t.d_shift}) visitor.array(*d, count(shape.out));
      visitor.array(t.d_weight, shape.weights());
      if (part != Part::kStem) visitor.array(t.flipped, shape.weights());
    }
    for (auto* moment : {&t.mean, &t.inverse}) visitor.array(*moment, count(shape.out));
    if (!b.units.empty()) b.units[u++] = t;
    map = std::max({map, shape.outputs(), part == Part::kStem ? 0 : shape.inputs()});
    if (part == Part::kShortcut) residual = std::max(residual, shape.outputs());
    scratch = std::max(scratch, kernels::convolution_scratch(shape));
    channels = std::max(channels, count(shape.out));
  });
  visitor.array(b.image, count(task_.width));
  for (int m = 0; m < (training ? 3 : 4); ++m) visitor.array(b.map[m], map);
  visitor.array(b.residual, residual);
  visitor.array(b.scratch, scratch);
  if (training) visitor.array(b.sums, 2 * channels);
}

ResidualStages::Buffers ResidualStages::take(const Layout& shapes, bool training,
                                             Workspace& workspace) const {
  Buffers b{};
  visit(shapes, training, b, MemoryTaker{workspace});
  if (training) return b;
  // Maps change places: the output of a block, that of the next one, what is between; and z.
  int input = 0;
  std::size_t u = 0;
  for_units(shapes, [&](const Unit&, const Convolution& shape, Part part) {
    Trace& t = b.units[u++];
    t.z = as_map(b.map[3], shape);
    if (part == Part::kSecond) input = 1 - input;
    t.y = as_map(b.map[part == Part::kFirst ? 2 : input], shape);
  });
  return b;
}

int ResidualStages::features(const Layout& shapes) const {
  return shapes.slices[blocks_.back().second.weight].rows;
}

void ResidualStages::apply(Weights& weights, const Trace& t, std::span<const float> x,
                           std::span<const float> residual, kernels::Activation activation,
                           const Buffers& b) const {
  kernels::convolution_forward(values_of(t.z), x, weights.values(t.unit->weight), {}, t.shape,
                               b.scratch);
  const MatrixView y = t.unit->kernel == 1 ? as_map(b.residual, t.shape) : t.y;
  kernels::group_norm(y, {t.mean, t.inverse}, t.z, weights.values(t.unit->norm),
                      weights.values(t.unit->shift), groups_, kEpsilon, residual, activation);
}

void ResidualStages::forward(Weights& weights, const float* image, std::span<float> features,
                             const Buffers& b) const {
  const int pixels = task_.height * task_.image_width;
  kernels::transpose(kernels::dense(b.image.data(), pixels, task_.channels),
                     kernels::dense(image, task_.channels, pixels));
  const Trace* t = b.units.data();
  apply(weights, *t, b.image, {}, kernels::Activation::kRelu, b);
  MatrixView x = t->y;
  ++t;
  for (const Block& block : blocks_) {
    std::span<const float> shortcut = values_of(x);
    if (block.projects) {
      apply(weights, t[2], values_of(x), {}, kernels::Activation::kNone, b);
      shortcut = values_of(as_map(b.residual, t[2].shape));
    }
    apply(weights, t[0], values_of(x), {}, kernels::Activation::kRelu, b);
    apply(weights, t[1], values_of(t[0].y), shortcut, kernels::Activation::kRelu, b);
    x = t[1].y;
    t += block.projects ? 3 : 2;
  }
  kernels::column_sum(features, x);
  kernels::scale(features, 1.0F / static_cast<float>(x.rows), features);
}

void ResidualStages::begin_backward(Weights& weights, const Buffers& b) const {
  for (const Trace& t : b.units) {
    for (const std::span<float> d : {t.d_weight, t.d_norm, t.d_shift}) {
      std::fill(d.begin(), d.end(), 0.0F);
    }
    if (!t.flipped.empty()) {
      kernels::convolution_flip(t.flipped, weights.values(t.unit->weight), t.shape);
    }
  }
}

void ResidualStages::end_backward(Weights& weights, const Buffers& b) const {
  for (const Trace& t : b.units) {
    weights.add_gradient(t.unit->weight, t.d_weight);
    weights.add_gradient(t.unit->norm, t.d_norm);
    weights.add_gradient(t.unit->shift, t.d_shift);
  }
}

// From dy, by the norm's output, through `d` (may be dy), by the convolution's, to all gradients
// of the unit and that of its input, if it is wanted.
void ResidualStages::unit_backward(Weights& weights, const Trace& t, std::span<const float> x,
                                   std::span<const float> dy, std::span<float> d,
                                   std::span<float> dx, const Buffers& b) const {
  const int pixels = t.z.rows;
  kernels::group_norm_backward(as_map(d, t.shape), t.d_norm, t.d_shift,
                               kernels::dense(dy.data(), pixels, t.shape.out), t.z,
                               {t.mean, t.inverse}, weights.values(t.unit->norm), groups_, b.sums);
  kernels::convolution_weight_gradient(t.d_weight, x, d, t.shape, b.scratch, kernels::Output::kAdd);
  if (!dx.empty()) {
    kernels::convolution_input_gradient(dx, d, t.flipped, t.shape, b.scratch);
  }
}

void ResidualStages::backward(Weights& weights, std::span<const float> d_features,
                              const Buffers& b) const {
  std::span<float> d = b.map[0], other = b.map[1], between = b.map[2];
  const Trace* t = b.units.data() + b.units.size();
  const MatrixView last = as_map(d, t[blocks_.back().projects ? -2 : -1].shape);
  const float share = 1.0F / static_cast<float>(last.rows);
  for (int p = 0; p < last.rows; ++p) {
    kernels::scale({last[p], d_features.size()}, share, d_features);
  }
  for (auto block = blocks_.rbegin(); block != blocks_.rend(); ++block) {
    t -= block->projects ? 3 : 2;
    const Trace& before =
        block + 1 == blocks_.rend() ? b.units[0] : t[(block + 1)->projects ? -2 : -1];
    const std::span<const float> x = values_of(before.y), middle = values_of(t[0].y);
    mask(d, values_of(t[1].y));
    unit_backward(weights, t[1], middle, d, other, between, b);
    mask(between, middle);
    unit_backward(weights, t[0], x, between, between, other, b);
    std::span<float> through = d;
    if (block->projects) {
      unit_backward(weights, t[2], x, d, d, between, b);
      through = between;
    }
    kernels::add(other.first(x.size()), other.first(x.size()), through.first(x.size()));
    std::swap(d, other);
  }
  mask(d, values_of(b.units[0].y));
  unit_backward(weights, b.units[0], b.image, d, d, {}, b);
}

void ResidualStages::add_cost(const Layout& shapes, int batch, bool training,
                              StepCost& cost) const {
  Buffers none{};
  visit(shapes, training, none, MemoryCounter{cost.activations});
  for_units(shapes, [&](const Unit&, const Convolution& shape, Part part) {
    const int products = !training ? 1 : part == Part::kStem ? 2 : 3;
    const auto pixels = static_cast<double>(shape.out_height() * shape.out_width());
    cost.flops += Flops(2.0 * products * batch * pixels * static_cast<double>(shape.weights()));
    const auto moved = static_cast<std::int64_t>(shape.weights()) +
                       batch * static_cast<std::int64_t>(shape.inputs() + shape.outputs());
    cost.dram += Bytes(4 * products * moved);
  });
}

}  // namespace skiff
