#include "algorithms/models/batch.h"

#include <algorithm>

namespace skiff {

std::int64_t predictions(const TaskShape& task, const Batch& batch) {
  if (task.kind != TaskKind::kNextToken && task.kind != TaskKind::kMaskedToken) {
    return batch.size();
  }
  std::int64_t asked = 0;
  const std::ptrdiff_t length = task.sequence_length;
  for (const std::int32_t* text : batch.tokens) {
    const std::int32_t* targets = text + task.text_length() - length;
    asked += length - std::count(targets, targets + length, kNoToken);
  }
  return asked;
}

void BatchRows::gather(const Samples& samples, std::span<const std::uint32_t> rows) {
  width_ = samples.width;
  features_.resize(rows.size());
  labels_.resize(rows.size());
  tokens_.resize(samples.length > 0 ? rows.size() : 0);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    features_[i] = samples.row(static_cast<int>(rows[i]));
    labels_[i] = samples.labels[rows[i]];
  }
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    tokens_[i] = samples.text(static_cast<int>(rows[i]));
  }
}

}  // namespace skiff
