// A language model from a checkpoint, its tokenizer, and texts to try it on: what `eval` and
// `compress` share. The checkpoint may be one that `compress` wrote.
#pragma once

#include <boost/program_options.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "algorithms/data/dataset.h"
#include "algorithms/data/tokenizer.h"
#include "algorithms/models/architecture.h"
#include "algorithms/models/checkpoint.h"
#include "algorithms/models/llama.h"

namespace skiff::cli {

struct LanguageModel {
  CheckpointPtr checkpoint;
  LlamaConfig config;
  std::string tokenizer_path;  // "byte", or a file
  TokenizerPtr tokenizer;
  std::optional<std::string> compression;  // what compress wrote beside it

  // Of texts of that many tokens.
  std::shared_ptr<const Llama> architecture(int sequence_length) const;
  std::shared_ptr<const Vector> weights(const LayoutPtr& layout) const;
};

// `verb` is for messages; `tokenizer`: "" = the tok*.bin beside the checkpoint that fits.
LanguageModel load_language_model(const std::string& verb, const std::string& checkpoint,
                                  const std::string& tokenizer);

struct Text {
  int sequence_length = 0;
  Samples samples;
  std::vector<std::uint32_t> rows;  // those asked for
};
// The texts of a file between separators, cut into windows of at most so many tokens; first: only
// the first window of each.
Text read_text(const std::string& verb, const LanguageModel& model, const std::string& path,
               const std::string& separator, int sequence_length, bool first);

double mean_loss(const Architecture& model, const Vector& weights, const Text& text);

}  // namespace skiff::cli
