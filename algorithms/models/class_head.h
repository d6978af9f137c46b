// The end of a classifier over features: perhaps a tanh layer (BERT's pooler), a linear one, and
// the loss of losses.h, in groups of samples whose losses share one mean. Thread-safe.
#pragma once

#include <cstdint>
#include <span>

#include "algorithms/models/linear.h"

namespace skiff {

class ClassHead {
 public:
  struct Buffers {
    kernels::MatrixView pooled, d_pooled, logits;
    std::span<float> signs;
    std::span<const float*> pointers;
    Buffers first(int rows) const;
  };

  ClassHead() = default;
  ClassHead(TaskKind kind, const Linear& classifier, const Linear& pooler = {})
      : kind_(kind), classifier_(classifier), pooler_(pooler) {}

  Buffers take(const Layout& shapes, int rows, bool training, Workspace& workspace) const;
  Bytes bytes(const Layout& shapes, int rows, bool training) const;

  // features: samples x width, with any stride. The sum of the losses; d (dense): its gradient
  // times `share`.
  double loss_and_gradient(Weights& weights, kernels::ConstMatrixView features,
                           std::span<const std::int32_t> labels, float share, kernels::MatrixView d,
                           const Buffers& buffers) const;
  void evaluate(Weights& weights, kernels::ConstMatrixView features,
                std::span<const std::int32_t> labels, const Buffers& buffers,
                Evaluation& sum) const;
  void predict(Weights& weights, kernels::ConstMatrixView features, kernels::MatrixView logits,
               const Buffers& buffers) const;

  void add_cost(const Layout& shapes, std::int64_t rows, int products, StepCost& cost) const;

 private:
  template <class Visitor>
  void visit(const Layout& shapes, int rows, bool training, Buffers& buffers,
             Visitor visitor) const;

  TaskKind kind_ = TaskKind::kClassification;
  Linear classifier_, pooler_;
};

}  // namespace skiff
