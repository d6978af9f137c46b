// Words between blanks; the end of a line is a token of its own.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>

#include "algorithms/data/input_file.h"
#include "algorithms/data/tokenizer.h"
#include "sim/core/error.h"

namespace skiff {
namespace {

constexpr std::int32_t kUnknown = 0, kBegin = 1, kEndOfLine = 2, kFirst = 3;
constexpr const char* kSpecial[] = {"<unk>", "<s>", "<eos>"};

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f'; }

// visit(word) for each word and visit("\n") for each end of a line.
template <class Visit>
void each_word(std::string_view text, Visit&& visit) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const bool newline = i < text.size() && text[i] == '\n';
    if (i < text.size() && !newline && !is_blank(text[i])) continue;
    if (i > begin) visit(text.substr(begin, i - begin));
    if (newline) visit(text.substr(i, 1));
    begin = i + 1;
  }
}

class WordTokenizer final : public Tokenizer {
 public:
  explicit WordTokenizer(std::vector<std::string> words) : words_(std::move(words)) {
    for (std::int32_t i = 0; i < kFirst; ++i) ids_.emplace(kSpecial[i], i);
    ids_.emplace("\n", kEndOfLine);
    for (std::size_t i = 0; i < words_.size(); ++i) {
      ids_.emplace(words_[i], kFirst + static_cast<std::int32_t>(i));
    }
  }

  int vocabulary() const override { return kFirst + static_cast<int>(words_.size()); }
  std::int32_t begin() const override { return kBegin; }
  TokenIds encode(std::string_view text) const override {
    TokenIds ids;
    std::string key;
    each_word(text, [&](std::string_view word) {
      key.assign(word);
      const auto found = ids_.find(key);
      ids.push_back(found == ids_.end() ? kUnknown : found->second);
    });
    return ids;
  }
  std::string decode(std::span<const std::int32_t> ids) const override {
    std::string text;
    for (const std::int32_t id : ids) {
      if (id == kBegin) continue;
      if (id == kEndOfLine) {
        text += '\n';
        continue;
      }
      if (!text.empty() && text.back() != '\n') text += ' ';
      const bool known = id >= kFirst && id < vocabulary();
      text += known ? words_[static_cast<std::size_t>(id - kFirst)] : kSpecial[kUnknown];
    }
    return text;
  }
  std::string summary() const override { return fmt::format("word, {} tokens", vocabulary()); }

 private:
  std::vector<std::string> words_;
  std::unordered_map<std::string, std::int32_t> ids_;
};

bool is_special(std::string_view word) {
  return std::find(std::begin(kSpecial), std::end(kSpecial), word) != std::end(kSpecial);
}

}  // namespace

TokenizerPtr word_tokenizer(std::span<const std::string> texts, int vocabulary) {
  std::map<std::string, std::int64_t, std::less<>> counts;
  for (const std::string& text : texts) {
    each_word(text, [&](std::string_view word) {
      if (word == "\n" || is_special(word)) return;
      const auto found = counts.find(word);
      if (found != counts.end()) {
        ++found->second;
      } else {
        counts.emplace(word, 1);
      }
    });
  }
  std::vector<std::pair<std::string, std::int64_t>> order(counts.begin(), counts.end());
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  const auto most = static_cast<std::size_t>(std::max(0, vocabulary - kFirst));
  std::vector<std::string> words;
  for (std::size_t i = 0; i < std::min(most, order.size()); ++i) words.push_back(order[i].first);
  return std::make_shared<const WordTokenizer>(std::move(words));
}

TokenizerPtr read_word_tokenizer(const std::string& path) {
  LineReader lines(path);
  std::vector<std::string> words;
  std::unordered_map<std::string, int> line_of;
  for (std::string_view line; lines.next(line);) {
    if (line.empty()) lines.fail("expected a word, found an empty line");
    const bool blank = std::any_of(line.begin(), line.end(), is_blank);
    if (blank) lines.fail(fmt::format("expected one word, found \"{}\"", line));
    if (is_special(line)) continue;
    const auto [where, fresh] = line_of.emplace(line, lines.number());
    if (!fresh) lines.fail(fmt::format("\"{}\" stands on line {} already", line, where->second));
    words.emplace_back(line);
  }
  if (words.empty()) throw DataError(path, "has no words");
  return std::make_shared<const WordTokenizer>(std::move(words));
}

}  // namespace skiff
