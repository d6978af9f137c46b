// Samples on their way into a model: pointers into the data set, nothing is copied.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "algorithms/data/dataset.h"
#include "algorithms/kernels/gemm.h"

namespace skiff {

// What is asked of the logits of a batch instead of its labels.
class LogitLoss {
 public:
  virtual ~LogitLoss() = default;
  // The mean over the batch's samples; `logits`, samples x outputs, become its gradient.
  virtual double operator()(kernels::MatrixView logits) const = 0;
};

struct Batch {
  kernels::Rows inputs;                  // batch x width; of text: rows without columns
  std::span<const std::int32_t> labels;  // batch; 0..classes-1, or -1/+1 (binary logistic)
  std::span<const std::int32_t* const> tokens = {};  // of text: the ids of each sample
  // Null: the labels' loss. Only for models that learn logits (Architecture::learns_logits).
  const LogitLoss* loss = nullptr;

  int size() const { return inputs.rows; }
};

// Predictions asked of a batch: its samples, or the targets of its text that are not kNoToken.
std::int64_t predictions(const TaskShape& task, const Batch& batch);

// The pointers of one batch; memory is kept from one to the next.
class BatchRows {
 public:
  void gather(const Samples& samples, std::span<const std::uint32_t> rows);
  // Valid until the next gather().
  Batch batch() const {
    return {{features_.data(), static_cast<int>(labels_.size()), width_}, labels_, tokens_};
  }

 private:
  std::vector<const float*> features_;
  std::vector<const std::int32_t*> tokens_;
  std::vector<std::int32_t> labels_;
  int width_ = 0;
};

}  // namespace skiff
