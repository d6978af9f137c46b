// Byte-pair encoding by scores, in the file format of llama2.c (what SentencePiece trained).
//
// File, little-endian: int32 max_token_length, then to the end of the file one entry a token:
// float32 score, int32 length, the bytes. Ids: 0 <unk>, 1 opens a text, 2 ends it, 3..258 stand for
// single bytes (written "<0x00>".."<0xFF>").
//
// Encoding: a blank is put before the text; each character becomes its token, or one token a byte
// if it has none; then the adjacent pair whose joined text is a token with the highest score is
// merged, the leftmost of equals, until there is none. Done with a heap over a linked list,
// O(n log n), in the same order as by searching the whole text for each merge.
#include <fmt/format.h>

#include <cmath>
#include <queue>
#include <unordered_map>

#include "algorithms/data/input_file.h"
#include "algorithms/data/tokenizer.h"
#include "sim/core/error.h"

namespace skiff {
namespace {

constexpr std::int32_t kBegin = 1, kEnd = 2, kFirstByte = 3;
constexpr int kLeastTokens = kFirstByte + 256;
constexpr std::int32_t kNone = -1;
constexpr std::int32_t kLongestToken = 1 << 16;  // bytes

struct Piece {
  std::string text;
  float score = 0;
};

// One symbol of the text under way; `next` and `previous` are positions.
struct Symbol {
  std::int32_t id = kNone;  // kNone: merged into the one before
  std::int32_t previous = kNone, next = kNone;
};

struct Merge {
  float score;
  std::int32_t position;     // of the left symbol
  std::int32_t left, right;  // their ids when this was found: else it is out of date
  std::int32_t id;           // what they become
  // The top of the heap: highest score, then leftmost.
  bool operator<(const Merge& other) const {
    return score != other.score ? score < other.score : position > other.position;
  }
};

class Llama2cTokenizer final : public Tokenizer {
 public:
  Llama2cTokenizer(std::string name, std::vector<Piece> pieces)
      : name_(std::move(name)), pieces_(std::move(pieces)) {
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
      ids_.emplace(pieces_[i].text, static_cast<std::int32_t>(i));  // the first of equals
    }
    blank_ = find(" ");
  }
  bool has_blank() const { return blank_ != kNone; }

  int vocabulary() const override { return static_cast<int>(pieces_.size()); }
  std::int32_t begin() const override { return kBegin; }
  std::string summary() const override {
    return fmt::format("{}, {} tokens", name_, pieces_.size());
  }

  TokenIds encode(std::string_view text) const override {
    if (text.empty()) return {};
    std::vector<Symbol> symbols = characters(text);
    std::priority_queue<Merge> merges;
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
      propose(symbols, static_cast<std::int32_t>(i), merges);
    }
    while (!merges.empty()) {
      const Merge merge = merges.top();
      merges.pop();
      apply(merge, symbols, merges);
    }
    TokenIds ids;
    for (std::int32_t at = 0; at != kNone; at = symbols[static_cast<std::size_t>(at)].next) {
      ids.push_back(symbols[static_cast<std::size_t>(at)].id);
    }
    return ids;
  }

  std::string decode(std::span<const std::int32_t> ids) const override {
    std::string text;
    bool first = true;  // the blank that was put before the text goes
    for (const std::int32_t id : ids) {
      if (id == kBegin || id == kEnd || id < 0 || id >= vocabulary()) {
        first = first || id == kBegin;
        continue;
      }
      std::string_view piece = pieces_[static_cast<std::size_t>(id)].text;
      if (first && piece.starts_with(' ')) piece.remove_prefix(1);
      first = false;
      if (id >= kFirstByte && id < kLeastTokens) {
        text += static_cast<char>(id - kFirstByte);
      } else {
        text += piece;
      }
    }
    return text;
  }

 private:
  std::int32_t find(const std::string& text) const {
    const auto found = ids_.find(text);
    return found == ids_.end() ? kNone : found->second;
  }

