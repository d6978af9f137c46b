// The seam between layers and parametrizations: one object a client job, single-threaded.
//
// A layer never touches a weight: it asks for y = x W^T + b, dx = dy W and hands over the two
// factors of the weight gradient (x and dy), so that low-rank, row-sparse and masked training never
// form a dense gradient, and a packed or rotated forward needs no special layer. Tensors are
// indices into shapes().slices.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "algorithms/kernels/gemm.h"
#include "algorithms/models/layout.h"
#include "sim/core/random.h"

namespace skiff {

class Optimizer;
class State;
using kernels::Activation;
inline constexpr std::size_t kNoTensor = static_cast<std::size_t>(-1);

class Weights {
 public:
  virtual ~Weights() = default;

  // What layers read their widths from, never from the architecture.
  virtual const Layout& shapes() const = 0;

  // y = activation(x W^T + b); x: batch x inputs (row pointers), y: batch x outputs.
  // bias: index of the bias slice or kNoTensor.
  virtual void forward(std::size_t tensor, std::size_t bias, Activation activation,
                       const kernels::Rows& x, kernels::MatrixView y) = 0;
  // dx = dy W, then zero where mask <= 0 (mask: the layer's input after ReLU; rows 0 = no mask).
  // Must be called before backward_weight of the same tensor (an update may be fused there).
  virtual void backward_input(std::size_t tensor, kernels::ConstMatrixView dy,
                              kernels::ConstMatrixView mask, kernels::MatrixView dx) = 0;
  // Adds the pull-back of dW = dy^T x and db = column sums of dy to gradient(), or, after
  // fuse_sgd, moves the parameters at once.
  virtual void backward_weight(std::size_t tensor, std::size_t bias, const kernels::Rows& x,
                               kernels::ConstMatrixView dy) = 0;
  // The dense values of a tensor (convolution kernels, norms, embeddings); empty if this
  // parametrization does not hold it densely.
  virtual std::span<const float> values(std::size_t tensor) const = 0;
  // A dense gradient for tensors used through values(): gradient(tensor) += g, or the fused step.
  virtual void add_gradient(std::size_t tensor, std::span<const float> g) = 0;
  // The same for some rows of a tensor stored kOutIn (an embedding): that of row ids[i] += rows[i],
  // i ascending; a negative id stands for 0. Here by way of a dense gradient.
  virtual void add_row_gradients(std::size_t tensor, std::span<const std::int32_t> ids,
                                 kernels::ConstMatrixView rows);

  // What the optimizer moves, and its gradient: of the same layout, unless step() is overridden.
  virtual Vector& parameters() = 0;
  virtual Vector& gradient() = 0;
  virtual void clear_gradient() = 0;

  // Asks that backward_weight does w = fma(-learning_rate, g, w) itself: the same bits as the
  // unfused plain SGD step, faster. False: not offered. Zero switches it off.
  virtual bool fuse_sgd(float /*learning_rate*/) { return false; }

  // The gradient of a step is whole; the parameters have made it. For what must be kept at 0 or
  // moved by rules of its own (masks, codes). Not called for fused steps.
  virtual void after_gradient() {}
  virtual void after_step() {}

  // Moves all parameters by gradient(), where the optimizer alone cannot (the gradient is of a
  // subspace); `moments` are the optimizer's. False: not offered.
  virtual bool step(const Optimizer&, double /*learning_rate*/, State& /*moments*/) {
    return false;
  }
  // Fills gradient() from losses of forward passes alone and returns the loss, instead of a
  // backward pass. Only where forward_only().
  virtual bool forward_only() const { return false; }
  virtual double probe(const std::function<double()>& loss) { return loss(); }

  // The tensor's parameters are moved by after_step(), not by the optimizer.
  virtual bool moves_itself(std::size_t /*tensor*/) const { return false; }

  // A step of training begins: what is drawn in it (dropout) comes from here.
  virtual void begin_step(Stream /*step*/) {}

  // Change of the parameters since bind(), in the layout of the update.
  virtual void update(Vector& out) const = 0;
};

}  // namespace skiff
