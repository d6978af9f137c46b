// The shape of a Llama-style decoder, and the names of its parameters.
//
// Touvron et al. 2023 (arXiv:2302.13971): RMSNorm, rotary positions (Su et al. 2021,
// arXiv:2104.09864), grouped-query attention (Ainslie et al. 2023, arXiv:2305.13245), SwiGLU
// (Shazeer 2020, arXiv:2002.05202); no biases. A plain value: thread-safe.
//
// Slices are named, and ordered, as Hugging Face writes such a model:
//   model.embed_tokens.weight                               vocabulary x dim
//   model.layers.I.input_layernorm.weight                   dim
//   model.layers.I.self_attn.q_proj.weight                  heads * head_dim x dim
//   model.layers.I.self_attn.{k,v}_proj.weight              kv_heads * head_dim x dim
//   model.layers.I.self_attn.o_proj.weight                  dim x heads * head_dim
//   model.layers.I.post_attention_layernorm.weight          dim
//   model.layers.I.mlp.{gate,up}_proj.weight                intermediate x dim
//   model.layers.I.mlp.down_proj.weight                     dim x intermediate
//   model.norm.weight                                       dim
//   lm_head.weight (unless tied to the embedding)           vocabulary x dim
// The *_proj matrices lie kInOut (inputs x outputs); embedding and head kOutIn, as in checkpoint
// files, which store every matrix outputs x inputs: a loader transposes where Slice::order says so.
#pragma once

#include <string>

#include "algorithms/kernels/rope.h"
#include "algorithms/models/layout.h"

namespace skiff {

struct LlamaConfig {
  int vocabulary = 0;
  int dim = 0;  // width of a token
  int layers = 0;
  int heads = 0;         // of queries; divides dim
  int kv_heads = 0;      // of keys and values; divides heads
  int intermediate = 0;  // width of the SwiGLU
  int max_sequence = 0;  // positions that the model was made for
  float rope_theta = 10000.0F;
  float rms_epsilon = 1e-5F;
  bool tied = true;  // the head is the embedding
  // Files of llama2.c: kInterleaved. Files of Hugging Face: kHalfSplit.
  kernels::RopePairing rope_pairing = kernels::RopePairing::kInterleaved;

  int head_dim() const { return dim / heads; }
  int kv_dim() const { return kv_heads * head_dim(); }
};

// Throws std::invalid_argument, in plain words, for a shape that no decoder has (widths that heads
// do not divide, an odd head_dim, sizes below 1 or beyond 2^31 parameters a matrix).
void require_shape(const LlamaConfig& config);

// Calls require_shape().
Layout llama_layout(const LlamaConfig& config);

// "model.layers.3." + name
std::string llama_slice(int layer, const std::string& name);

}  // namespace skiff
