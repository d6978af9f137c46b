// The config.json that Hugging Face's transformers keeps beside a model: which shape it has.
//
// Read for the families llama (mistral and mobilellm are of it), qwen2, gemma, phi, bert,
// mobilebert, distilbert and vit; keys that are absent have the defaults of transformers. cifg-lstm
// is our own word, in the same form: hidden_size, embedding_size, vocab_size. Numbers are checked
// before anything is computed from them. A plain value.
#pragma once

#include <string>
#include <string_view>

#include "algorithms/models/layout.h"
#include "algorithms/models/llama_config.h"

namespace skiff {

struct HfConfig {
  std::string family;  // "llama", ...
  int hidden = 0;      // width of a token
  int intermediate = 0;
  int layers = 0;
  int heads = 0, kv_heads = 0, head_width = 0;
  int vocabulary = 0;
  int positions = 0;  // most tokens of a text
  bool tied = false;  // the head is the embedding
  bool query_bias = false, output_bias = false, mlp_bias = false;
  std::string activation;
  double epsilon = 0;
  double rope_theta = 0;     // decoders
  std::string rope_scaling;  // "llama3", ...; "" if none
  double rotary_share = 1;   // phi: part of a head that is rotated
  int token_types = 0;       // bert, mobilebert
  int embedding = 0;         // mobilebert, cifg-lstm: width of the table
  int bottleneck = 0;        // mobilebert: width inside a block
  int feed_forwards = 1;     // mobilebert: networks of a block
  bool trigram = false;      // mobilebert: a token reads its neighbours' embeddings
  int image = 0, patch = 0, channels = 0, classes = 0;  // vit; pixels

  bool decoder() const {
    return family == "llama" || family == "qwen2" || family == "gemma" || family == "phi";
  }
  bool gated() const { return decoder() && family != "phi"; }
};

// `file` is for the messages. Throws DataError.
HfConfig parse_hf_config(const std::string& file, std::string_view text);
HfConfig read_hf_config(const std::string& path);

// The config.json of a decoder. Where its rotary pairs are interleaved, which transformers cannot
// do, a key of our own says so, "rope_pairing": with_half_split() makes it a file for all.
std::string hf_config_text(const LlamaConfig& config);

// A decoder with interleaved pairs as the same function with pairs half apart: the rows of each
// head of q_proj and k_proj change places, and the key goes. Others stay as they are. `config`: of
// hf_config_text(); `weights`: of llama_layout().
std::string with_half_split(const std::string& config, Vector& weights);

// The decoder that this version can run; std::invalid_argument with the reason if it is another
// (biases, scaled positions, GELU). Rotary pairs are half apart, as checkpoints give them out.
LlamaConfig llama_config(const HfConfig& config);

}  // namespace skiff
