// What a compressor may learn of the data: samples of the server's run through the model that is
// being compressed.
//
// Layers that read the same input (q, k and v) form a group; groups are walked in the order of
// evaluation, so that a compressor sees what the layers before, already compressed, really put out.
// Sums run over blocks of samples in a fixed order: the same bits on any number of threads.
// Immutable; may be asked from one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "algorithms/models/architecture.h"
#include "algorithms/models/batch.h"

namespace skiff {

// Of the n inputs x (length `width`) that a group of linear layers read: a sample each, or a token.
struct InputStatistics {
  int width = 0;
  std::int64_t count = 0;
  std::int64_t samples = 0;  // sequences: count / samples inputs each
  std::vector<double> gram;  // width x width, row-major, symmetric: sum of x x^T
  std::vector<double> sum;   // width: sum of x

  double squared_norm(int j) const {  // of column j over all inputs
    return gram[static_cast<std::size_t>(j) * static_cast<std::size_t>(width + 1)];
  }
};

class Calibration {
 public:
  // The rows of `samples` that are used; throws std::invalid_argument if there are none.
  Calibration(const Architecture& architecture, const Samples& samples,
              std::vector<std::uint32_t> rows);

  // Tensors (indices of slices) by shared input, in the order of evaluation. Only layers that are
  // evaluated as y = x W^T + b: convolutions and embeddings are not among them.
  const std::vector<std::vector<std::size_t>>& groups() const { return groups_; }
  // The group that a tensor is in, or groups().size().
  std::size_t group_of(std::size_t tensor) const;
  // Of that group's inputs, with these weights.
  InputStatistics inputs(const Vector& weights, std::size_t group) const;

  // Mean loss over the predictions asked, without the l2 term.
  double loss(const Vector& weights) const;
  // Mean training loss, with the l2 term where the model has one, and its gradient.
  double loss_and_gradient(const Vector& weights, Vector& gradient) const;
  // The same over some of the samples: numbers below rows().
  double loss_and_gradient(const Vector& weights, std::span<const std::uint32_t> some,
                           Vector& gradient) const;

  const Architecture& architecture() const { return architecture_; }
  std::int64_t rows() const { return static_cast<std::int64_t>(rows_.size()); }

 private:
  std::vector<std::vector<std::size_t>> find_groups() const;
  double gradient_over(const Vector& weights, std::span<const std::uint32_t> rows,
                       Vector& gradient) const;

  const Architecture& architecture_;
  const Samples& samples_;
  std::vector<std::uint32_t> rows_;
  std::vector<std::vector<std::size_t>> groups_;
};

}  // namespace skiff
