// Tokenizers: text (UTF-8 bytes) to token ids and back.
//
//   byte   256 bytes and one that opens a text
//   char   the code points that occur in the training texts; 0 = any other, 1 opens a text
//   word   what stands between blanks, the most frequent ones; 0 = <unk>, 1 = <s>, 2 = <eos>, the
//          end of a line (word-level models of WikiText and Stack Overflow are fed so)
//   .bin   byte-pair encoding by scores, a file of llama2.c
//   .txt   a vocabulary of words, one a line
//
// The vocabularies of char and word are read off the training texts of all clients together: a
// federation would fix them beforehand, from public text. Immutable; thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/core/convert.h"

namespace skiff {

using TokenIds = std::vector<std::int32_t>;

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  virtual int vocabulary() const = 0;      // ids are 0..vocabulary-1
  virtual std::int32_t begin() const = 0;  // opens a text
  // Without begin(). Any bytes are legal: what is no UTF-8 counts as single bytes.
  virtual TokenIds encode(std::string_view text) const = 0;
  // Of a whole text, begin() before it or not. decode(encode(text)) = text for byte and .bin, for
  // char if every code point is known; word gives single blanks.
  virtual std::string decode(std::span<const std::int32_t> ids) const = 0;
  virtual std::string summary() const = 0;  // "char, 67 tokens"
};
using TokenizerPtr = std::shared_ptr<const Tokenizer>;

TokenizerPtr byte_tokenizer();
TokenizerPtr char_tokenizer(std::span<const std::string> texts);
// `vocabulary`: at most so many ids, the three special ones included; ties by the bytes of a word.
TokenizerPtr word_tokenizer(std::span<const std::string> texts, int vocabulary);
// Throw DataError for files that are none.
TokenizerPtr read_word_tokenizer(const std::string& path);
TokenizerPtr read_llama2c_tokenizer(const std::string& path);
// By the file's ending: .bin or .txt.
TokenizerPtr read_tokenizer(const std::string& path);

// What a scenario says: `tokenizer: char` or `tokenizer: llama2c/tok512.bin`.
struct TokenizerChoice {
  std::string word;  // byte | char | word, or "" for a file
  FilePath file;
  bool given() const { return !word.empty() || !file.path.empty(); }
};
inline constexpr int kDefaultWords = 10'000;  // Hard et al. 2018
// `texts`: the training texts, for char and word.
TokenizerPtr make_tokenizer(const TokenizerChoice& choice, std::span<const std::string> texts,
                            int words = kDefaultWords);

bool convert(const Node&, TokenizerChoice& out, const Rules&, Reader&);
std::string print_value(const TokenizerChoice&);
template <>
struct TypeName<TokenizerChoice> {
  static std::string get() { return "word or file"; }
};

// Bytes of the UTF-8 character that `text` begins with; 1 for a byte that begins none. 0 if empty.
std::size_t utf8_length(std::string_view text);

}  // namespace skiff
