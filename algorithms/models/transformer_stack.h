// Blocks of a transformer one above the other, forward and backward, over groups of sequences.
//
// Several short sequences go through the blocks at once, one of 256 tokens or more alone: their
// activations then stay in the last-level cache, and memory does not grow with the batch. With
// `checkpointing` (Chen et al. 2016, arXiv:1604.06174) only the input of every block is kept, and
// each block but the last is computed again, without its last product, before its backward pass:
// the same bits. Immutable, thread-safe.
#pragma once

#include <algorithm>
#include <vector>

#include "algorithms/models/transformer_block.h"

namespace skiff {

class TransformerStack {
 public:
  static constexpr int kTokensAtOnce = 256;

  struct Buffers {
    std::span<TransformerBlock::Trace> traces;
    TransformerBlock::Scratch scratch;
    kernels::MatrixView d;  // training: the gradient by the output
    // Of a group of fewer rows than the buffers hold.
    Buffers narrowed(int rows, Workspace& workspace) const;
    kernels::MatrixView input() const { return traces.front().x; }
    kernels::MatrixView output() const { return traces.back().y; }
  };

  void add(const TransformerBlock& block) { blocks_.push_back(block); }
  void set_checkpointing(bool on) { checkpointing_ = on; }
  int size() const { return static_cast<int>(blocks_.size()); }
  // The greatest width of each kind among the blocks: what memory that they share has room for.
  TransformerBlock::Inner widest(const Layout& shapes) const;
  const TransformerBlock& block(int i) const { return blocks_[static_cast<std::size_t>(i)]; }

  // Sequences that go through at once, of a batch.
  static int group(int batch, int length) {
    return std::min(batch, std::max(1, kTokensAtOnce / length));
  }

  Buffers take(const Layout& shapes, int rows, int length, bool training,
               Workspace& workspace) const;
  // From buffers.input() to buffers.output().
  void forward(Weights& weights, const Buffers& buffers, const Sequences& sequences,
               const RopeTable& rope) const;
  // From buffers.d, by the output, to the gradient by the input, in its place.
  void backward(Weights& weights, const Buffers& buffers, const Sequences& sequences,
                const RopeTable& rope) const;

  // Of a batch of sequences, which goes through in groups.
  void add_training_cost(const Layout& shapes, int batch, int length, StepCost& cost) const;
  void add_inference_cost(const Layout& shapes, int batch, int length, StepCost& cost) const;

 private:
  std::vector<TransformerBlock> blocks_;
  bool checkpointing_ = false;
};

// The buffers of a batch, and its groups one after the other.
class StackPass {
 public:
  StackPass(const TransformerStack& stack, const Layout& shapes, int batch, int length,
            bool training, Workspace& workspace)
      : batch_(batch), length_(length), at_once_(TransformerStack::group(batch, length)) {
    buffers_ = stack.take(shapes, rows(), length, training, workspace);
    const int rest = batch % at_once_;
    if (rest != 0) narrow_ = buffers_.narrowed(rest * length, workspace);
  }
  int at_once() const { return at_once_; }
  int rows() const { return at_once_ * length_; }  // of a whole group

  // Calls body(buffers, sequences, number of the first one).
  template <class Body>
  void groups(Body body) const {
    for (int first = 0; first < batch_; first += at_once_) {
      const Sequences group{std::min(at_once_, batch_ - first), length_};
      body(group.count == at_once_ ? buffers_ : narrow_, group, first);
    }
  }

 private:
  int batch_, length_, at_once_;
  TransformerStack::Buffers buffers_, narrow_;
};

}  // namespace skiff
