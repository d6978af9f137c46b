#include "algorithms/models/evaluate_rows.h"

#include <algorithm>
#include <vector>

#include "algorithms/kernels/reduce.h"
#include "algorithms/models/full_weights.h"
#include "algorithms/models/losses.h"
#include "sim/core/parallel.h"

namespace skiff {
namespace {

Evaluation total_of(const std::vector<Evaluation>& parts) {
  Evaluation total;
  for (const Evaluation& part : parts) {
    total.rows += part.rows;
    total.correct += part.correct;
    total.loss += part.loss;
  }
  return total;
}

}  // namespace

std::size_t evaluation_block(const TaskShape& task) {
  return task.is_text() ? static_cast<std::size_t>(std::max(1, 2048 / task.sequence_length)) : 256;
}

std::size_t evaluation_blocks(const TaskShape& task, std::size_t rows) {
  const std::size_t size = evaluation_block(task);
  return (rows + size - 1) / size;
}

std::span<const std::uint32_t> evaluation_rows(const TaskShape& task,
                                               std::span<const std::uint32_t> rows, std::size_t b) {
  const std::size_t size = evaluation_block(task);
  return rows.subspan(b * size, std::min(size, rows.size() - b * size));
}

Evaluation evaluate_rows(const Architecture& model,
                         const std::function<std::unique_ptr<Weights>()>& bind,
                         const Samples& samples, std::span<const std::uint32_t> rows) {
  const std::size_t blocks = evaluation_blocks(model.task(), rows.size());
  std::vector<Evaluation> parts(blocks);
  // One Weights and one Workspace a strip of blocks; how blocks fall into strips changes no bit.
  const std::size_t strips = std::min(blocks, static_cast<std::size_t>(threads()));
  parallel_for(strips, [&](std::size_t s) {
    const std::unique_ptr<Weights> bound = bind();
    Workspace workspace;
    BatchRows part;
    for (std::size_t b = s; b < blocks; b += strips) {
      workspace.reset();
      part.gather(samples, evaluation_rows(model.task(), rows, b));
      parts[b] = model.evaluate(*bound, part.batch(), workspace);
    }
  });
  return total_of(parts);
}

void predict_together(std::span<const Member> members, const Batch& batch, std::span<float> logits,
                      Workspace& workspace) {
  std::fill(logits.begin(), logits.end(), 0.0F);
  std::vector<float> own(logits.size());
  for (const Member& m : members) {
    FullWeights weights(*m.weights);
    workspace.reset();
    m.model->predict(weights, batch, own, workspace);
    kernels::axpy(logits, 1.0F / static_cast<float>(members.size()), own);
  }
}

Evaluation evaluate_together(std::span<const Member> members, const Samples& samples,
                             std::span<const std::uint32_t> rows) {
  const TaskShape& task = members.front().model->task();
  std::vector<Evaluation> parts(evaluation_blocks(task, rows.size()));
  parallel_for(parts.size(), [&](std::size_t b) {
    Workspace workspace;
    BatchRows part;
    part.gather(samples, evaluation_rows(task, rows, b));
    const int outputs = outputs_of(task);
    std::vector<float> logits(static_cast<std::size_t>(part.batch().size() * outputs));
    predict_together(members, part.batch(), logits, workspace);
    workspace.reset();
    parts[b] =
        evaluate_logits(task.kind, kernels::dense(logits.data(), part.batch().size(), outputs),
                        part.batch().labels, workspace);
  });
  return total_of(parts);
}

}  // namespace skiff
