// From the texts of clients to samples of token ids: what every text source ends with.
//
// Each text is begun by the tokenizer's begin(). Packed (the usual way to feed a language model),
// the texts of a client follow one another; otherwise each stands alone. They are cut into windows
// of sequence_length + 1 ids that overlap by one, so every id but the first is a target exactly
// once; the last window is padded with kNoToken.
//   next-token    the window as it is
//   masked-token  sequence_length ids, of which 15 % are asked: 80 % of these read as the mask (one
//                 more id, the vocabulary's last), 10 % as any id, 10 % as they are (Devlin et al.
//                 2019, section 3.1); drawn once, from the stream "data.mask" of the seed
//   topic         the ids of a window, and the topic of its text as the label
// Labels of the first two are the client's number (0 = nobody's): a partition by labels then mixes
// clients.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "algorithms/data/source.h"
#include "algorithms/data/tokenizer.h"
#include "sim/core/schema.h"

namespace skiff {

// Keys that the text sources share.
struct TextParams {
  TokenizerChoice tokenizer;
  int sequence_length = 0;
  int words = kDefaultWords;
  std::string objective = "next-token";
  bool pack = true;
};
inline constexpr int kMostSequence = 1 << 20;

// Rules across them: keys that would have no effect are refused, unless they say what the source's
// `defaults` say anyway: a printed configuration holds them all.
void check_text_keys(const TextParams& params, const TextParams& defaults, const Node& map,
                     Reader& reader);

// Declares them for a P that derives from TextParams; `required` = false where a source can also
// read what is no text. `topics`: the source knows topics.
template <class P>
void add_text_fields(Schema<P>& s, bool required, bool topics = false) {
  auto tokenizer = s.field("tokenizer", &P::tokenizer, "byte, char, word, or a file: .bin, .txt");
  auto length = s.field("sequence_length", &P::sequence_length, "tokens that a model reads")
                    .in(1, kMostSequence)
                    .no_default();
  if (required) {
    tokenizer.required("by text: byte, char, word or a tokenizer file");
    length.required("by text: tokens that a model reads of a sample");
  }
  s.field("words", &P::words, "tokenizer word: the most words that have an id").in(4, 1e7);
  std::vector<std::string> objectives{"next-token", "masked-token"};
  if (topics) objectives.emplace_back("topic");
  s.field("objective", &P::objective, "what is predicted of a text").one_of(objectives);
  s.field("pack", &P::pack, "the texts of a client follow one another in its samples");
  s.check(
      [](const P& p, const Node& map, Reader& reader) { check_text_keys(p, P{}, map, reader); });
}

struct ClientText {
  std::int32_t owner = -1;  // -1: nobody's
  std::string text;
  int topic = 0;
};

struct TextCorpus {
  std::vector<std::string> owners;
  std::vector<ClientText> train, test, server;
  bool has_test = false;
  int topics = 0;
};

// Collects the texts of clients that have names: training texts first, then test texts. A test text
// of a client without training texts is nobody's.
class TextCollector {
 public:
  void add(const std::string& client, std::string text);
  void add(std::string text) { part().push_back({-1, std::move(text), 0}); }  // nobody's
  void begin_test() { testing_ = corpus_.has_test = true; }
  bool empty() const { return corpus_.train.empty() && corpus_.test.empty(); }
  TextCorpus done() { return std::move(corpus_); }

 private:
  std::vector<ClientText>& part() { return testing_ ? corpus_.test : corpus_.train; }

  TextCorpus corpus_;
  std::map<std::string, std::int32_t> index_;
  bool testing_ = false;
};

// `origin` is for the messages. Throws DataError if there is no text, std::invalid_argument where
// the samples would not fit into memory.
LoadedData text_samples(const std::string& origin, TextCorpus corpus, const TextParams& params,
                        std::uint64_t seed);

// `text` cut at each `separator`, blanks at both ends of a piece removed, empty pieces dropped.
std::vector<std::string> split_texts(const std::string& text, const std::string& separator);

}  // namespace skiff
