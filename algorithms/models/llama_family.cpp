// `model: {architecture: llama, ...}`: a decoder by its shape, or by a preset.
//
//   preset  hidden  layers  heads  kv_heads  intermediate   parameters beside the embedding
//   tiny        48       2      4         2           128      50,928  (60 k with 190 tokens)
//   small      128       4      4         2           344     726,144
//   base       384       8      6         2          1024  12,589,440
// The embedding, which is also the head (tied), adds vocabulary x hidden: base has 15 million
// parameters with 6,400 tokens.
#include <optional>
#include <stdexcept>

#include "algorithms/models/llama.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

struct LlamaParams {
  std::string preset;
  std::optional<int> hidden, layers, heads, kv_heads, intermediate;
  double rope_theta = 10000;
  bool tied = true;
  double l2 = 0;
};

void take_preset(LlamaParams& p) {
  const auto shape = [&p](int hidden, int layers, int heads, int kv_heads, int intermediate) {
    p.hidden = hidden;
    p.layers = layers;
    p.heads = heads;
    p.kv_heads = kv_heads;
    p.intermediate = intermediate;
  };
  if (p.preset == "tiny") shape(48, 2, 4, 2, 128);
  if (p.preset == "small") shape(128, 4, 4, 2, 344);
  if (p.preset == "base") shape(384, 8, 6, 2, 1024);
}

class LlamaFamily final : public ModelFamily {
 public:
  explicit LlamaFamily(const LlamaParams& params) : params_(params) { take_preset(params_); }

  std::shared_ptr<const Architecture> build(const TaskShape& task) const override {
    LlamaConfig config;
    config.vocabulary = task.vocabulary;
    config.dim = params_.hidden.value();
    config.layers = params_.layers.value();
    config.heads = params_.heads.value();
    config.kv_heads = params_.kv_heads.value_or(config.heads);
    // As Llama has it: two thirds of four times the width, in whole eights.
    config.intermediate = params_.intermediate.value_or((8 * config.dim / 3 + 7) / 8 * 8);
    config.max_sequence = task.sequence_length;
    config.rope_theta = static_cast<float>(params_.rope_theta);
    config.tied = params_.tied;
    if (!task.is_text()) {
      throw std::invalid_argument("llama reads text; the samples of this task are none");
    }
    return std::make_shared<const Llama>(config, task, params_.l2);
  }

 private:
  LlamaParams params_;
};

void check_shape(const LlamaParams& p, const Node& map, Reader& reader) {
  const auto problem = [&](const char* key, const std::string& text) {
    const Reader::Scope scope(reader, key);
    reader.problem(map.where, text);
  };
  if (!p.preset.empty()) {
    for (const auto& [key, value] : {std::pair{"hidden", p.hidden},
                                     {"layers", p.layers},
                                     {"heads", p.heads},
                                     {"kv_heads", p.kv_heads},
                                     {"intermediate", p.intermediate}}) {
      if (value) problem(key, "given besides preset; one of them says the shape");
    }
    return;
  }
  for (const auto& [key, value] :
       {std::pair{"hidden", p.hidden}, {"layers", p.layers}, {"heads", p.heads}}) {
    if (!value) problem(key, "required by llama; or give a preset");
  }
  if (!p.hidden || !p.heads) return;
  if (*p.hidden % (2 * *p.heads) != 0) {
    problem("heads", "hidden / heads must be an even number");
  }
  if (p.kv_heads && *p.heads % *p.kv_heads != 0) {
    problem("kv_heads", "must divide heads");
  }
}

}  // namespace

template <>
Schema<LlamaParams> schema<LlamaParams>() {
  Schema<LlamaParams> s;
  s.field("preset", &LlamaParams::preset,
          "instead of the shape: tiny 48 wide, 2 layers; small 128, 4; base 384, 8")
      .one_of({"tiny", "small", "base"});
  s.field("hidden", &LlamaParams::hidden, "width of a token").in(2, 65536);
  s.field("layers", &LlamaParams::layers, "blocks").in(1, 1024);
  s.field("heads", &LlamaParams::heads, "attention heads of a block").in(1, 1024);
  s.field("kv_heads", &LlamaParams::kv_heads, "heads of keys and values")
      .in(1, 1024)
      .or_word("heads");
  s.field("intermediate", &LlamaParams::intermediate,
          "width of the SwiGLU; auto: 8/3 hidden in whole eights")
      .in(1, 262144)
      .or_word("auto");
  s.field("rope_theta", &LlamaParams::rope_theta, "base of the rotary positions").in(1, 1e9);
  s.field("tied", &LlamaParams::tied, "the embedding is also the head");
  s.field("l2", &LlamaParams::l2, "strength of (l2/2)|w|^2 over all parameters").at_least(0);
  s.check(check_shape);
  return s;
}

SKIFF_REGISTER(ModelFamily, LlamaFamily, LlamaParams,
               {.name = "llama",
                .summary = "decoder with RMSNorm, rotary positions and SwiGLU",
                .paper = "Touvron et al. 2023, arXiv:2302.13971",
                .verified = "gradients against central differences; goldens of an independent "
                            "implementation; decoding bit-equal to the whole sequence"});

}  // namespace skiff
