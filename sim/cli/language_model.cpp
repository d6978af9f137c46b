#include "sim/cli/language_model.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "algorithms/data/text_samples.h"
#include "algorithms/models/checkpoint_model.h"
#include "algorithms/models/evaluate_rows.h"
#include "algorithms/models/full_weights.h"
#include "algorithms/models/hf_config.h"
#include "algorithms/stored_checkpoint.h"
#include "sim/cli/command.h"
#include "sim/core/error.h"

namespace fs = std::filesystem;

namespace skiff::cli {
namespace {

// The one tokenizer beside the checkpoint that has as many tokens as the model.
std::string tokenizer_beside(const std::string& verb, const std::string& checkpoint,
                             int vocabulary) {
  std::string found;
  const fs::path folder =
      fs::is_directory(checkpoint) ? fs::path(checkpoint) : fs::path(checkpoint).parent_path();
  for (const auto& entry : fs::directory_iterator(folder.empty() ? fs::path(".") : folder)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("tok") || !name.ends_with(".bin")) continue;
    if (read_tokenizer(entry.path().string())->vocabulary() != vocabulary) continue;
    if (!found.empty()) {
      throw UsageError(verb + ": two tokenizers fit; choose one with --tokenizer");
    }
    found = entry.path().string();
  }
  if (found.empty()) {
    throw UsageError(fmt::format("{}: no tok*.bin with {} tokens beside {}; give --tokenizer", verb,
                                 vocabulary, checkpoint));
  }
  return found;
}

// Of a compressed checkpoint, whose tensors are not those of the layout.
LlamaConfig config_of(const LanguageModel& model) {
  if (!model.compression) return checkpoint_config(*model.checkpoint);
  if (model.checkpoint->config().empty()) {
    throw DataError(model.checkpoint->path(),
                    "has no config.json beside it: the model's shape is unknown");
  }
  return llama_config(
      parse_hf_config(model.checkpoint->path() + ": config.json", model.checkpoint->config()));
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file || fs::is_directory(path)) throw DataError(path, "cannot be read");
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

std::shared_ptr<const Llama> LanguageModel::architecture(int sequence_length) const {
  TaskShape shape;
  shape.kind = TaskKind::kNextToken;
  shape.vocabulary = config.vocabulary;
  shape.sequence_length = sequence_length;
  return std::make_shared<const Llama>(config, shape);
}

std::shared_ptr<const Vector> LanguageModel::weights(const LayoutPtr& layout) const {
  if (!compression) return checkpoint_weights(*checkpoint, layout);
  return std::make_shared<const Vector>(decoded(read_compressed(checkpoint, *compression, layout)));
}

LanguageModel load_language_model(const std::string& verb, const std::string& checkpoint,
                                  const std::string& tokenizer) {
  LanguageModel loaded;
  loaded.checkpoint = open_checkpoint(checkpoint);
  loaded.compression = compression_beside(*loaded.checkpoint);
  try {
    loaded.config = config_of(loaded);
  } catch (const std::invalid_argument& reason) {
    throw DataError(checkpoint, reason.what());
  }
  loaded.tokenizer_path =
      tokenizer.empty() ? tokenizer_beside(verb, checkpoint, loaded.config.vocabulary) : tokenizer;
  loaded.tokenizer =
      loaded.tokenizer_path == "byte" ? byte_tokenizer() : read_tokenizer(loaded.tokenizer_path);
  if (loaded.tokenizer->vocabulary() > loaded.config.vocabulary) {
    throw UsageError(fmt::format("{}: {} has {} tokens, the model {}", verb, loaded.tokenizer_path,
                                 loaded.tokenizer->vocabulary(), loaded.config.vocabulary));
  }
  return loaded;
}

Text read_text(const std::string& verb, const LanguageModel& model, const std::string& path,
               const std::string& separator, int sequence_length, bool first) {
  TextParams params;
  if (model.tokenizer_path == "byte") {
    params.tokenizer.word = "byte";
  } else {
    params.tokenizer.file = {model.tokenizer_path, model.tokenizer_path};
  }
  params.pack = false;
  params.sequence_length = std::min(sequence_length, model.config.max_sequence);
  if (params.sequence_length < 1) throw UsageError(verb + ": --sequence-length is at least 1");
  TextCollector texts;
  for (std::string& text : split_texts(read_file(path), separator)) texts.add(std::move(text));
  LoadedData data = text_samples(path, texts.done(), params, 0);
  Text text{data.shape.sequence_length, std::move(data.train), {}};
  for (int i = 0; i < text.samples.rows(); ++i) {
    const bool begins = text.samples.text(i)[0] == model.tokenizer->begin();
    if (begins || !first) text.rows.push_back(static_cast<std::uint32_t>(i));
  }
  return text;
}

double mean_loss(const Architecture& model, const Vector& weights, const Text& text) {
  const Evaluation total = evaluate_rows(
      model, [&] { return std::make_unique<FullWeights>(weights); }, text.samples, text.rows);
  return total.loss / static_cast<double>(total.rows);
}

}  // namespace skiff::cli
