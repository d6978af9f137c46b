// The keyboard's language model: an LSTM with coupled gates and a recurrent projection, whose
// output is compared with the same embedding that its input came from (Hard et al. 2018,
// arXiv:1811.03604; projection: Sak et al. 2014, arXiv:1402.1128).
//
//   a = W x_t + U p_{t-1} + b, cut into f, g, o (kernels/cifg.h) -> h_t;  p_t = P h_t
//   logits = E p_t, where x_t is row token_t of E
// Slices: embedding.weight (vocabulary x width), lstm.weight_ih_l0 and weight_hh_l0 (3 cells x
// width), lstm.bias_ih_l0, lstm.weight_hr_l0 (width x cells), in PyTorch's names.
//
//   preset  width  cells   parameters without the embedding
//   tiny       24     64      10,944
//   small      64    256     115,456
//   base       96    670     452,250   (1,412,250 with 10,000 words: Hard et al.)
// The paper's cell is read as projecting what recurs: only then are there its 1.4 million
// parameters. Biases start at 0, the forget gate's at 1. Sequences go through 32 at a time, time
// step by time step. Cost, per step: 2 flops a multiply-add of every product. Immutable,
// thread-safe.
#pragma once

#include "algorithms/models/token_head.h"

namespace skiff {

struct CifgShape {
  int width, cells;
};

class CifgLstm final : public Architecture {
 public:
  CifgLstm(const TaskShape& task, const CifgShape& shape, double l2);

  const LayoutPtr& layout() const override { return layout_; }
  const TaskShape& task() const override { return task_; }
  std::string summary() const override;
  void initialise(Vector& weights, Stream stream) const override;
  double loss_and_gradient(Weights& weights, const Batch& batch,
                           Workspace& workspace) const override;
  Evaluation evaluate(Weights& weights, const Batch& batch, Workspace& workspace) const override;
  void predict(Weights& weights, const Batch& batch, std::span<float> logits,
               Workspace& workspace) const override;
  StepCost training_cost(const Layout& shapes, int batch) const override {
    return cost(shapes, batch, true);
  }
  StepCost inference_cost(const Layout& shapes, int batch) const override {
    return cost(shapes, batch, false);
  }
  double l2() const override { return l2_; }
  bool fusable() const override { return false; }

 private:
  // Rows are time steps first: row t * count + i is token t of sequence i. `p` and `c` begin with
  // the zeros before the first step.
  struct Buffers {
    std::span<std::int32_t> ids, targets;
    kernels::MatrixView x, gates, p, c, t, h, recurrent, d, dh, dc;
    std::span<const float*> pointers;
    TokenHead::Buffers head;
  };
  template <class Visitor>
  void visit(const Layout& shapes, int batch, bool training, Buffers& b, Visitor visitor) const;
  Buffers take(const Layout& shapes, int batch, bool training, Workspace& workspace) const;
  StepCost cost(const Layout& shapes, int batch, bool training) const;
  static Buffers narrowed(const Buffers& b, int count, int length);
  // Calls body(buffers of the group, its sequences, the first one) after the forward pass.
  template <class Body>
  void groups(Weights& weights, const Batch& batch, const Buffers& b, Body body) const;
  void gather(const Batch& batch, int first, int count, const Buffers& b) const;
  void forward(Weights& weights, int count, const Buffers& b) const;
  void backward(Weights& weights, int count, const Buffers& b) const;
  // Outputs of all steps: p without its zeros.
  static kernels::MatrixView outputs(const Buffers& b, int count) {
    return rows_between(b.p, count, b.p.rows - count);
  }

  TaskShape task_;
  double l2_;
  LayoutPtr layout_;
  std::size_t embedding_;
  Linear input_, recurrent_, projection_;
  TokenHead head_;
};

}  // namespace skiff
