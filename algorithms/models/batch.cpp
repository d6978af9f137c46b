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
  features_.clear();
  tokens_.clear();
  labels_.clear();
  for (const std::uint32_t row : rows) {
    const auto i = static_cast<int>(row);
    features_.push_back(samples.row(i));
    if (samples.length > 0) tokens_.push_back(samples.text(i));
    labels_.push_back(samples.labels[row]);
  }
}

}  // namespace skiff
