// BERT: an encoder that sees both ways, with learned positions, LayerNorm last and GELU (Devlin et
// al. 2019, arXiv:1810.04805). For masked tokens (the head: a dense layer, GELU, LayerNorm, the
// word embedding and a bias) or, for classes, the pooler's tanh of the first token and a linear
// layer.
//
// Slices are named as Hugging Face names them (bert.embeddings.word_embeddings.weight, ...). There
// is one segment: all tokens are of type 0. Differs from the paper: no dropout, and no prediction
// of the next sentence. Padding (negative ids) at the end of a text is not attended to. Cost, per
// step: as llama's; the masked-token head is counted for every position, though only those asked
// are computed. Immutable, thread-safe.
#pragma once

#include "algorithms/models/class_head.h"
#include "algorithms/models/encoder_layers.h"
#include "algorithms/models/losses.h"
#include "algorithms/models/token_head.h"

namespace skiff {

class Bert final : public Architecture {
 public:
  Bert(const TaskShape& task, const EncoderShape& shape, double l2);

  const LayoutPtr& layout() const override { return layout_; }
  const TaskShape& task() const override { return task_; }
  std::string summary() const override;
  void initialise(Vector& weights, Stream stream) const override;
  double loss_and_gradient(Weights& weights, const Batch& batch,
                           Workspace& workspace) const override;
  Evaluation evaluate(Weights& weights, const Batch& batch, Workspace& workspace) const override;
  void predict(Weights& weights, const Batch& batch, std::span<float> logits,
               Workspace& workspace) const override;
  StepCost training_cost(const Layout& shapes, int batch) const override;
  StepCost inference_cost(const Layout& shapes, int batch) const override;
  double l2() const override { return l2_; }
  bool fusable() const override { return false; }
  std::shared_ptr<const Architecture> checkpointed() const override {
    auto copy = std::make_shared<Bert>(*this);
    copy->stack_.set_checkpointing(true);
    return copy;
  }

 private:
  struct Buffers {
    std::span<std::int32_t> ids, targets, places;
    std::span<int> keys;
    kernels::MatrixView sum, inner, active, hidden, d_first;
    std::span<float> statistics, inner_statistics;
    TokenHead::Buffers token;
    ClassHead::Buffers classes;
  };
  template <class Visitor>
  void visit(const Layout& shapes, int batch, bool training, Buffers& b, Visitor visitor) const;
  Buffers take(const Layout& shapes, int batch, bool training, Workspace& workspace) const;
  Bytes bytes(const Layout& shapes, int batch, bool training) const;
  Sequences gather(const Batch& batch, const Sequences& group, int first, const Buffers& b) const;
  void embed(Weights& weights, const TransformerStack::Buffers& s, int rows,
             const Buffers& b) const;
  void embed_backward(Weights& weights, const TransformerStack::Buffers& s, int rows,
                      const Buffers& b) const;
  // The masked-token head up to the hidden rows that the vocabulary sees.
  kernels::MatrixView transform(Weights& weights, const TransformerStack::Buffers& s, int rows,
                                const Buffers& b) const;
  void transform_backward(Weights& weights, const TransformerStack::Buffers& s, int rows,
                          const Buffers& b) const;
  // The first tokens of a group's sequences.
  kernels::MatrixView firsts(kernels::MatrixView m, const Sequences& group) const {
    return {m.data, group.count, m.cols, group.length * m.cols};
  }
  bool masked() const { return task_.kind == TaskKind::kMaskedToken; }
  kernels::ConstMatrixView table(Weights& weights, std::size_t tensor) const {
    const Slice& s = weights.shapes().slices[tensor];
    return kernels::dense(weights.values(tensor).data(), s.rows, s.cols);
  }

  TaskShape task_;
  double l2_;
  LayoutPtr layout_;
  std::size_t words_, positions_, types_;
  NormLayer norm_, inner_norm_;
  Linear inner_;
  TransformerStack stack_;
  TokenHead token_;
  ClassHead classes_;
};

}  // namespace skiff
