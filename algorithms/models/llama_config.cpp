#include "algorithms/models/llama_config.h"

#include <cstdint>
#include <limits>
#include <stdexcept>
#include <utility>

namespace skiff {
namespace {

void require(bool good, const std::string& reason) {
  if (!good) throw std::invalid_argument(reason);
}

void require_matrix(std::int64_t rows, std::int64_t cols, const std::string& name) {
  require(rows <= std::numeric_limits<std::int32_t>::max() / cols,
          name + " of " + std::to_string(rows) + " x " + std::to_string(cols) + " is too large");
}

// Cosines of a rotary table, and as many sines: 64 MiB each, twice what 131,072 positions of heads
// of width 128 take. A configuration can ask for far more than its file holds.
constexpr int kMostTurns = 1 << 24;

}  // namespace

void require_shape(const LlamaConfig& c) {
  const std::pair<int, const char*> sizes[] = {
      {c.vocabulary, "vocabulary"}, {c.dim, "width of a token"}, {c.layers, "layers"},
      {c.heads, "heads"},           {c.kv_heads, "kv_heads"},    {c.intermediate, "intermediate"},
      {c.max_sequence, "positions"}};
  for (const auto& [size, name] : sizes) {
    require(size >= 1, "a decoder needs at least 1 for its " + std::string(name) + "; here it is " +
                           std::to_string(size));
  }
  require(c.dim % c.heads == 0, "a token of width " + std::to_string(c.dim) +
                                    " cannot be divided among " + std::to_string(c.heads) +
                                    " heads");
  require(c.heads % c.kv_heads == 0,
          std::to_string(c.heads) +
              " heads cannot be divided among kv_heads: " + std::to_string(c.kv_heads));
  require(c.head_dim() % 2 == 0, "rotary positions need an even width of a head; here it is " +
                                     std::to_string(c.head_dim()));
  require(c.rope_theta > 0 && c.rope_theta < std::numeric_limits<float>::infinity(),
          "the base of rotary positions must be a positive number");
  require(c.max_sequence <= kMostTurns / (c.head_dim() / 2),
          "rotary tables of " + std::to_string(c.max_sequence) + " positions and heads of width " +
              std::to_string(c.head_dim()) + " are too large");
  require(c.rms_epsilon >= 0 && c.rms_epsilon < 1, "the epsilon of RMSNorm must be in [0, 1)");
  require_matrix(c.vocabulary, c.dim, "an embedding");
  require_matrix(c.intermediate, c.dim, "a projection");
  require_matrix(c.dim, c.dim, "a projection");
}

std::string llama_slice(int layer, const std::string& name) {
  return "model.layers." + std::to_string(layer) + "." + name;
}

Layout llama_layout(const LlamaConfig& c) {
  require_shape(c);
  Layout layout;
  layout.add("model.embed_tokens.weight", c.vocabulary, c.dim);
  for (int l = 0; l < c.layers; ++l) {
    const auto linear = [&](const char* name, int outputs, int inputs) {
      layout.add(llama_slice(l, std::string(name) + ".weight"), outputs, inputs, Order::kInOut);
    };
    layout.add(llama_slice(l, "input_layernorm.weight"), c.dim, 1);
    linear("self_attn.q_proj", c.dim, c.dim);
    linear("self_attn.k_proj", c.kv_dim(), c.dim);
    linear("self_attn.v_proj", c.kv_dim(), c.dim);
    linear("self_attn.o_proj", c.dim, c.dim);
    layout.add(llama_slice(l, "post_attention_layernorm.weight"), c.dim, 1);
    linear("mlp.gate_proj", c.intermediate, c.dim);
    linear("mlp.up_proj", c.intermediate, c.dim);
    linear("mlp.down_proj", c.dim, c.intermediate);
  }
  layout.add("model.norm.weight", c.dim, 1);
  if (!c.tied) layout.add("lm_head.weight", c.vocabulary, c.dim);
  return layout;
}

}  // namespace skiff
