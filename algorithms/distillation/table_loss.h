// Losses against what others answered: a table of logits, samples x outputs, of which each batch
// takes the rows of its samples.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "algorithms/kernels/matrix.h"
#include "algorithms/models/losses.h"

namespace skiff::distillation {

class TableLoss : public LogitLoss {
 public:
  TableLoss(std::span<const float> table, int outputs) : table_(table), outputs_(outputs) {}

  // Itself, of the next batch: these rows of the table.
  const LogitLoss& at(std::span<const std::size_t> rows) {
    const auto width = static_cast<std::size_t>(outputs_);
    chosen_.clear();
    for (const std::size_t r : rows) {
      const std::span<const float> row = table_.subspan(r * width, width);
      chosen_.insert(chosen_.end(), row.begin(), row.end());
    }
    return *this;
  }

 protected:
  kernels::ConstMatrixView target() const {
    const auto rows = chosen_.size() / static_cast<std::size_t>(outputs_);
    return kernels::dense(chosen_.data(), static_cast<int>(rows), outputs_);
  }

 private:
  std::span<const float> table_;
  int outputs_;
  std::vector<float> chosen_;
};

}  // namespace skiff::distillation
