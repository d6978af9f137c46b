// The convolutional front of a cnn: stages of convolution, 2 x 2 max pooling and ReLU.
//
// Images come channel-major (channels, height, width) from the data set; inside, everything is
// channels last, and features leave as (height, width, channels), batch x features. Samples go
// through one at a time: a forward pass keeps the pooled maps and the winners' places (all that the
// backward pass needs), never the maps before pooling. Gradients sum over the samples in order.
// ReLU stands behind the pooling, which gives the same values. Immutable, thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "algorithms/kernels/convolution.h"
#include "algorithms/kernels/pooling.h"
#include "algorithms/models/architecture.h"

namespace skiff {

class ConvolutionStages {
 public:
  static constexpr int kStages = 2;
  static constexpr int kKernel = 5;

  struct Options {
    std::array<int, kStages> channels;
    kernels::Padding padding;
  };
  struct Buffers {             // of one sample on its way
    std::span<float> image;    // channels last
    std::span<float> map;      // of a convolution before pooling, or its gradient
    std::span<float> pooled;   // between the stages, or its gradient
    std::span<float> scratch;  // of the kernels
  };
  struct Trace {
    std::array<kernels::MatrixView, kStages> pooled;  // batch x map, after ReLU; the last: features
    std::array<std::span<std::uint8_t>, kStages> winners;
    Buffers buffers;
  };

  // Appends conv.0.weight, conv.0.bias, ... to the layout: rows = channels out, cols = (ky, kx,
  // channels in), kInOut. Throws std::invalid_argument if the images are too small.
  ConvolutionStages(const TaskShape& task, const Options& options, Layout& layout);

  int features(const Layout& shapes) const;
  Trace forward(Weights& weights, const kernels::Rows& images, Workspace& workspace) const;
  // Features alone, batch x features().
  void predict(Weights& weights, const kernels::Rows& images, kernels::MatrixView features,
               Workspace& workspace) const;
  void backward(Weights& weights, const kernels::Rows& images, const Trace& trace,
                kernels::ConstMatrixView d_features, Workspace& workspace) const;

  // A convolution counts every tap of every output pixel, those on padding too.
  void add_training_cost(const Layout& shapes, int batch, StepCost& cost) const;
  void add_inference_cost(const Layout& shapes, int batch, StepCost& cost) const;

 private:
  struct Stage {
    std::size_t weight, bias;
    kernels::Convolution convolution;
    kernels::Pooling pooling;
    int map() const { return pooling.height / 2 * (pooling.width / 2) * pooling.channels; }
  };
  using Stages = std::array<Stage, kStages>;
  struct Gradients {  // of one stage, summed over the batch
    std::span<float> weight, bias;
    std::span<float> flipped;  // the weights as the input gradient reads them; not of stage 0
  };
  using AllGradients = std::array<Gradients, kStages>;

  Stages stages(const Layout& shapes) const;
  // The image with channels last: itself if it has one channel.
  std::span<const float> image(const kernels::Rows& images, int sample, const Buffers& b) const;
  Buffers take_buffers(const Stages& stages, Workspace& workspace) const;
  Bytes buffer_bytes(const Stages& stages) const;
  void backward_sample(const Stages& stages, const kernels::Rows& images, const Trace& trace,
                       std::span<const float> d_features, const AllGradients& gradients,
                       int sample) const;

  TaskShape task_;
  kernels::Padding padding_;
  std::array<std::size_t, kStages> weight_{}, bias_{};
};

}  // namespace skiff
