#include "algorithms/models/hf_config.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <vector>

#include "algorithms/models/mapped_file.h"
#include "sim/core/error.h"

namespace skiff {
namespace {

using Json = nlohmann::json;

constexpr int kMostWidth = 1 << 20;
constexpr int kMostLayers = 1 << 12;
constexpr int kMostTokens = 1 << 24;
constexpr std::size_t kMostBytes = 16 << 20;

// Typed looks at the keys of the object; what is wrong names the key.
class Keys {
 public:
  Keys(const std::string& file, const Json& object) : file_(file), object_(object) {}

  [[noreturn]] void fail(const std::string& message) const { throw DataError(file_, message); }

  const Json* find(const char* key) const {
    const auto at = object_.find(key);
    return at == object_.end() || at->is_null() ? nullptr : &*at;
  }
  // A whole number of 1..most; `otherwise` = 0: it must be there.
  int size(const char* key, int most, int otherwise = 0) const {
    const Json* value = find(key);
    if (value == nullptr) {
      if (otherwise == 0) fail(fmt::format("has no {}", key));
      return otherwise;
    }
    const bool whole = value->is_number_integer();
    const auto n = whole ? value->get<std::int64_t>() : 0;
    if (!whole || n < 1 || n > most) {
      fail(fmt::format("{}: expected a whole number of 1 to {}, found {}", key, most,
                       shown(*value)));
    }
    return static_cast<int>(n);
  }
  double number(const char* key, double otherwise, double least, double most) const {
    const Json* value = find(key);
    if (value == nullptr) return otherwise;
    const double x = value->is_number() ? value->get<double>() : std::nan("");
    if (!(x >= least && x <= most)) {
      fail(fmt::format("{}: expected a number of {} to {}, found {}", key, least, most,
                       shown(*value)));
    }
    return x;
  }
  bool flag(const char* key, bool otherwise) const {
    const Json* value = find(key);
    if (value == nullptr) return otherwise;
    if (!value->is_boolean())
      fail(fmt::format("{}: expected true or false, found {}", key, shown(*value)));
    return value->get<bool>();
  }
  std::string word(const char* key, const std::string& otherwise) const {
    const Json* value = find(key);
    if (value == nullptr) return otherwise;
    if (!value->is_string()) fail(fmt::format("{}: expected a word, found {}", key, shown(*value)));
    return value->get<std::string>();
  }
  static std::string shown(const Json& value) {
    return value.dump(-1, ' ', true, Json::error_handler_t::replace).substr(0, 40);
  }

