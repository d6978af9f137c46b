#include "algorithms/models/llama_decoder.h"

#include <algorithm>
#include <numeric>

#include "algorithms/kernels/embedding.h"
#include "algorithms/kernels/softmax.h"
#include "algorithms/models/dense_layers.h"
#include "sim/core/error.h"

namespace skiff {

using kernels::MatrixView;

LlamaDecoder::LlamaDecoder(const Llama& model, Weights& weights, int positions)
    : model_(model),
      weights_(weights),
      positions_(positions),
      kv_dim_(model.stack_.widest(weights.shapes()).kv) {
  SKIFF_CHECK(positions >= 1 && positions <= model.config().max_sequence,
              "a decoder for " + std::to_string(positions) + " positions");
  const auto rows =
      static_cast<std::size_t>(model.config().layers) * static_cast<std::size_t>(positions);
  keys_.resize(rows * static_cast<std::size_t>(kv_dim_));
  values_.resize(keys_.size());
  logits_.resize(static_cast<std::size_t>(model.config().vocabulary));
}

// Leaves the last token's hidden row in hidden_.
void LlamaDecoder::forward(std::span<const std::int32_t> tokens) {
  const Layout& shapes = weights_.shapes();
  const int rows = static_cast<int>(tokens.size());
  SKIFF_CHECK(rows >= 1 && rows <= room(), "more tokens than this decoder has room for");
  workspace_.reset();
  const Slice& table = shapes.slices[model_.embedding_];
  const MatrixView x = take_matrix(rows, table.cols, workspace_);
  kernels::gather_rows(
      x, kernels::dense(weights_.values(model_.embedding_).data(), table.rows, table.cols), tokens);
  const TransformerBlock& first = model_.stack_.block(0);
  TransformerBlock::Trace trace{};
  const TransformerBlock::Inner room = model_.stack_.widest(shapes);
  first.take_trace(shapes, room, rows, false, trace, workspace_, true);
  const TransformerBlock::Scratch scratch =
      first.take_scratch(shapes, room, rows, position_ + rows, false, workspace_);
  trace.x = trace.y = x;
  const Sequences sequence{1, rows, position_};
  for (int l = 0; l < model_.stack_.size(); ++l) {
    const TransformerBlock& block = model_.stack_.block(l);
    const std::ptrdiff_t width = block.inner(shapes).kv;
    const std::ptrdiff_t at = std::ptrdiff_t{l} * positions_ * kv_dim_ + position_ * width;
    TransformerBlock::Trace own = block.fitted(shapes, trace);
    own.k = kernels::dense(keys_.data() + at, rows, static_cast<int>(width));
    own.v = kernels::dense(values_.data() + at, rows, static_cast<int>(width));
    block.forward(weights_, own, sequence, model_.rope_, scratch);
  }
  position_ += rows;
  hidden_.assign(x[rows - 1], x[rows - 1] + table.cols);
}

std::span<const float> LlamaDecoder::read(std::span<const std::int32_t> tokens) {
  forward(tokens);
  const int width = static_cast<int>(hidden_.size());
  normed_.resize(hidden_.size());
  float statistics[1] = {};
  const MatrixView row = kernels::dense(normed_.data(), 1, width);
  model_.norm_.forward(weights_, kernels::dense(hidden_.data(), 1, width), row, statistics);
  model_.head_.predict_row(weights_, row,
                           kernels::dense(logits_.data(), 1, model_.config().vocabulary));
  return logits_;
}

std::int32_t choose_token(std::span<const float> logits, const TokenChoice& choice,
                          Stream& stream) {
  if (choice.temperature <= 0) return kernels::argmax(logits);
  std::vector<float> p(logits.size());
  for (std::size_t i = 0; i < p.size(); ++i) {
    p[i] = static_cast<float>(static_cast<double>(logits[i]) / choice.temperature);
  }
  const MatrixView row = kernels::dense(p.data(), 1, static_cast<int>(p.size()));
  kernels::softmax(row, row);
  std::vector<std::int32_t> order(p.size());
  std::iota(order.begin(), order.end(), 0);
  const auto likelier = [&p](std::int32_t a, std::int32_t b) { return p[a] > p[b]; };
  std::stable_sort(order.begin(), order.end(), likelier);
  double reached = 0;
  std::size_t kept = 0;
  while (kept < order.size() && (kept == 0 || reached < choice.top_p)) {
    reached += static_cast<double>(p[order[kept++]]);
  }
  double left = stream.uniform() * reached;
  for (std::size_t i = 0; i + 1 < kept; ++i) {
    left -= static_cast<double>(p[order[i]]);
    if (left < 0) return order[i];
  }
  return order[kept - 1];
}

}  // namespace skiff
