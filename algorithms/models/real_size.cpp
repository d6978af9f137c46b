#include "algorithms/models/real_size.h"

#include <fmt/format.h>

namespace skiff {
namespace {

class Builder {
 public:
  void tensor(const std::string& name, int rows, int cols, TensorUse use) {
    out_.layout.add(name, rows, cols);
    out_.uses.push_back(use);
  }
  void linear(const std::string& name, int outputs, int inputs, bool bias,
              TensorUse use = TensorUse::kEachToken) {
    tensor(name + ".weight", outputs, inputs, use);
    if (bias) tensor(name + ".bias", outputs, 1, TensorUse::kElementwise);
  }
  void table(const std::string& name, int rows, int width) {
    tensor(name + ".weight", rows, width, TensorUse::kGather);
  }
  void norm(const std::string& name, int width, bool bias) {
    tensor(name + ".weight", width, 1, TensorUse::kElementwise);
    if (bias) tensor(name + ".bias", width, 1, TensorUse::kElementwise);
  }
  RealSizeLayout done() { return std::move(out_); }

 private:
  RealSizeLayout out_;
};

void llama(const HfConfig& c, Builder& b) {  // and qwen2, gemma
  const int wide = c.heads * c.head_width, narrow = c.kv_heads * c.head_width;
  b.table("model.embed_tokens", c.vocabulary, c.hidden);
  for (int l = 0; l < c.layers; ++l) {
    const std::string block = fmt::format("model.layers.{}.", l);
    b.norm(block + "input_layernorm", c.hidden, false);
    b.linear(block + "self_attn.q_proj", wide, c.hidden, c.query_bias);
    b.linear(block + "self_attn.k_proj", narrow, c.hidden, c.query_bias);
    b.linear(block + "self_attn.v_proj", narrow, c.hidden, c.query_bias);
    b.linear(block + "self_attn.o_proj", c.hidden, wide, c.output_bias);
    b.norm(block + "post_attention_layernorm", c.hidden, false);
    b.linear(block + "mlp.gate_proj", c.intermediate, c.hidden, c.mlp_bias);
    b.linear(block + "mlp.up_proj", c.intermediate, c.hidden, c.mlp_bias);
    b.linear(block + "mlp.down_proj", c.hidden, c.intermediate, c.mlp_bias);
  }
  b.norm("model.norm", c.hidden, false);
  if (!c.tied) b.linear("lm_head", c.vocabulary, c.hidden, false);
}

void phi(const HfConfig& c, Builder& b) {
  const int wide = c.heads * c.head_width, narrow = c.kv_heads * c.head_width;
  b.table("model.embed_tokens", c.vocabulary, c.hidden);
  for (int l = 0; l < c.layers; ++l) {
    const std::string block = fmt::format("model.layers.{}.", l);
    b.norm(block + "input_layernorm", c.hidden, true);
    b.linear(block + "self_attn.q_proj", wide, c.hidden, true);
    b.linear(block + "self_attn.k_proj", narrow, c.hidden, true);
    b.linear(block + "self_attn.v_proj", narrow, c.hidden, true);
    b.linear(block + "self_attn.dense", c.hidden, wide, true);
    b.linear(block + "mlp.fc1", c.intermediate, c.hidden, true);
    b.linear(block + "mlp.fc2", c.hidden, c.intermediate, true);
  }
  b.norm("model.final_layernorm", c.hidden, true);
  if (!c.tied) b.linear("lm_head", c.vocabulary, c.hidden, true);
}

void bert(const HfConfig& c, Builder& b) {
  b.table("embeddings.word_embeddings", c.vocabulary, c.hidden);
  b.table("embeddings.position_embeddings", c.positions, c.hidden);
  b.table("embeddings.token_type_embeddings", c.token_types, c.hidden);
  b.norm("embeddings.LayerNorm", c.hidden, true);
  for (int l = 0; l < c.layers; ++l) {
    const std::string block = fmt::format("encoder.layer.{}.", l);
    for (const char* part : {"query", "key", "value"}) {
      b.linear(block + "attention.self." + part, c.hidden, c.hidden, true);
    }
    b.linear(block + "attention.output.dense", c.hidden, c.hidden, true);
    b.norm(block + "attention.output.LayerNorm", c.hidden, true);
    b.linear(block + "intermediate.dense", c.intermediate, c.hidden, true);
    b.linear(block + "output.dense", c.hidden, c.intermediate, true);
    b.norm(block + "output.LayerNorm", c.hidden, true);
  }
  b.linear("pooler.dense", c.hidden, c.hidden, true, TensorUse::kEachSample);
}

void distilbert(const HfConfig& c, Builder& b) {
  b.table("embeddings.word_embeddings", c.vocabulary, c.hidden);
  b.table("embeddings.position_embeddings", c.positions, c.hidden);
  b.norm("embeddings.LayerNorm", c.hidden, true);
  for (int l = 0; l < c.layers; ++l) {
    const std::string block = fmt::format("transformer.layer.{}.", l);
    for (const char* part : {"q_lin", "k_lin", "v_lin", "out_lin"}) {
      b.linear(block + "attention." + part, c.hidden, c.hidden, true);
    }
    b.norm(block + "sa_layer_norm", c.hidden, true);
    b.linear(block + "ffn.lin1", c.intermediate, c.hidden, true);
    b.linear(block + "ffn.lin2", c.hidden, c.intermediate, true);
    b.norm(block + "output_layer_norm", c.hidden, true);
  }
}

void mobilebert_block(const HfConfig& c, const std::string& block, Builder& b) {
  const int inner = c.bottleneck;
  b.linear(block + "attention.self.query", inner, inner, true);
  b.linear(block + "attention.self.key", inner, inner, true);
  b.linear(block + "attention.self.value", inner, c.hidden, true);
  b.linear(block + "attention.output.dense", inner, inner, true);
  b.norm(block + "attention.output.LayerNorm", inner, true);
  b.linear(block + "intermediate.dense", c.intermediate, inner, true);
  b.linear(block + "output.dense", inner, c.intermediate, true);
  b.norm(block + "output.LayerNorm", inner, true);
  b.linear(block + "output.bottleneck.dense", c.hidden, inner, true);
  b.norm(block + "output.bottleneck.LayerNorm", c.hidden, true);
  for (const char* way : {"input", "attention"}) {
    b.linear(block + "bottleneck." + way + ".dense", inner, c.hidden, true);
    b.norm(block + "bottleneck." + way + ".LayerNorm", inner, true);
  }
  for (int i = 0; i + 1 < c.feed_forwards; ++i) {
    const std::string network = fmt::format("{}ffn.{}.", block, i);
    b.linear(network + "intermediate.dense", c.intermediate, inner, true);
    b.linear(network + "output.dense", inner, c.intermediate, true);
    b.norm(network + "output.LayerNorm", inner, true);
  }
}

void mobilebert(const HfConfig& c, Builder& b) {
  b.table("embeddings.word_embeddings", c.vocabulary, c.embedding);
  b.table("embeddings.position_embeddings", c.positions, c.hidden);
  b.table("embeddings.token_type_embeddings", c.token_types, c.hidden);
  b.linear("embeddings.embedding_transformation", c.hidden, c.embedding * (c.trigram ? 3 : 1),
           true);
  b.norm("embeddings.LayerNorm", c.hidden, true);
  for (int l = 0; l < c.layers; ++l) {
    mobilebert_block(c, fmt::format("encoder.layer.{}.", l), b);
  }
}

void vit(const HfConfig& c, Builder& b) {
  b.tensor("vit.embeddings.cls_token", 1, c.hidden, TensorUse::kElementwise);
  b.tensor("vit.embeddings.position_embeddings", c.positions, c.hidden, TensorUse::kElementwise);
  b.linear("vit.embeddings.patch_embeddings.projection", c.hidden, c.channels * c.patch * c.patch,
           true, TensorUse::kFirst);
  for (int l = 0; l < c.layers; ++l) {
    const std::string block = fmt::format("vit.encoder.layer.{}.", l);
    for (const char* part : {"query", "key", "value"}) {
      b.linear(block + "attention.attention." + part, c.hidden, c.hidden, c.query_bias);
    }
    b.linear(block + "attention.output.dense", c.hidden, c.hidden, true);
    b.linear(block + "intermediate.dense", c.intermediate, c.hidden, true);
    b.linear(block + "output.dense", c.hidden, c.intermediate, true);
    b.norm(block + "layernorm_before", c.hidden, true);
    b.norm(block + "layernorm_after", c.hidden, true);
  }
  b.norm("vit.layernorm", c.hidden, true);
  b.linear("classifier", c.classes, c.hidden, true, TensorUse::kEachSample);
}

// Coupled input and forget gates, a recurrent projection to the width of the embedding, which is
// the head too (Hard et al. 2018): 3 (2 e + 1) h + h e + V e parameters.
void cifg(const HfConfig& c, Builder& b) {
  b.table("embedding", c.vocabulary, c.embedding);
  for (const char* gate : {"input", "output", "candidate"}) {
    b.linear(fmt::format("cell.{}", gate), c.hidden, 2 * c.embedding, true);
  }
  b.linear("cell.projection", c.embedding, c.hidden, false);
}

}  // namespace

RealSizeLayout real_size_layout(const HfConfig& c) {
  Builder b;
  if (c.gated()) {
    llama(c, b);
  } else if (c.family == "phi") {
    phi(c, b);
  } else if (c.family == "bert") {
    bert(c, b);
  } else if (c.family == "distilbert") {
    distilbert(c, b);
  } else if (c.family == "mobilebert") {
    mobilebert(c, b);
  } else if (c.family == "vit") {
    vit(c, b);
  } else {
    cifg(c, b);
  }
  return b.done();
}

}  // namespace skiff
