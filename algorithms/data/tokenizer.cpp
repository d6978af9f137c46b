#include "algorithms/data/tokenizer.h"

#include "sim/core/error.h"

namespace skiff {

TokenizerPtr read_tokenizer(const std::string& path) {
  if (path.ends_with(".bin")) return read_llama2c_tokenizer(path);
  if (path.ends_with(".txt")) return read_word_tokenizer(path);
  throw DataError(path, "expected a tokenizer: a .bin of llama2.c, or a .txt of one word a line");
}

TokenizerPtr make_tokenizer(const TokenizerChoice& choice, std::span<const std::string> texts,
                            int words) {
  if (choice.word == "byte") return byte_tokenizer();
  if (choice.word == "char") return char_tokenizer(texts);
  if (choice.word == "word") return word_tokenizer(texts, words);
  return read_tokenizer(choice.file.path);
}

bool convert(const Node& node, TokenizerChoice& out, const Rules&, Reader& reader) {
  if (!node.is_scalar()) {
    return detail::expected(node, "byte, char, word or a tokenizer file", reader), false;
  }
  if (node.text == "byte" || node.text == "char" || node.text == "word") {
    out = {node.text, {}};
    return true;
  }
  const std::string path = reader.find_file(node.text);
  if (path.empty()) {
    reader.problem(node.where, "\"" + node.text +
                                   "\" is neither byte, char, word nor a file; looked in " +
                                   reader.searched());
    return false;
  }
  out = {"", {path, node.text}};
  return true;
}

std::string print_value(const TokenizerChoice& v) {
  return v.word.empty() ? v.file.written : v.word;
}

std::size_t utf8_length(std::string_view text) {
  if (text.empty()) return 0;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0xC2 || first > 0xF4) return 1;
  const std::size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (text.size() < length) return 1;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 1;
  }
  // Overlong forms, surrogates and what lies beyond U+10FFFF are no characters.
  if ((first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F)) return 1;
  if ((first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) > 0x8F)) return 1;
  return length;
}

}  // namespace skiff
