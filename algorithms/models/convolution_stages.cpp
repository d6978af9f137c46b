#include "algorithms/models/convolution_stages.h"

#include <algorithm>
#include <stdexcept>

#include "algorithms/models/dense_layers.h"

namespace skiff {
namespace {

using kernels::ConstMatrixView;
using kernels::MatrixView;
using kernels::Output;
using kernels::Rows;

std::size_t count(int n) { return static_cast<std::size_t>(n); }

std::span<const float> row_of(ConstMatrixView m, int row) { return {m[row], count(m.cols)}; }
std::span<float> row_of(MatrixView m, int row) { return {m[row], count(m.cols)}; }

// What the workspace gives for n bytes, n floats.
Bytes bytes_of(std::size_t n) { return Bytes(static_cast<std::int64_t>(Workspace::footprint(n))); }
Bytes floats_bytes(std::size_t n) { return bytes_of(n * sizeof(float)); }

// The largest value of a size over the stages.
template <class Stages, class Size>
std::size_t greatest(const Stages& stages, Size size) {
  std::size_t n = 0;
  for (const auto& s : stages) n = std::max(n, size(s));
  return n;
}
constexpr auto map_floats = [](const auto& stage) { return stage.convolution.outputs(); };
constexpr auto map_places = [](const auto& stage) { return count(stage.map()); };
constexpr auto scratch_floats = [](const auto& stage) {
  return kernels::convolution_scratch(stage.convolution);
};

// Of one sample among those of a batch.
template <class T>
std::span<T> piece(std::span<T> all, int sample, std::size_t n) {
  return all.subspan(count(sample) * n, n);
}

}  // namespace

ConvolutionStages::ConvolutionStages(const TaskShape& task, const Options& options, Layout& layout)
    : task_(task), padding_(options.padding) {
  int in = task.channels;
  for (int l = 0; l < kStages; ++l) {
    const std::string name = "conv." + std::to_string(l);
    weight_[l] =
        layout.add(name + ".weight", options.channels[l], kKernel * kKernel * in, Order::kInOut);
    bias_[l] = layout.add(name + ".bias", options.channels[l], 1);
    in = options.channels[l];
  }
  for (const Stage& s : stages(layout)) {
    if (s.pooling.height >= 2 && s.pooling.width >= 2) continue;
    throw std::invalid_argument("images of " + std::to_string(task.height) + "x" +
                                std::to_string(task.image_width) +
                                " pixels are too small for this cnn");
  }
}

ConvolutionStages::Stages ConvolutionStages::stages(const Layout& shapes) const {
  Stages all;
  int height = task_.height, width = task_.image_width, in = task_.channels;
  for (int l = 0; l < kStages; ++l) {
    const int out = shapes.slices[weight_[l]].rows;
    const kernels::Convolution c{height, width, in, out, kKernel, padding_};
    all[l] = {weight_[l], bias_[l], c, {c.out_height(), c.out_width(), out}};
    height = c.out_height() / 2;
    width = c.out_width() / 2;
    in = out;
  }
  return all;
}

int ConvolutionStages::features(const Layout& shapes) const { return stages(shapes).back().map(); }

ConvolutionStages::Buffers ConvolutionStages::take_buffers(const Stages& stages,
                                                           Workspace& workspace) const {
  Buffers b;
  if (task_.channels > 1) b.image = workspace.take<float>(count(task_.width));
  b.map = workspace.take<float>(greatest(stages, map_floats));
  b.pooled = workspace.take<float>(count(stages[0].map()));
  b.scratch = workspace.take<float>(greatest(stages, scratch_floats));
  return b;
}

Bytes ConvolutionStages::buffer_bytes(const Stages& stages) const {
  const Bytes image = task_.channels > 1 ? floats_bytes(count(task_.width)) : Bytes(0);
  return image + floats_bytes(greatest(stages, map_floats)) + floats_bytes(count(stages[0].map())) +
         floats_bytes(greatest(stages, scratch_floats));
}

std::span<const float> ConvolutionStages::image(const Rows& images, int sample,
                                                const Buffers& b) const {
  const std::span<const float> given(images[sample], count(task_.width));
  if (task_.channels == 1) return given;
  const int pixels = task_.height * task_.image_width;
  kernels::transpose(kernels::dense(b.image.data(), pixels, task_.channels),
                     kernels::dense(given.data(), task_.channels, pixels));
  return b.image;
}

ConvolutionStages::Trace ConvolutionStages::forward(Weights& weights, const Rows& images,
                                                    Workspace& workspace) const {
  const Stages all = stages(weights.shapes());
  Trace trace;
  for (int l = 0; l < kStages; ++l) {
    trace.pooled[l] = take_matrix(images.rows, all[l].map(), workspace);
    trace.winners[l] = workspace.take<std::uint8_t>(count(images.rows) * count(all[l].map()));
  }
  trace.buffers = take_buffers(all, workspace);
  const Buffers& b = trace.buffers;
  for (int sample = 0; sample < images.rows; ++sample) {
    std::span<const float> x = image(images, sample, b);
    for (int l = 0; l < kStages; ++l) {
      const Stage& s = all[l];
      const std::span<float> pooled = row_of(trace.pooled[l], sample);
      kernels::convolution_forward(b.map, x, weights.values(s.weight), weights.values(s.bias),
                                   s.convolution, b.scratch);
      kernels::max_pool(pooled, piece(trace.winners[l], sample, pooled.size()), b.map, s.pooling,
                        Activation::kRelu);
      x = pooled;
    }
  }
  return trace;
}

void ConvolutionStages::predict(Weights& weights, const Rows& images, MatrixView features,
                                Workspace& workspace) const {
  const Stages all = stages(weights.shapes());
  const Buffers b = take_buffers(all, workspace);
  const std::span<std::uint8_t> winners = workspace.take<std::uint8_t>(greatest(all, map_places));
  for (int sample = 0; sample < images.rows; ++sample) {
    std::span<const float> x = image(images, sample, b);
    for (int l = 0; l < kStages; ++l) {
      const Stage& s = all[l];
      const std::span<float> pooled = l + 1 < kStages ? b.pooled : row_of(features, sample);
      kernels::convolution_forward(b.map, x, weights.values(s.weight), weights.values(s.bias),
                                   s.convolution, b.scratch);
      kernels::max_pool(pooled, winners, b.map, s.pooling, Activation::kRelu);
      x = pooled;
    }
  }
}

void ConvolutionStages::backward_sample(const Stages& stages, const Rows& images,
                                        const Trace& trace, std::span<const float> d_features,
                                        const AllGradients& gradients, int sample) const {
  const Output output = sample == 0 ? Output::kOverwrite : Output::kAdd;
  const Buffers& b = trace.buffers;
  std::span<const float> d_pooled = d_features;
  for (int l = kStages - 1; l >= 0; --l) {
    const Stage& s = stages[l];
    const std::span<const float> pooled = row_of(ConstMatrixView(trace.pooled[l]), sample);
    kernels::max_unpool_relu(b.map, d_pooled, piece(trace.winners[l], sample, pooled.size()),
                             pooled, s.pooling);
    const std::span<const float> x =
        l == 0 ? image(images, sample, b) : row_of(ConstMatrixView(trace.pooled[l - 1]), sample);
    kernels::convolution_weight_gradient(gradients[l].weight, x, b.map, s.convolution, b.scratch,
                                         output);
    const int pixels = s.pooling.height * s.pooling.width;
    kernels::column_sum(gradients[l].bias, kernels::dense(b.map.data(), pixels, s.convolution.out),
                        output);
    if (l == 0) break;
    kernels::convolution_input_gradient(b.pooled, b.map, gradients[l].flipped, s.convolution,
                                        b.scratch);
    d_pooled = b.pooled;
  }
}

void ConvolutionStages::backward(Weights& weights, const Rows& images, const Trace& trace,
                                 ConstMatrixView d_features, Workspace& workspace) const {
  const Stages all = stages(weights.shapes());
  AllGradients gradients;
  for (int l = 0; l < kStages; ++l) {
    const kernels::Convolution& c = all[l].convolution;
    gradients[l].weight = workspace.take<float>(c.weights());
    gradients[l].bias = workspace.take<float>(count(c.out));
    if (l == 0) continue;
    gradients[l].flipped = workspace.take<float>(c.weights());
    kernels::convolution_flip(gradients[l].flipped, weights.values(all[l].weight), c);
  }
  for (int sample = 0; sample < images.rows; ++sample) {
    backward_sample(all, images, trace, row_of(d_features, sample), gradients, sample);
  }
  for (int l = 0; l < kStages; ++l) {
    weights.add_gradient(all[l].weight, gradients[l].weight);
    weights.add_gradient(all[l].bias, gradients[l].bias);
  }
}

void ConvolutionStages::add_training_cost(const Layout& shapes, int batch, StepCost& cost) const {
  const Stages all = stages(shapes);
  for (int l = 0; l < kStages; ++l) {
    const kernels::Convolution& c = all[l].convolution;
    const int products = l == 0 ? 2 : 3;
    const auto pixels = static_cast<double>(c.out_height() * c.out_width());
    cost.flops += Flops(2.0 * products * batch * pixels * static_cast<double>(c.weights()));
    const auto moved = static_cast<std::int64_t>(c.weights()) +
                       batch * static_cast<std::int64_t>(c.inputs() + c.outputs());
    cost.dram += Bytes(4 * products * moved);
    cost.activations += matrix_bytes(batch, all[l].map());
    cost.activations += bytes_of(count(batch) * count(all[l].map()));
    cost.activations += floats_bytes(c.weights()) * (products - 1);
    cost.activations += floats_bytes(count(c.out));
  }
  cost.activations += buffer_bytes(all);
}

void ConvolutionStages::add_inference_cost(const Layout& shapes, int batch, StepCost& cost) const {
  const Stages all = stages(shapes);
  for (const Stage& s : all) {
    const kernels::Convolution& c = s.convolution;
    const auto pixels = static_cast<double>(c.out_height() * c.out_width());
    cost.flops += Flops(2.0 * batch * pixels * static_cast<double>(c.weights()));
    cost.dram += Bytes(4 * (static_cast<std::int64_t>(c.weights()) +
                            batch * static_cast<std::int64_t>(c.inputs() + c.outputs())));
  }
  cost.activations += buffer_bytes(all) + bytes_of(greatest(all, map_places));
}

}  // namespace skiff
