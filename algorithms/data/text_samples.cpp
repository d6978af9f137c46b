#include "algorithms/data/text_samples.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "sim/core/error.h"
#include "sim/core/random.h"

namespace skiff {
namespace {

constexpr double kAsked = 0.15, kReadAsMask = 0.8, kReadAsAny = 0.1;

class Cutter {
 public:
  Cutter(const Tokenizer& tokenizer, const TextParams& params, const TaskShape& shape)
      : tokenizer_(tokenizer), params_(params), shape_(shape) {}

  // Texts of one owner are neighbours.
  void cut(const std::vector<ClientText>& texts, Samples& out, std::vector<std::int32_t>& owners) {
    out.length = shape_.text_length();
    TokenIds ids;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      ids.push_back(tokenizer_.begin());
      const TokenIds own = tokenizer_.encode(texts[i].text);
      ids.insert(ids.end(), own.begin(), own.end());
      const bool follows = i + 1 < texts.size() && texts[i + 1].owner == texts[i].owner;
      if (params_.pack && follows && shape_.kind != TaskKind::kClassification) continue;
      windows(ids, texts[i], out, owners);
      ids.clear();
    }
  }

 private:
  void windows(const TokenIds& ids, const ClientText& from, Samples& out,
               std::vector<std::int32_t>& owners) {
    const bool next = shape_.kind == TaskKind::kNextToken;
    const auto stride = static_cast<std::size_t>(shape_.sequence_length);
    const std::size_t length = next ? stride + 1 : stride;
    // A window needs a target: of next-token, a second id.
    for (std::size_t begin = 0; begin + (next ? 1 : 0) < ids.size(); begin += stride) {
      const std::size_t n = std::min(length, ids.size() - begin);
      if (out.labels.size() >= 0x7FFFFFFFU / 2) {
        throw std::invalid_argument("the texts make more than 2^30 samples");
      }
      const bool topic = shape_.kind == TaskKind::kClassification;
      out.labels.push_back(topic ? from.topic : from.owner + 1);
      owners.push_back(from.owner);
      const std::size_t row = out.tokens.size();
      out.tokens.resize(row + static_cast<std::size_t>(shape_.text_length()), kNoToken);
      std::copy_n(ids.begin() + static_cast<std::ptrdiff_t>(begin), n,
                  out.tokens.begin() + static_cast<std::ptrdiff_t>(row));
    }
  }

  const Tokenizer& tokenizer_;
  const TextParams& params_;
  const TaskShape& shape_;
};

// Inputs are masked in place, what they were becomes the targets. Drawn by row number: the same
// whatever else is in the set. At least one token of each row is asked.
void mask(Samples& samples, const TaskShape& shape, const Stream& stream, std::uint64_t first) {
  const auto length = static_cast<std::size_t>(shape.sequence_length);
  const std::int32_t mask_id = shape.vocabulary - 1;
  for (int i = 0; i < samples.rows(); ++i) {
    std::int32_t* const input = samples.text(i);
    std::int32_t* const target = input + length;
    Stream own = stream.child("row", first + static_cast<std::uint64_t>(i));
    std::size_t filled = 0;
    while (filled < length && input[filled] != kNoToken) ++filled;
    const std::size_t surely = own.below(static_cast<std::uint32_t>(filled));
    for (std::size_t j = 0; j < filled; ++j) {
      if (own.uniform() >= kAsked && j != surely) continue;
      target[j] = input[j];
      const double way = own.uniform();
      if (way < kReadAsMask) {
        input[j] = mask_id;
      } else if (way < kReadAsMask + kReadAsAny) {
        input[j] = static_cast<std::int32_t>(own.below(static_cast<std::uint32_t>(mask_id)));
      }
    }
  }
}

TaskShape shape_of(const TextParams& params, const Tokenizer& tokenizer, int topics) {
  TaskShape shape;
  shape.kind = TaskKind::kNextToken;
  shape.vocabulary = tokenizer.vocabulary();
  shape.sequence_length = params.sequence_length;
  if (params.objective == "masked-token") {
    shape.kind = TaskKind::kMaskedToken;
    ++shape.vocabulary;
  }
  if (params.objective == "topic") {
    shape.kind = TaskKind::kClassification;
    shape.classes = topics;
  }
  return shape;
}

}  // namespace

