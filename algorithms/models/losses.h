// The loss at the end of a network: mean cross entropy, or the binary logistic loss.
//
// kClassification: one logit a class, labels 0..classes-1, -log softmax(z)[label].
// kBinaryLogistic: one logit z, labels y in {-1, +1}, log(1 + exp(-y z)); a sample counts as
// correct if y z > 0, so z = 0 is wrong. Logits are rows x outputs, dense. The bits are those of
// kernels/softmax.h. Thread-safe.
#pragma once

#include <cstdint>
#include <span>

#include "algorithms/data/dataset.h"
#include "algorithms/kernels/matrix.h"
#include "algorithms/models/architecture.h"
#include "algorithms/models/workspace.h"
#include "sim/core/units.h"

namespace skiff {

// Logits of a task: 1 for kBinaryLogistic, else the classes.
int outputs_of(const TaskShape& task);
// Throws std::invalid_argument, in plain words, unless samples have features and the task at least
// two classes.
void require_task(const TaskShape& task);

// The mean loss over the rows; `logits` become its gradient.
double mean_loss(TaskKind kind, kernels::MatrixView logits, const Batch& batch,
                 Workspace& workspace);
// What either takes of the workspace.
Bytes loss_bytes(TaskKind kind, int batch);
// Losses and hits, summed over the rows.
Evaluation evaluate_logits(TaskKind kind, kernels::ConstMatrixView logits,
                           std::span<const std::int32_t> labels, Workspace& workspace);

// Adds strength * w to the gradient and returns (strength/2)|w|^2, over all trained parameters,
// biases included: the loss is then strength-strongly convex wherever it is convex. Call it after
// the last backward_weight; the step must not be fused.
double add_l2(Weights& weights, double strength);

}  // namespace skiff
