// Tokenizers that need no word list: bytes, and the characters of the training texts.
#include <fmt/format.h>

#include <map>
#include <set>

#include "algorithms/data/tokenizer.h"

namespace skiff {
namespace {

class ByteTokenizer final : public Tokenizer {
 public:
  int vocabulary() const override { return 257; }
  std::int32_t begin() const override { return 256; }
  TokenIds encode(std::string_view text) const override {
    TokenIds ids;
    ids.reserve(text.size());
    for (const char c : text) ids.push_back(static_cast<unsigned char>(c));
    return ids;
  }
  std::string decode(std::span<const std::int32_t> ids) const override {
    std::string text;
    for (const std::int32_t id : ids) {
      if (id >= 0 && id < 256) text += static_cast<char>(id);
    }
    return text;
  }
  std::string summary() const override { return "byte, 257 tokens"; }
};

constexpr std::int32_t kOther = 0, kBegin = 1, kFirst = 2;

class CharTokenizer final : public Tokenizer {
 public:
  explicit CharTokenizer(std::span<const std::string> texts) {
    std::set<std::string, std::less<>> characters;
    for (const std::string& text : texts) {
      each_character(text, [&](std::string_view c) {
        if (characters.find(c) == characters.end()) characters.emplace(c);
      });
    }
    for (const std::string& c : characters) {  // in the order of their code points
      ids_.emplace(c, kFirst + static_cast<std::int32_t>(characters_.size()));
      characters_.push_back(c);
    }
  }

  int vocabulary() const override { return kFirst + static_cast<int>(characters_.size()); }
  std::int32_t begin() const override { return kBegin; }
  TokenIds encode(std::string_view text) const override {
    TokenIds ids;
    ids.reserve(text.size());
    each_character(text, [&](std::string_view c) {
      const auto found = ids_.find(c);
      ids.push_back(found == ids_.end() ? kOther : found->second);
    });
    return ids;
  }
  std::string decode(std::span<const std::int32_t> ids) const override {
    std::string text;
    for (const std::int32_t id : ids) {
      if (id >= kFirst && id < vocabulary()) {
        text += characters_[static_cast<std::size_t>(id - kFirst)];
      } else if (id != kBegin) {
        text += "\xEF\xBF\xBD";  // U+FFFD, the replacement character
      }
    }
    return text;
  }
  std::string summary() const override { return fmt::format("char, {} tokens", vocabulary()); }

 private:
  template <class Visit>
  static void each_character(std::string_view text, Visit&& visit) {
    while (!text.empty()) {
      const std::size_t length = utf8_length(text);
      visit(text.substr(0, length));
      text.remove_prefix(length);
    }
  }

  std::map<std::string, std::int32_t, std::less<>> ids_;
  std::vector<std::string> characters_;
};

}  // namespace

TokenizerPtr byte_tokenizer() { return std::make_shared<const ByteTokenizer>(); }
TokenizerPtr char_tokenizer(std::span<const std::string> texts) {
  return std::make_shared<const CharTokenizer>(texts);
}

}  // namespace skiff
