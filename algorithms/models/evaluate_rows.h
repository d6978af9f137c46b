// Evaluates a model on many samples, in parallel and yet with the same bits on any number of
// threads: blocks of a fixed number of rows, summed in their order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "algorithms/models/architecture.h"

namespace skiff {

// Rows of a block: 256 samples, or as much text as makes 2,048 tokens. Part of what the sums are.
std::size_t evaluation_block(const TaskShape& task);
std::size_t evaluation_blocks(const TaskShape& task, std::size_t rows);
// The b-th block of the rows.
std::span<const std::uint32_t> evaluation_rows(const TaskShape& task,
                                               std::span<const std::uint32_t> rows, std::size_t b);

// `bind` gives each thread Weights of its own.
Evaluation evaluate_rows(const Architecture& model,
                         const std::function<std::unique_ptr<Weights>()>& bind,
                         const Samples& samples, std::span<const std::uint32_t> rows);

// Models whose logits are averaged.
struct Member {
  const Architecture* model = nullptr;
  const Vector* weights = nullptr;
};
// The mean of the members' logits, row-major: samples x outputs. Not of text.
void predict_together(std::span<const Member> members, const Batch& batch, std::span<float> logits,
                      Workspace& workspace);
Evaluation evaluate_together(std::span<const Member> members, const Samples& samples,
                             std::span<const std::uint32_t> rows);

}  // namespace skiff
