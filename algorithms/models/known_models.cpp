// Shapes of published models: facts from their configurations.
#include "algorithms/models/real_size.h"

namespace skiff {
namespace {

constexpr const char* kLitgpt = "configuration in Lightning-AI/litgpt, litgpt/config.py";

std::vector<KnownModel> decoders() {
  return {
      {"llama-3-8b", "decoder, Llama 3",
       R"({"model_type": "llama", "hidden_size": 4096, "intermediate_size": 14336,
           "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
           "vocab_size": 128256, "max_position_embeddings": 8192, "rope_theta": 500000})",
       8'030'261'248, kLitgpt},
      {"llama-2-7b", "decoder, Llama 2",
       R"({"model_type": "llama", "hidden_size": 4096, "intermediate_size": 11008,
           "num_hidden_layers": 32, "num_attention_heads": 32, "vocab_size": 32000,
           "max_position_embeddings": 4096})",
       6'738'415'616, "Touvron et al. 2023, arXiv:2307.09288"},
      {"llama-3.2-1b", "decoder, Llama 3.2",
       R"({"model_type": "llama", "hidden_size": 2048, "intermediate_size": 8192,
           "num_hidden_layers": 16, "num_attention_heads": 32, "num_key_value_heads": 8,
           "vocab_size": 128256, "max_position_embeddings": 131072, "rope_theta": 500000,
           "rope_scaling": {"rope_type": "llama3", "factor": 32}, "tie_word_embeddings": true})",
       1'235'814'400, kLitgpt},
      {"llama-3.2-3b", "decoder, Llama 3.2",
       R"({"model_type": "llama", "hidden_size": 3072, "intermediate_size": 8192,
           "num_hidden_layers": 28, "num_attention_heads": 24, "num_key_value_heads": 8,
           "vocab_size": 128256, "max_position_embeddings": 131072, "rope_theta": 500000,
           "rope_scaling": {"rope_type": "llama3", "factor": 32}, "tie_word_embeddings": true})",
       3'212'749'824, kLitgpt},
      {"tinyllama-1.1b", "decoder, TinyLlama",
       R"({"model_type": "llama", "hidden_size": 2048, "intermediate_size": 5632,
           "num_hidden_layers": 22, "num_attention_heads": 32, "num_key_value_heads": 4,
           "vocab_size": 32000, "max_position_embeddings": 2048})",
       1'100'048'384, kLitgpt},
      {"mobilellm-125m", "decoder, MobileLLM (embedding shared, as its code has it)",
       R"({"model_type": "llama", "hidden_size": 576, "intermediate_size": 1536,
           "num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3,
           "vocab_size": 32000, "max_position_embeddings": 2048, "tie_word_embeddings": true})",
       124'635'456, "configuration in facebookresearch/MobileLLM, configs/125M"},
      {"mobilellm-350m", "decoder, MobileLLM (embedding shared, as its code has it)",
       R"({"model_type": "llama", "hidden_size": 960, "intermediate_size": 2560,
           "num_hidden_layers": 32, "num_attention_heads": 15, "num_key_value_heads": 5,
           "vocab_size": 32000, "max_position_embeddings": 2048, "tie_word_embeddings": true})",
       345'355'200, "configuration in facebookresearch/MobileLLM, configs/350M"},
      {"qwen2.5-0.5b", "decoder, Qwen2.5",
       R"({"model_type": "qwen2", "hidden_size": 896, "intermediate_size": 4864,
           "num_hidden_layers": 24, "num_attention_heads": 14, "num_key_value_heads": 2,
           "vocab_size": 151936, "max_position_embeddings": 32768, "rope_theta": 1000000,
           "tie_word_embeddings": true})",
       494'032'768, kLitgpt},
      {"gemma-2b", "decoder, Gemma",
       R"({"model_type": "gemma", "hidden_size": 2048, "intermediate_size": 16384,
           "num_hidden_layers": 18, "num_attention_heads": 8, "num_key_value_heads": 1,
           "head_dim": 256, "vocab_size": 256000, "max_position_embeddings": 8192})",
       2'506'172'416, kLitgpt},
      {"phi-2", "decoder, Phi-2",
       R"({"model_type": "phi", "hidden_size": 2560, "intermediate_size": 10240,
           "num_hidden_layers": 32, "num_attention_heads": 32, "vocab_size": 51200,
           "max_position_embeddings": 2048, "partial_rotary_factor": 0.4})",
       2'779'683'840, kLitgpt},
  };
}

std::vector<KnownModel> others() {
  return {
      {"bert-base", "encoder with its pooler, BERT base",
       R"({"model_type": "bert", "hidden_size": 768, "intermediate_size": 3072,
           "num_hidden_layers": 12, "num_attention_heads": 12, "vocab_size": 30522})",
       109'482'240, "Devlin et al. 2019, arXiv:1810.04805"},
      {"distilbert-base", "encoder, DistilBERT",
       R"({"model_type": "distilbert", "dim": 768, "hidden_dim": 3072, "n_layers": 6,
           "n_heads": 12, "vocab_size": 30522})",
       66'362'880, "Sanh et al. 2019, arXiv:1910.01108"},
      {"mobilebert", "encoder with bottlenecks, MobileBERT",
       R"({"model_type": "mobilebert", "hidden_size": 512, "intermediate_size": 512,
           "num_hidden_layers": 24, "num_attention_heads": 4, "vocab_size": 30522,
           "embedding_size": 128, "intra_bottleneck_size": 128, "num_feedforward_networks": 4})",
       24'581'888, "google/mobilebert-uncased, config.json; Sun et al. 2020, arXiv:2004.02984"},
      {"vit-b-16", "vision transformer, ViT-B/16 at 224 pixels",
       R"({"model_type": "vit", "hidden_size": 768, "intermediate_size": 3072,
           "num_hidden_layers": 12, "num_attention_heads": 12, "image_size": 224,
           "patch_size": 16, "num_labels": 1000})",
       86'567'656, "Dosovitskiy et al. 2021, arXiv:2010.11929"},
      {"vit-l-16", "vision transformer, ViT-L/16 at 224 pixels",
       R"({"model_type": "vit", "hidden_size": 1024, "intermediate_size": 4096,
           "num_hidden_layers": 24, "num_attention_heads": 16, "image_size": 224,
           "patch_size": 16, "num_labels": 1000})",
       304'326'632, "Dosovitskiy et al. 2021, arXiv:2010.11929"},
      {"vit-h-14", "vision transformer, ViT-H/14 at 224 pixels",
       R"({"model_type": "vit", "hidden_size": 1280, "intermediate_size": 5120,
           "num_hidden_layers": 32, "num_attention_heads": 16, "image_size": 224,
           "patch_size": 14, "num_labels": 1000})",
       632'045'800, "Dosovitskiy et al. 2021, arXiv:2010.11929"},
      {"gboard-cifg", "keyboard model: CIFG-LSTM of 670 units, words in and out through 96",
       R"({"model_type": "cifg-lstm", "hidden_size": 670, "embedding_size": 96,
           "vocab_size": 10000})",
       1'412'250, "Hard et al. 2018, arXiv:1811.03604 (1.4 million; the projection is recurrent)"},
  };
}

}  // namespace

const std::vector<KnownModel>& known_models() {
  static const std::vector<KnownModel> all = [] {
    std::vector<KnownModel> models = decoders();
    for (KnownModel& m : others()) models.push_back(std::move(m));
    return models;
  }();
  return all;
}

const KnownModel* find_known_model(const std::string& name) {
  for (const KnownModel& m : known_models()) {
    if (m.name == name) return &m;
  }
  return nullptr;
}

}  // namespace skiff
