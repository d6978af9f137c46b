// A subspace that the gradient of one layer is projected to, so that the dense gradient is never
// held: GRASS's rows, GaLore's singular vectors, Flora's random directions.
//
// A layer with weights W (outputs x inputs) hands over the factors of its gradient G = dy^T x. One
// of its two sides is projected, to `rank` directions:
//   Side::kRows  P^T G, rank x inputs,  P: outputs x rank; held as inputs x rank
//   Side::kCols  G P, outputs x rank,   P: inputs x rank;  held as rank x outputs
// (a slice of order kInOut either way, so that products need no turning over).
// Subspace: one layer of one job, one thread. Projection: immutable, makes them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "algorithms/kernels/gemm.h"
#include "algorithms/layer_targets.h"
#include "algorithms/state.h"
#include "sim/core/random.h"

namespace skiff {

enum class Side : std::uint8_t { kRows, kCols };

// What a layer's projection takes, from its shape alone.
struct ProjectionCost {
  std::int64_t moments = 0;      // bytes of the optimizer's state
  std::int64_t kept = 0;         // bytes of what says which subspace it is
  std::int64_t scratch = 0;      // floats, at most, one layer at a time
  double row_flops = 0;          // per input of the layer and step
  double step_flops = 0;         // per step
  double refresh_flops = 0;      // per choice of a subspace ...
  double refresh_row_flops = 0;  // ... and per input then
};

// Room that all layers of a job work in, one after the other.
class Scratch {
 public:
  // For n floats, whatever they are. Earlier room is given back first, never copied.
  std::span<float> room(std::size_t n) {
    if (floats_.size() < n) {
      floats_ = std::vector<float>();
      floats_.resize(n);
    }
    return std::span(floats_).first(n);
  }
  Bytes bytes() const { return Bytes(static_cast<std::int64_t>(floats_.capacity() * 4)); }

 private:
  std::vector<float> floats_;
};

class Subspace {
 public:
  static constexpr int kChunk = 256;  // rows of a factor worked on at once

  virtual ~Subspace() = default;
  // Chosen anew, from factors of this step's gradient.
  virtual void choose(const kernels::Rows& x, kernels::ConstMatrixView dy, Stream stream,
                      Scratch& scratch) = 0;
  // out (+)= the projection of dy^T x
  virtual void project(kernels::MatrixView out, const kernels::Rows& x, kernels::ConstMatrixView dy,
                       kernels::Output output, Scratch& scratch) = 0;
  // Moves the layer's weights, as they lie in memory, by a projected gradient.
  virtual void step(std::span<float> w, std::span<const float> g, double learning_rate,
                    State& state, Scratch& scratch) = 0;
  virtual Bytes kept() const = 0;
};

class Projection {
 public:
  virtual ~Projection() = default;
  virtual const LayerTargets& targets() const = 0;
  virtual std::int64_t refresh() const = 0;  // steps between choices
  virtual double weight_decay() const = 0;
  virtual Slice shape(const Slice& layer) const = 0;  // of what is held of the gradient
  virtual std::unique_ptr<Subspace> make(const Slice& layer) const = 0;
  // With so many inputs of the layer in a step.
  virtual ProjectionCost cost(const Slice& layer, std::int64_t rows) const = 0;
};

// The side that is smaller; of a square layer the one whose weights lie together in memory.
inline Side smaller_side(const Slice& layer) {
  if (layer.rows != layer.cols) return layer.rows < layer.cols ? Side::kRows : Side::kCols;
  return layer.order == Order::kOutIn ? Side::kRows : Side::kCols;
}
inline int length_of(const Slice& layer, Side side) {
  return side == Side::kRows ? layer.rows : layer.cols;
}
// The projected gradient of a layer.
inline Slice projected(const Slice& layer, Side side, int rank) {
  return {layer.name, side == Side::kRows ? rank : layer.rows,
          side == Side::kRows ? layer.cols : rank, 0, Order::kInOut};
}

// Rows of a factor that are worked on at once, at most: those of a dense gradient are a side's.
inline std::int64_t chunk_at_most(const Slice& layer, std::int64_t rows) {
  const std::int64_t side = std::max(layer.rows, layer.cols);
  return std::min<std::int64_t>(std::max(rows, side), Subspace::kChunk);
}
// Some rows of a factor.
inline kernels::Rows chunk_of(const kernels::Rows& x, int first, int count) {
  return {x.row + first, count, x.cols};
}
inline kernels::ConstMatrixView chunk_of(kernels::ConstMatrixView m, int first, int count) {
  return {m[first], count, m.cols, m.stride};
}

}  // namespace skiff
