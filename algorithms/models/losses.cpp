#include "algorithms/models/losses.h"

#include <algorithm>
#include <stdexcept>

#include "algorithms/kernels/reduce.h"
#include "algorithms/kernels/softmax.h"

namespace skiff {
namespace {

// One logit a row: a dense column is one span.
std::span<float> column(kernels::MatrixView m) {
  return {m.data, static_cast<std::size_t>(m.rows)};
}
std::span<const float> column(kernels::ConstMatrixView m) {
  return {m.data, static_cast<std::size_t>(m.rows)};
}

std::span<const float> signs(std::span<const std::int32_t> labels, Workspace& workspace) {
  const std::span<float> out = workspace.take<float>(labels.size());
  std::transform(labels.begin(), labels.end(), out.begin(),
                 [](std::int32_t label) { return static_cast<float>(label); });
  return out;
}

}  // namespace

int outputs_of(const TaskShape& task) {
  return task.kind == TaskKind::kBinaryLogistic ? 1 : task.classes;
}

void require_task(const TaskShape& task) {
  if (task.width < 1) throw std::invalid_argument("the samples of this task have no features");
  if (task.classes < 2) {
    throw std::invalid_argument("a classifier needs at least 2 classes; this task has " +
                                std::to_string(task.classes));
  }
}

double mean_loss(TaskKind kind, kernels::MatrixView logits, const Batch& batch,
                 Workspace& workspace) {
  if (batch.loss != nullptr) return (*batch.loss)(logits);
  const std::span<const std::int32_t> labels = batch.labels;
  const float share = 1.0F / static_cast<float>(logits.rows);
  const double sum = kind == TaskKind::kBinaryLogistic
                         ? kernels::binary_logistic(column(logits), column(logits),
                                                    signs(labels, workspace), share)
                         : kernels::softmax_cross_entropy(logits, logits, labels, share);
  return sum / logits.rows;
}

Bytes loss_bytes(TaskKind kind, int batch) {
  const auto n = static_cast<std::size_t>(batch) * sizeof(float);
  return kind == TaskKind::kBinaryLogistic
             ? Bytes(static_cast<std::int64_t>(Workspace::footprint(n)))
             : Bytes(0);
}

Evaluation evaluate_logits(TaskKind kind, kernels::ConstMatrixView logits,
                           std::span<const std::int32_t> labels, Workspace& workspace) {
  Evaluation result;
  result.rows = logits.rows;
  if (kind == TaskKind::kClassification) {
    result.correct = kernels::count_correct(logits, labels);
    result.loss = kernels::cross_entropy(logits, labels);
    return result;
  }
  const std::span<const float> y = signs(labels, workspace);
  const std::span<const float> z = column(logits);
  for (std::size_t i = 0; i < z.size(); ++i) result.correct += z[i] * y[i] > 0;
  result.loss = kernels::binary_logistic(z, y);
  return result;
}

double add_l2(Weights& weights, double strength) {
  const std::vector<float>& w = weights.parameters().values;
  kernels::axpy(weights.gradient().values, static_cast<float>(strength), w);
  return strength / 2 * kernels::squared_norm_double(w);
}

}  // namespace skiff
