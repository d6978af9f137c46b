#include <nlohmann/json.hpp>

#include "algorithms/models/hf_config.h"

namespace skiff {
namespace {

constexpr const char* kPairing = "rope_pairing";

// Row i of a head, of w: pairs (2k, 2k + 1) become (k, k + w/2).
void half_split(Vector& weights, const Slice& s, int head_dim) {
  const std::vector<float> old(
      weights.values.begin() + static_cast<std::ptrdiff_t>(s.offset),
      weights.values.begin() + static_cast<std::ptrdiff_t>(s.offset + s.size()));
  const std::span<float> values = std::span(weights.values).subspan(s.offset, s.size());
  const auto at = [&](int row, int col) {
    return s.order == Order::kInOut ? static_cast<std::size_t>(col) * s.rows + row
                                    : static_cast<std::size_t>(row) * s.cols + col;
  };
  for (int row = 0; row < s.rows; ++row) {
    const int in_head = row % head_dim;
    const int to = row - in_head + in_head / 2 + in_head % 2 * (head_dim / 2);
    for (int col = 0; col < s.cols; ++col) values[at(to, col)] = old[at(row, col)];
  }
}

}  // namespace

std::string hf_config_text(const LlamaConfig& c) {
  nlohmann::ordered_json out = {{"architectures", {"LlamaForCausalLM"}},
                                {"model_type", "llama"},
                                {"hidden_size", c.dim},
                                {"intermediate_size", c.intermediate},
                                {"num_hidden_layers", c.layers},
                                {"num_attention_heads", c.heads},
                                {"num_key_value_heads", c.kv_heads},
                                {"vocab_size", c.vocabulary},
                                {"max_position_embeddings", c.max_sequence},
                                {"rope_theta", c.rope_theta},
                                {"rms_norm_eps", static_cast<double>(c.rms_epsilon)},
                                {"hidden_act", "silu"},
                                {"tie_word_embeddings", c.tied}};
  if (c.rope_pairing == kernels::RopePairing::kInterleaved) out[kPairing] = "interleaved";
  return out.dump(2) + "\n";
}

std::string with_half_split(const std::string& config, Vector& weights) {
  nlohmann::ordered_json json = nlohmann::ordered_json::parse(config, nullptr, false);
  if (!json.is_object() || !json.contains(kPairing)) return config;
  json.erase(kPairing);
  std::string text = json.dump(2) + "\n";
  const int head_dim = llama_config(parse_hf_config("the run's model", text)).head_dim();
  for (const Slice& s : weights.layout->slices) {
    if (s.name.ends_with("q_proj.weight") || s.name.ends_with("k_proj.weight")) {
      half_split(weights, s, head_dim);
    }
  }
  return text;
}

}  // namespace skiff