 private:
  const std::string& file_;
  const Json& object_;
};

// Keys that most families call the same.
HfConfig common(const Keys& keys, const std::string& family) {
  HfConfig c;
  c.family = family;
  c.hidden = keys.size("hidden_size", kMostWidth);
  c.intermediate = keys.size("intermediate_size", kMostWidth);
  c.layers = keys.size("num_hidden_layers", kMostLayers);
  c.heads = keys.size("num_attention_heads", kMostWidth);
  c.kv_heads = c.heads;
  return c;
}

void read_rope(const Keys& keys, HfConfig& c) {
  c.rope_theta = keys.number("rope_theta", 10000, 1, 1e12);
  if (const Json* scaling = keys.find("rope_scaling")) {
    if (!scaling->is_object()) keys.fail("rope_scaling: expected an object");
    for (const char* key : {"rope_type", "type"}) {
      const auto type = scaling->find(key);
      if (type != scaling->end() && type->is_string()) c.rope_scaling = type->get<std::string>();
    }
    if (c.rope_scaling.empty()) keys.fail("rope_scaling: has no rope_type");
    if (c.rope_scaling == "default") c.rope_scaling.clear();
  }
}

HfConfig decoder(const Keys& keys, const std::string& family) {
  HfConfig c = common(keys, family);
  c.vocabulary = keys.size("vocab_size", kMostTokens);
  c.positions = keys.size("max_position_embeddings", kMostTokens, family == "gemma" ? 8192 : 2048);
  c.kv_heads = keys.size("num_key_value_heads", kMostWidth, c.heads);
  if (family == "gemma") {
    c.head_width = keys.size("head_dim", kMostWidth, 256);
  } else if (keys.find("head_dim") != nullptr) {
    c.head_width = keys.size("head_dim", kMostWidth);
  }
  read_rope(keys, c);
  if (family == "phi") {
    c.activation = keys.word("hidden_act", "gelu_new");
    c.epsilon = keys.number("layer_norm_eps", 1e-5, 0, 1);
    c.rotary_share = keys.number("partial_rotary_factor", 0.5, 0, 1);
    c.query_bias = c.output_bias = c.mlp_bias = true;
    if (keys.flag("qk_layernorm", false)) keys.fail("qk_layernorm: not supported");
  } else {
    c.epsilon = keys.number("rms_norm_eps", 1e-6, 0, 1);
    c.activation = keys.word("hidden_act", family == "gemma" ? "gelu_pytorch_tanh" : "silu");
    c.query_bias = family == "qwen2" || keys.flag("attention_bias", false);
    c.output_bias = family != "qwen2" && c.query_bias;
    c.mlp_bias = keys.flag("mlp_bias", false);
  }
  c.tied =
      keys.flag("tie_word_embeddings", family == "gemma") || keys.flag("share_embedding", false);
  return c;
}

HfConfig bert(const Keys& keys, const std::string& family) {
  HfConfig c = common(keys, family);
  c.vocabulary = keys.size("vocab_size", kMostTokens, 30522);
  c.positions = keys.size("max_position_embeddings", kMostTokens, 512);
  c.token_types = keys.size("type_vocab_size", kMostWidth, 2);
  c.activation = keys.word("hidden_act", family == "bert" ? "gelu" : "relu");
  c.epsilon = keys.number("layer_norm_eps", 1e-12, 0, 1);
  c.tied = c.query_bias = c.output_bias = c.mlp_bias = true;
  if (family == "bert") return c;
  c.embedding = keys.size("embedding_size", kMostWidth, 128);
  c.bottleneck = keys.size("intra_bottleneck_size", kMostWidth, 128);
  c.feed_forwards = keys.size("num_feedforward_networks", 64, 4);
  c.trigram = keys.flag("trigram_input", true);
  if (!keys.flag("use_bottleneck", true) || !keys.flag("key_query_shared_bottleneck", true) ||
      keys.flag("use_bottleneck_attention", false)) {
    keys.fail("only use_bottleneck with key_query_shared_bottleneck is supported");
  }
  if (c.bottleneck % c.heads != 0) keys.fail("intra_bottleneck_size is no multiple of the heads");
  c.head_width = c.bottleneck / c.heads;
  return c;
}

HfConfig distilbert(const Keys& keys) {
  HfConfig c;
  c.family = "distilbert";
  c.hidden = keys.size("dim", kMostWidth, 768);
  c.intermediate = keys.size("hidden_dim", kMostWidth, 3072);
  c.layers = keys.size("n_layers", kMostLayers, 6);
  c.heads = c.kv_heads = keys.size("n_heads", kMostWidth, 12);
  c.vocabulary = keys.size("vocab_size", kMostTokens, 30522);
  c.positions = keys.size("max_position_embeddings", kMostTokens, 512);
  c.activation = keys.word("activation", "gelu");
  c.epsilon = 1e-12;
  c.tied = c.query_bias = c.output_bias = c.mlp_bias = true;
  return c;
}

HfConfig vit(const Keys& keys) {
  HfConfig c = common(keys, "vit");
  c.image = keys.size("image_size", 1 << 14, 224);
  c.patch = keys.size("patch_size", 1 << 14, 16);
  c.channels = keys.size("num_channels", 1 << 12, 3);
  const Json* names = keys.find("id2label");
  const bool named = names != nullptr && names->is_object() && !names->empty();
  c.classes = named ? static_cast<int>(names->size()) : keys.size("num_labels", kMostWidth, 1000);
  c.activation = keys.word("hidden_act", "gelu");
  c.epsilon = keys.number("layer_norm_eps", 1e-12, 0, 1);
  c.query_bias = keys.flag("qkv_bias", true);
  c.output_bias = c.mlp_bias = true;
  if (c.image % c.patch != 0) keys.fail("image_size is no multiple of patch_size");
  const int side = c.image / c.patch;
  if (side > 1024) keys.fail("more than 1024 x 1024 patches");
  c.positions = side * side + 1;
  return c;
}

HfConfig cifg(const Keys& keys) {
  HfConfig c;
  c.family = "cifg-lstm";
  c.hidden = keys.size("hidden_size", kMostWidth);
  c.embedding = keys.size("embedding_size", kMostWidth);
  c.vocabulary = keys.size("vocab_size", kMostTokens);
  c.layers = 1;
  c.positions = kMostTokens;
  c.tied = true;
  return c;
}

HfConfig by_family(const Keys& keys, const std::string& type) {
  if (type == "llama" || type == "mistral" || type == "mobilellm") return decoder(keys, "llama");
  if (type == "qwen2" || type == "gemma" || type == "phi") return decoder(keys, type);
  if (type == "bert" || type == "mobilebert") return bert(keys, type);
  if (type == "distilbert") return distilbert(keys);
  if (type == "vit") return vit(keys);
  if (type == "cifg-lstm") return cifg(keys);
  const std::vector<std::string> known{"llama",      "mistral", "mobilellm", "qwen2",
                                       "gemma",      "phi",     "bert",      "mobilebert",
                                       "distilbert", "vit",     "cifg-lstm"};
  const std::string near = nearest_word(type, known);
  keys.fail(
      fmt::format("model_type \"{}\" unknown; {}llama, qwen2, gemma, phi, bert, mobilebert, "
                  "distilbert, vit are read",
                  type, near.empty() ? "" : "did you mean \"" + near + "\"? "));
}

}  // namespace

HfConfig parse_hf_config(const std::string& file, std::string_view text) {
  if (text.size() > kMostBytes) throw DataError(file, "is longer than 16 MiB: no config.json");
  const auto shallow = [&](int depth, Json::parse_event_t, Json&) {
    if (depth > 32) throw DataError(file, "JSON nested too deep");
    return true;
  };
  Json json;
  try {
    json = Json::parse(text.begin(), text.end(), shallow);
  } catch (const Json::parse_error& e) {
    throw DataError(file, static_cast<long long>(e.byte), "not JSON");
  } catch (const Json::out_of_range&) {
    throw DataError(file, "holds a number that is too large");
  }
  if (!json.is_object()) throw DataError(file, "expected an object");
  const Keys keys(file, json);
  if (keys.find("model_type") == nullptr) keys.fail("has no model_type");
  HfConfig c = by_family(keys, keys.word("model_type", ""));
  if (c.heads > 0 && c.head_width == 0) {
    if (c.hidden % c.heads != 0) keys.fail("hidden_size is no multiple of num_attention_heads");
    c.head_width = c.hidden / c.heads;
  }
  if (c.heads > 0 && c.heads % c.kv_heads != 0) {
    keys.fail("num_attention_heads is no multiple of num_key_value_heads");
  }
  // Sizes of matrices are int times int in size_t; the widest row count must stay an int.
  if (std::int64_t{c.heads} * c.head_width > kMostWidth) keys.fail("heads x head_dim is absurd");
  return c;
}

HfConfig read_hf_config(const std::string& path) {
  const MappedFile file(path);
  const auto bytes = file.bytes();
  return parse_hf_config(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

LlamaConfig llama_config(const HfConfig& c) {
  const auto require = [](bool good, const std::string& reason) {
    if (!good) throw std::invalid_argument(reason);
  };
  require(c.gated(), "a " + c.family + " model is not of the llama family");
  require(c.family == "llama" && (c.activation == "silu" || c.activation == "swish"),
          "a " + c.family + " model with " + c.activation +
              " cannot be run yet: only llama with silu; it can be what devices pay for");
  require(!c.query_bias && !c.output_bias && !c.mlp_bias, "biases in a llama cannot be run yet");
  require(c.rope_scaling.empty(), "scaled rotary positions cannot be run yet");
  require(c.head_width * c.heads == c.hidden, "heads wider than the token cannot be run yet");
  LlamaConfig out;
  out.vocabulary = c.vocabulary;
  out.dim = c.hidden;
  out.layers = c.layers;
  out.heads = c.heads;
  out.kv_heads = c.kv_heads;
  out.intermediate = c.intermediate;
  out.max_sequence = c.positions;
  out.rope_theta = static_cast<float>(c.rope_theta);
  out.rms_epsilon = static_cast<float>(c.epsilon);
  out.tied = c.tied;
  out.rope_pairing = kernels::RopePairing::kHalfSplit;
  require_shape(out);
  return out;
}

}  // namespace skiff
