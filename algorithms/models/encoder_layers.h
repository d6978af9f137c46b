// What BERT and ViT share: presets, and blocks with LayerNorm, biases and GELU (erf).
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "algorithms/models/transformer_stack.h"
#include "sim/core/registry.h"

namespace skiff {

//   preset  hidden  layers  heads  intermediate   parameters of the blocks
//   tiny        48       2      4            96      37,920
//   small      128       6      4           256     794,880
//   base       384       8      6          1536  14,195,712
struct EncoderParams {
  std::string preset;
  std::optional<int> hidden, layers, heads, intermediate;
  double l2 = 0;
};

struct EncoderShape {
  int hidden, layers, heads, intermediate;
};

// Either the preset's, or the keys', with intermediate = 4 hidden if it is not given.
EncoderShape shape_of(const EncoderParams& params);

// Rules across the keys, reported to the reader; `family` is for the messages.
void check_encoder(const EncoderParams& params, const Node& map, Reader& reader,
                   const char* family);

template <class Params>
void add_encoder_fields(Schema<Params>& s) {
  s.field("preset", &Params::preset,
          "instead of the shape: tiny 48 wide, 2 layers; small 128, 6; base 384, 8")
      .one_of({"tiny", "small", "base"});
  s.field("hidden", &Params::hidden, "width of a token").in(2, 65536);
  s.field("layers", &Params::layers, "blocks").in(1, 1024);
  s.field("heads", &Params::heads, "attention heads of a block").in(1, 1024);
  s.field("intermediate", &Params::intermediate, "width of the feed-forward layers")
      .in(1, 262144)
      .or_word("4 hidden");
  s.field("l2", &Params::l2, "strength of (l2/2)|w|^2 over all parameters").at_least(0);
}

// Appends the slices of one block, in the order of Hugging Face's files.
//   norm first  P + layernorm_before, attention.attention.query, ..., layernorm_after, ...   (ViT)
//   norm last   P + attention.self.query, ..., attention.output.LayerNorm, ...              (BERT)
TransformerBlock add_encoder_block(Layout& layout, const std::string& prefix,
                                   const EncoderShape& shape, bool norm_first, float epsilon);

}  // namespace skiff