  std::vector<Symbol> characters(std::string_view text) const {
    std::vector<Symbol> symbols;
    const auto push = [&](std::int32_t id) {
      const auto at = static_cast<std::int32_t>(symbols.size());
      symbols.push_back({id, at - 1, at + 1});
    };
    push(blank_);
    while (!text.empty()) {
      const std::string_view character = text.substr(0, utf8_length(text));
      text.remove_prefix(character.size());
      const std::int32_t id = find(std::string(character));
      if (id != kNone) {
        push(id);
        continue;
      }
      for (const char c : character) push(kFirstByte + static_cast<unsigned char>(c));
    }
    symbols.back().next = kNone;
    return symbols;
  }

  void propose(const std::vector<Symbol>& symbols, std::int32_t position,
               std::priority_queue<Merge>& merges) const {
    const Symbol& left = symbols[static_cast<std::size_t>(position)];
    if (left.next == kNone) return;
    const Symbol& right = symbols[static_cast<std::size_t>(left.next)];
    const std::int32_t id = find(pieces_[static_cast<std::size_t>(left.id)].text +
                                 pieces_[static_cast<std::size_t>(right.id)].text);
    if (id == kNone) return;
    merges.push({pieces_[static_cast<std::size_t>(id)].score, position, left.id, right.id, id});
  }

  void apply(const Merge& merge, std::vector<Symbol>& symbols,
             std::priority_queue<Merge>& merges) const {
    Symbol& left = symbols[static_cast<std::size_t>(merge.position)];
    if (left.id != merge.left || left.next == kNone) return;
    Symbol& right = symbols[static_cast<std::size_t>(left.next)];
    if (right.id != merge.right) return;
    left.id = merge.id;
    right.id = kNone;
    left.next = right.next;
    if (left.next != kNone) symbols[static_cast<std::size_t>(left.next)].previous = merge.position;
    propose(symbols, merge.position, merges);
    if (left.previous != kNone) propose(symbols, left.previous, merges);
  }

  std::string name_;
  std::vector<Piece> pieces_;
  std::unordered_map<std::string, std::int32_t> ids_;
  std::int32_t blank_ = kNone;
};

std::vector<Piece> read_pieces(InputFile& file) {
  std::int32_t longest = 0;
  file.read_exactly(&longest, 4, "the length of the longest token");
  if (longest < 1 || longest > kLongestToken) {
    throw DataError(file.path(), 0,
                    fmt::format("expected the length of the longest token, 1 to {}, found {}",
                                kLongestToken, longest));
  }
  std::vector<Piece> pieces;
  for (;;) {
    const std::int64_t at = file.offset();
    Piece piece;
    std::int32_t length = 0;
    const std::size_t got = file.read(&piece.score, 4);
    if (got == 0) return pieces;
    if (got < 4) throw DataError(file.path(), at, "the file ends inside a token's score");
    file.read_exactly(&length, 4, "a token's length");
    if (!std::isfinite(piece.score)) {
      throw DataError(file.path(), at, fmt::format("token {}: no finite score", pieces.size()));
    }
    if (length < 1 || length > longest) {
      throw DataError(file.path(), at + 4,
                      fmt::format("token {}: expected a length of 1 to {} bytes, found {}",
                                  pieces.size(), longest, length));
    }
    piece.text.resize(static_cast<std::size_t>(length));
    file.read_exactly(piece.text.data(), piece.text.size(), "a token's bytes");
    pieces.push_back(std::move(piece));
  }
}

}  // namespace

TokenizerPtr read_llama2c_tokenizer(const std::string& path) {
  InputFile file(path);
  std::vector<Piece> pieces = read_pieces(file);
  if (pieces.size() < kLeastTokens) {
    throw DataError(path, fmt::format("has {} tokens; expected at least {}: three special ones and "
                                      "256 bytes",
                                      pieces.size(), kLeastTokens));
  }
  for (int byte = 0; byte < 256; ++byte) {
    const std::string& found = pieces[static_cast<std::size_t>(kFirstByte + byte)].text;
    const std::string expected = fmt::format("<0x{:02X}>", byte);
    if (found != expected) {
      throw DataError(path, fmt::format("token {}: expected {}, found \"{}\"", kFirstByte + byte,
                                        expected, found));
    }
  }
  const std::string name = path.substr(path.find_last_of('/') + 1);
  auto tokenizer = std::make_shared<const Llama2cTokenizer>(name, std::move(pieces));
  if (!tokenizer->has_blank()) throw DataError(path, "has no token for a blank");
  return tokenizer;
}

}  // namespace skiff
