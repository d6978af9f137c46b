// The loss over a vocabulary: logits of a few rows at a time, never of all.
//
// Rows whose target is kNoToken are left out before the product. A chunk holds about 2^20 logits
// (32 to 256 rows, by the vocabulary alone); chunks change no bit. Thread-safe.
#pragma once

#include <cstdint>
#include <span>

#include "algorithms/models/linear.h"

namespace skiff {

class TokenHead {
 public:
  struct Buffers {
    kernels::MatrixView logits, asked, d_asked;
    std::span<std::int32_t> targets;
    std::span<int> places;  // of the rows of a chunk among all
    std::span<const float*> pointers;
  };

  TokenHead() = default;
  explicit TokenHead(const Linear& layer) : layer_(layer) {}

  Buffers take(const Layout& shapes, bool training, Workspace& workspace) const;
  Bytes bytes(const Layout& shapes, bool training) const;
  // The sum of the losses; d: its gradient by `hidden` times `share`. targets: one a row.
  double loss_and_gradient(Weights& weights, kernels::ConstMatrixView hidden,
                           std::span<const std::int32_t> targets, float share,
                           kernels::MatrixView d, const Buffers& buffers) const;
  void evaluate(Weights& weights, kernels::ConstMatrixView hidden,
                std::span<const std::int32_t> targets, const Buffers& buffers,
                Evaluation& sum) const;
  // All logits.
  void predict(Weights& weights, kernels::ConstMatrixView hidden, kernels::MatrixView logits,
               const Buffers& buffers) const;
  // Of one row, without buffers.
  void predict_row(Weights& weights, kernels::ConstMatrixView hidden,
                   kernels::MatrixView logits) const {
    const float* row = hidden[0];
    layer_.forward(weights, {&row, 1, hidden.cols}, logits);
  }

  // If every row is asked for.
  void add_cost(const Layout& shapes, std::int64_t rows, int products, StepCost& cost) const;

 private:
  // Fills a chunk from row `first` on; returns the rows taken, and moves `first` behind them.
  int gather(kernels::ConstMatrixView hidden, std::span<const std::int32_t> targets, int& first,
             const Buffers& buffers) const;
  Linear layer_;
};

}  // namespace skiff
