// Checkpoints of karpathy/llama2.c (.bin): a header of seven integers, then the weights.
//
//   version 0: int32 dim, hidden_dim, n_layers, n_heads, n_kv_heads, vocab_size, seq_len (a
//     negative vocab_size = the output head is stored too), then float32: embedding, attention
//     norms, wq, wk, wv, wo, feed-forward norms, w1, w2, w3, final norm, two tables of seq_len x
//     head/2 (skipped), [head]; each kind for all layers, outputs x inputs.
//   version 1: magic "24ka", version, the seven, a byte (head shared), zeros up to 256; all norms,
//     then embedding, wq ... w3, [head].
//   version 2: the same with an int32 group size after that byte; norms float32, each other tensor
//     as int8 codes, then one float32 scale for each group of it.
//
// The tensors get their names in transformers; wq and wk are marked as interleaved. The size of the
// file must be exactly what the header says. config() is a config.json of model_type llama.
#pragma once

#include <string>

#include "algorithms/models/checkpoint.h"

namespace skiff {

CheckpointPtr open_llama2c(const std::string& path);

}  // namespace skiff
