// The convolutional part of a residual network for images: a 3x3 stem, then stages of basic blocks
// relu(norm(conv(relu(norm(conv(x))))) + shortcut(x)) and the mean over all pixels (He et al. 2016,
// arXiv:1512.03385, sections 3.3 and 4.2), with GroupNorm (Wu and He 2018) where the paper has
// batch normalization: the statistics of clients' batches cannot be averaged (Hsieh et al. 2020,
// arXiv:1910.00189, section 5).
//
// Slices are named as in torchvision: conv1, bn1, layer1.0.conv1, layer1.0.bn1, ...,
// layer2.0.downsample.0 and .1; "bn" holds the scale and shift of the GroupNorm. Images come
// channel-major from the data set; inside, everything is channels last.
//
// One sample goes all the way before the next: the workspace holds the maps of one sample whatever
// the batch, and the gradient of every tensor, which sums over the samples in order. Immutable,
// thread-safe.
#pragma once

#include <string>
#include <vector>

#include "algorithms/kernels/convolution.h"
#include "algorithms/models/architecture.h"

namespace skiff {

struct ResidualOptions {
  std::vector<int> widths;  // channels of each stage; all but the first halve the image
  int blocks = 1;           // of each stage
  int groups = 8;           // of the norms
};

class ResidualStages {
 public:
  // A convolution without bias and the norm behind it.
  struct Unit {
    std::size_t weight, norm, shift;
    int kernel, stride;
  };
  struct Block {
    Unit first, second, shortcut;
    bool projects = false;  // shortcut: else the identity
  };
  // Shapes of a unit in this pass, what it leaves for backward, and its gradients.
  struct Trace {
    const Unit* unit;
    kernels::Convolution shape;
    kernels::MatrixView z, y;  // pixels x channels: before the norm, and after ReLU
    std::span<float> mean, inverse;
    std::span<float> d_weight, d_norm, d_shift, flipped;
  };
  struct Buffers {
    std::span<Trace> units;  // the stem, then those of each block: first, second, (shortcut)
    std::span<float> image;
    std::span<float> map[4];    // training: three gradients; else the maps themselves
    std::span<float> residual;  // what a projecting shortcut gives
    std::span<float> scratch;   // of convolutions
    std::span<float> sums;      // of norms: 2 floats a channel
  };

  ResidualStages(const TaskShape& task, const ResidualOptions& options, Layout& layout);

  int features(const Layout& shapes) const;
  Buffers take(const Layout& shapes, bool training, Workspace& workspace) const;
  // One image to its features. Buffers of training keep the traces.
  void forward(Weights& weights, const float* image, std::span<float> features,
               const Buffers& b) const;
  // Call before the first sample of a batch; after the last one the gradients are handed over.
  void begin_backward(Weights& weights, const Buffers& b) const;
  void backward(Weights& weights, std::span<const float> d_features, const Buffers& b) const;
  void end_backward(Weights& weights, const Buffers& b) const;

  // Every tap of every output pixel counts, those on padding too.
  void add_cost(const Layout& shapes, int batch, bool training, StepCost& cost) const;

 private:
  Unit add_unit(Layout& layout, const std::string& conv, const std::string& norm, int out, int in,
                int kernel, int stride);
  template <class Body>
  void for_units(const Layout& shapes, Body body) const;
  template <class Visitor>
  void visit(const Layout& shapes, bool training, Buffers& b, Visitor visitor) const;
  std::size_t units() const;
  void apply(Weights& weights, const Trace& t, std::span<const float> x,
             std::span<const float> residual, kernels::Activation activation,
             const Buffers& b) const;
  void unit_backward(Weights& weights, const Trace& t, std::span<const float> x,
                     std::span<const float> dy, std::span<float> d, std::span<float> dx,
                     const Buffers& b) const;

  TaskShape task_;
  int groups_;
  Unit stem_;
  std::vector<Block> blocks_;
};

}  // namespace skiff
