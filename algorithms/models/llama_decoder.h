// One text, token by token: a decoder with a cache of keys and values, for generation and for
// evaluation of a single text.
//
// The logits have the bits of Llama::predict on the whole text. Memory: 2 * kv_dim floats a layer
// and position, all at once; a token allocates nothing. One thread. The model and the weights are
// borrowed; after a change of the weights, restart().
#pragma once

#include <vector>

#include "algorithms/models/llama.h"

namespace skiff {

class LlamaDecoder {
 public:
  // At most `positions` tokens; no more than the model's max_sequence.
  LlamaDecoder(const Llama& model, Weights& weights, int positions);
  LlamaDecoder(const Llama& model, Weights& weights)
      : LlamaDecoder(model, weights, model.config().max_sequence) {}

  // Reads one token and returns the logits of the next one, valid until the next call.
  std::span<const float> step(std::int32_t token) { return read({&token, 1}); }
  // Reads several at once and returns the logits after the last of them.
  std::span<const float> read(std::span<const std::int32_t> tokens);
  // Reads several at once and calls visit(logits) after each of them.
  template <class Visit>
  void read_each(std::span<const std::int32_t> tokens, Visit visit) {
    for (const std::int32_t token : tokens) visit(step(token));
  }
  void restart() { position_ = 0; }
  int position() const { return position_; }
  int room() const { return positions_ - position_; }

 private:
  void forward(std::span<const std::int32_t> tokens);

  const Llama& model_;
  Weights& weights_;
  int positions_;
  int position_ = 0;
  int kv_dim_;
  std::vector<float> keys_, values_;  // layers x positions x kv_dim
  std::vector<float> hidden_, normed_, logits_;
  Workspace workspace_;
};

// The choice of a next token from its logits: the greatest, or a draw from softmax(logits /
// temperature) cut to the least set of likeliest tokens whose probabilities reach `top_p` (Holtzman
// et al. 2020, arXiv:1904.09751). Ties go to the lower id.
struct TokenChoice {
  double temperature = 0;  // 0: the greatest
  double top_p = 1;
};
std::int32_t choose_token(std::span<const float> logits, const TokenChoice& choice, Stream& stream);

}  // namespace skiff