void check_text_keys(const TextParams& params, const TextParams& defaults, const Node& map,
                     Reader& reader) {
  const auto refuse = [&](const char* key, bool told, const std::string& message) {
    const Node* value = map.find(key);
    if (value == nullptr || !told) return;
    const Reader::Scope scope(reader, key);
    reader.problem(value->where, message);
  };
  const bool words = params.words != defaults.words;
  if (!params.tokenizer.given()) {
    const std::string why = "says how text is read; give a tokenizer too, or remove it";
    refuse("sequence_length", true, why);
    refuse("words", words, why);
    refuse("objective", params.objective != defaults.objective, why);
    refuse("pack", params.pack != defaults.pack, why);
    return;
  }
  if (params.sequence_length == 0) {
    const Reader::Scope scope(reader, "sequence_length");
    reader.problem(map.where, "required by text: tokens that a model reads of a sample");
  }
  if (params.tokenizer.word != "word") {
    refuse("words", words, "belongs to tokenizer: word; remove it");
  }
  if (params.objective == "topic") {
    refuse("pack", params.pack != defaults.pack,
           "the texts of objective topic are never packed; remove it");
  }
}

LoadedData text_samples(const std::string& origin, TextCorpus corpus, const TextParams& params,
                        std::uint64_t seed) {
  const auto by_owner = [](const ClientText& a, const ClientText& b) { return a.owner < b.owner; };
  std::vector<std::string> texts;
  for (auto* part : {&corpus.train, &corpus.test, &corpus.server}) {
    std::stable_sort(part->begin(), part->end(), by_owner);
  }
  const bool reads_texts = params.tokenizer.word == "char" || params.tokenizer.word == "word";
  for (const ClientText& t : corpus.train) {
    if (reads_texts) texts.push_back(t.text);
  }
  const TokenizerPtr tokenizer = make_tokenizer(params.tokenizer, texts, params.words);
  texts = {};
  LoadedData data;
  data.shape = shape_of(params, *tokenizer, corpus.topics);
  data.has_test = corpus.has_test;
  Cutter cutter(*tokenizer, params, data.shape);
  std::vector<std::int32_t> of_server;
  cutter.cut(corpus.train, data.train, data.train_owner);
  cutter.cut(corpus.test, data.test, data.test_owner);
  cutter.cut(corpus.server, data.server, of_server);
  if (data.train.rows() == 0) throw DataError(origin, "has no text to learn from");
  if (data.shape.kind == TaskKind::kMaskedToken) {
    mask(data.train, data.shape, Stream(seed, "data.mask"), 0);
    mask(data.test, data.shape, Stream(seed, "data.mask.test"), 0);
    mask(data.server, data.shape, Stream(seed, "data.mask.server"), 0);
  }
  data.owners = std::move(corpus.owners);
  if (data.owners.empty()) data.train_owner.clear(), data.test_owner.clear();
  return data;
}

void TextCollector::add(const std::string& client, std::string text) {
  const auto found = index_.find(client);
  std::int32_t owner = -1;
  if (found != index_.end()) {
    owner = found->second;
  } else if (!testing_) {
    owner = static_cast<std::int32_t>(corpus_.owners.size());
    index_.emplace(client, owner);
    corpus_.owners.push_back(client);
  }
  part().push_back({owner, std::move(text), 0});
}

std::vector<std::string> split_texts(const std::string& text, const std::string& separator) {
  std::vector<std::string> pieces;
  for (std::size_t begin = 0; begin <= text.size();) {
    std::size_t end = separator.empty() ? std::string::npos : text.find(separator, begin);
    end = std::min(end, text.size());
    const std::string piece = text.substr(begin, end - begin);
    const std::size_t first = piece.find_first_not_of(" \t\r\n");
    if (first != std::string::npos) {
      pieces.push_back(piece.substr(first, piece.find_last_not_of(" \t\r\n") - first + 1));
    }
    begin = end + std::max<std::size_t>(1, separator.size());
  }
  return pieces;
}

}  // namespace skiff
