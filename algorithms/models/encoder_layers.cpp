#include "algorithms/models/encoder_layers.h"

namespace skiff {

EncoderShape shape_of(const EncoderParams& p) {
  if (p.preset == "tiny") return {48, 2, 4, 96};
  if (p.preset == "small") return {128, 6, 4, 256};
  if (p.preset == "base") return {384, 8, 6, 1536};
  return {p.hidden.value(), p.layers.value(), p.heads.value(),
          p.intermediate.value_or(4 * p.hidden.value())};
}

void check_encoder(const EncoderParams& p, const Node& map, Reader& reader, const char* family) {
  const auto problem = [&](const char* key, const std::string& text) {
    const Reader::Scope scope(reader, key);
    reader.problem(map.where, text);
  };
  const std::pair<const char*, std::optional<int>> keys[] = {{"hidden", p.hidden},
                                                             {"layers", p.layers},
                                                             {"heads", p.heads},
                                                             {"intermediate", p.intermediate}};
  for (const auto& [key, value] : keys) {
    if (!p.preset.empty() && value) {
      problem(key, "given besides preset; one of them says the shape");
    }
    if (p.preset.empty() && !value && std::string(key) != "intermediate") {
      problem(key, "required by " + std::string(family) + "; or give a preset");
    }
  }
  if (p.hidden && p.heads && *p.hidden % *p.heads != 0) problem("heads", "must divide hidden");
}

TransformerBlock add_encoder_block(Layout& layout, const std::string& prefix,
                                   const EncoderShape& shape, bool norm_first, float epsilon) {
  const int d = shape.hidden;
  const auto linear = [&](const std::string& name, int outputs, int inputs) {
    return add_linear(layout, prefix + name, outputs, inputs, true);
  };
  const auto norm = [&](const std::string& name) {
    return add_norm(layout, prefix + name, d, NormLayer::Kind::kLayer, epsilon);
  };
  TransformerBlock::Layers l;
  const std::string attention = norm_first ? "attention.attention." : "attention.self.";
  if (norm_first) l.attention_norm = norm("layernorm_before");
  l.q = linear(attention + "query", d, d);
  l.k = linear(attention + "key", d, d);
  l.v = linear(attention + "value", d, d);
  l.o = linear("attention.output.dense", d, d);
  if (norm_first) {
    l.mlp_norm = norm("layernorm_after");
  } else {
    l.attention_norm = norm("attention.output.LayerNorm");
  }
  l.up = linear("intermediate.dense", shape.intermediate, d);
  l.down = linear("output.dense", d, shape.intermediate);
  if (!norm_first) l.mlp_norm = norm("output.LayerNorm");
  return {l, {d / shape.heads, false, norm_first}};
}

}  // namespace skiff
