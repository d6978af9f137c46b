// Tokenizers: golden ids of llama2.c's file, the vocabularies of char and word, broken files.
#include "algorithms/data/tokenizer.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "sim/core/random.h"
#include "tests/data/data_test.h"

namespace skiff::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> split(const std::string& text, const std::string& separator) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t at; (at = text.find(separator, begin)) != std::string::npos;) {
    parts.push_back(text.substr(begin, at - begin));
    begin = at + separator.size();
  }
  parts.push_back(text.substr(begin));
  return parts;
}

std::string strip(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// --- llama2.c --------------------------------------------------------------------------------

struct Entry {
  float score;
  std::string text;
};

// <unk>, the two marks, 256 bytes and a blank, then `more`.
std::vector<Entry> entries(const std::vector<Entry>& more = {}) {
  std::vector<Entry> all{{0, "<unk>"}, {0, "\n<s>\n"}, {0, "\n</s>\n"}};
  for (int byte = 0; byte < 256; ++byte) all.push_back({0, fmt::format("<0x{:02X}>", byte)});
  all.push_back({-1, " "});
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

std::string tokenizer_bytes(const std::vector<Entry>& all, std::int32_t longest = 16) {
  std::string bytes(4, '\0');
  std::memcpy(bytes.data(), &longest, 4);
  for (const Entry& e : all) {
    const auto length = static_cast<std::int32_t>(e.text.size());
    char head[8];
    std::memcpy(head, &e.score, 4);
    std::memcpy(head + 4, &length, 4);
    bytes += std::string(head, 8) + e.text;
  }
  return bytes;
}

TEST(Llama2cTokenizerTest, HundredStoriesHaveTheGoldenIdsAndComeBack) {
  const std::string folder = real_data("llama2c");
  if (folder.empty()) GTEST_SKIP() << "no llama2c among the data";
  const TokenizerPtr tokenizer = read_tokenizer(folder + "/tok512.bin");
  EXPECT_EQ(tokenizer->vocabulary(), 512);
  const auto golden =
      nlohmann::json::parse(read_bytes(folder + "/eval_tinystories_100.tokens.json"))["stories"];
  std::size_t story = 0, tokens = 0;
  for (const std::string& piece :
       split(read_bytes(folder + "/eval_tinystories_100.txt"), "<|endoftext|>")) {
    const std::string text = strip(piece);
    if (text.empty()) continue;
    TokenIds ids = tokenizer->encode(text);
    EXPECT_EQ(tokenizer->decode(ids), text) << "story " << story;
    ids.insert(ids.begin(), tokenizer->begin());
    EXPECT_EQ(ids, golden.at(story).get<TokenIds>()) << "story " << story;
    EXPECT_EQ(tokenizer->decode(ids), text);
    tokens += ids.size();
    ++story;
  }
  EXPECT_EQ(story, 100u);
  EXPECT_GT(tokens, 44'000u);
}

// The rule as it is stated: search all pairs for each merge.
TokenIds naive_merges(const std::vector<Entry>& all, const std::string& text) {
  const auto find = [&](const std::string& piece) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i].text == piece) return static_cast<std::int32_t>(i);
    }
    return -1;
  };
  TokenIds ids{find(" ")};
  for (const char c : text) {
    const std::int32_t id = find(std::string(1, c));
    ids.push_back(id >= 0 ? id : 3 + static_cast<unsigned char>(c));
  }
  for (;;) {
    float best = -1e10F;
    std::size_t where = ids.size();
    std::int32_t what = -1;
    for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
      const auto piece = [&](std::size_t j) { return all[static_cast<std::size_t>(ids[j])].text; };
      const std::int32_t id = find(piece(i) + piece(i + 1));
      if (id >= 0 && all[static_cast<std::size_t>(id)].score > best) {
        best = all[static_cast<std::size_t>(id)].score, where = i, what = id;
      }
    }
    if (what < 0) return ids;
    ids[where] = what;
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(where) + 1);
  }
}

TEST(Llama2cTokenizerTest, MergesAsTheNaiveRuleDoesWithManyTies) {
  const std::vector<Entry> all = entries({{-2, "a"},
                                          {-2, "b"},
                                          {3, "aa"},
                                          {3, "ab"},
                                          {3, "ba"},
                                          {2, "aab"},
                                          {4, "abab"},
                                          {3, "aaa"},
                                          {1, "bb"},
                                          {5, " a"},
                                          {3, "baa"}});
  const TempFolder folder;
  const TokenizerPtr tokenizer = read_tokenizer(folder.write("ties.bin", tokenizer_bytes(all)));
  Stream stream(1, "test");
  for (int repetition = 0; repetition < 300; ++repetition) {
    std::string text;
    const std::uint32_t length = 1 + stream.below(30);
    for (std::uint32_t i = 0; i < length; ++i) text += "aaabbb c\n"[stream.below(9)];
    EXPECT_EQ(tokenizer->encode(text), naive_merges(all, text)) << text;
    EXPECT_EQ(tokenizer->decode(tokenizer->encode(text)), text);
  }
}

TEST(Llama2cTokenizerTest, CharactersWithoutATokenBecomeBytesAndEveryByteComesBack) {
  const TempFolder folder;
  const TokenizerPtr tokenizer =
      read_tokenizer(folder.write("t.bin", tokenizer_bytes(entries({{0, "\xC3\xA9"}}))));
  EXPECT_THAT(tokenizer->encode("\xC3\xA9\n\xC3\xBC"),
              ElementsAre(259, 260, 13, 3 + 0xC3, 3 + 0xBC));
  EXPECT_TRUE(tokenizer->encode("").empty());
  std::string bytes;
  for (int i = 0; i < 512; ++i) bytes += static_cast<char>(i * 7);
  EXPECT_EQ(tokenizer->decode(tokenizer->encode(bytes)), bytes);
}

TEST(Llama2cTokenizerTest, LongTextsTakeNoQuadraticTime) {
  const TempFolder folder;
  const TokenizerPtr tokenizer = read_tokenizer(
      folder.write("t.bin", tokenizer_bytes(entries({{0, "a"}, {1, "aa"}, {2, "aaaa"}}))));
  EXPECT_EQ(tokenizer->encode(std::string(400'000, 'a')).size(), 1u + 100'000u);
}

std::string complaint_about(const std::string& bytes, const std::string& name = "t.bin") {
  const TempFolder folder;
  try {
    read_tokenizer(folder.write(name, bytes));
  } catch (const DataError& error) {
    return std::string(error.what()).substr(folder.path().size() + 1);
  }
  return "nothing was refused";
}

TEST(Llama2cTokenizerTest, BrokenFilesAreRefusedWithTheirPlace) {
  const std::string good = tokenizer_bytes(entries());
  EXPECT_EQ(complaint_about(good), "nothing was refused");
  EXPECT_THAT(complaint_about(""), HasSubstr("the length of the longest token"));
  EXPECT_THAT(complaint_about(tokenizer_bytes(entries(), 0)),
              HasSubstr("byte 0: expected the length of the longest token, 1 to 65536, found 0"));
  EXPECT_THAT(complaint_about(tokenizer_bytes(entries(), 3)),
              HasSubstr("byte 8: token 0: expected a length of 1 to 3 bytes, found 5"));
  EXPECT_THAT(complaint_about(good.substr(0, good.size() - 1)), HasSubstr("a token's bytes"));
  EXPECT_THAT(complaint_about(good + "ab"), HasSubstr("the file ends inside a token's score"));
  EXPECT_THAT(complaint_about(tokenizer_bytes({{0, "<unk>"}})), HasSubstr("has 1 tokens"));
  std::vector<Entry> all = entries();
  all[7].text = "<0x99>";
  EXPECT_THAT(complaint_about(tokenizer_bytes(all)), HasSubstr("token 7: expected <0x04>"));
  all = entries();
  all[5].score = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(complaint_about(tokenizer_bytes(all)), HasSubstr("token 5: no finite score"));
  all = entries();
  all.back().text = "x";
  EXPECT_THAT(complaint_about(tokenizer_bytes(all)), HasSubstr("no token for a blank"));
  EXPECT_THAT(complaint_about(good, "t.json"), HasSubstr("expected a tokenizer: a .bin"));
}

// --- byte, char, word --------------------------------------------------------------------------

TEST(ByteTokenizerTest, EveryByteIsItself) {
  const TokenizerPtr tokenizer = byte_tokenizer();
  EXPECT_THAT(tokenizer->encode(std::string("A\xFF\0", 3)), ElementsAre(65, 255, 0));
  EXPECT_EQ(tokenizer->decode(TokenIds{256, 65, 10}), "A\n");
  EXPECT_EQ(tokenizer->vocabulary(), 257);
}

TEST(CharTokenizerTest, IdsAreCodePointsInOrderAndOthersAreUnknown) {
  const std::vector<std::string> texts{
      "b\xC3\xA9"
      "a",
      "ab\n"};
  const TokenizerPtr tokenizer = char_tokenizer(texts);
  EXPECT_EQ(tokenizer->vocabulary(), 2 + 4);
  EXPECT_THAT(tokenizer->encode("\nab\xC3\xA9z"), ElementsAre(2, 3, 4, 5, 0));
  EXPECT_EQ(tokenizer->decode(TokenIds{1, 5, 3, 0}),
            "\xC3\xA9"
            "a\xEF\xBF\xBD");
}

TEST(CharTokenizerTest, TinyShakespeareHas65Characters) {
  const std::string path = real_data("text/tinyshakespeare.txt");
  if (path.empty()) GTEST_SKIP() << "no tinyshakespeare among the data";
  const std::vector<std::string> texts{read_bytes(path)};
  const TokenizerPtr tokenizer = char_tokenizer(texts);
  EXPECT_EQ(tokenizer->vocabulary(), 65 + 2);
  EXPECT_EQ(tokenizer->decode(tokenizer->encode(texts[0])), texts[0]);
}

TEST(WordTokenizerTest, KeepsTheMostFrequentWordsAndCountsLineEnds) {
  const std::vector<std::string> texts{"b a  b\na c\tb", "<unk> d"};
  const TokenizerPtr tokenizer = word_tokenizer(texts, 5);  // three special ones, b and a
  EXPECT_EQ(tokenizer->vocabulary(), 5);
  EXPECT_THAT(tokenizer->encode("a b\nc <unk>\n"), ElementsAre(4, 3, 2, 0, 0, 2));
  EXPECT_EQ(tokenizer->decode(TokenIds{1, 4, 3, 2, 0, 4}), "a b\n<unk> a");
  EXPECT_THAT(word_tokenizer(texts, 100)->encode("b a c d"), ElementsAre(3, 4, 5, 6));
}

TEST(WordTokenizerTest, WikiText2HasItsUsualCounts) {
  const std::string path = real_data("text/wikitext2_valid.tokens.txt");
  if (path.empty()) GTEST_SKIP() << "no wikitext2 among the data";
  const std::vector<std::string> texts{read_bytes(path)};
  const TokenIds ids = word_tokenizer(texts, 1 << 20)->encode(texts[0]);
  EXPECT_EQ(ids.size(), 217'646u);
  EXPECT_EQ(std::count(ids.begin(), ids.end(), 2), 217'646 - 213'886);
}

TEST(WordTokenizerTest, VocabularyFilesAreReadAndBrokenOnesRefused) {
  const TempFolder folder;
  const TokenizerPtr tokenizer = read_tokenizer(folder.write("v.txt", "the\r\n<unk>\ncat\n"));
  EXPECT_THAT(tokenizer->encode("cat the dog"), ElementsAre(4, 3, 0));
  EXPECT_THAT(complaint_about("a\n\nb\n", "v.txt"), HasSubstr("v.txt:2: expected a word"));
  EXPECT_THAT(complaint_about("a b\n", "v.txt"), HasSubstr("expected one word, found \"a b\""));
  EXPECT_THAT(complaint_about("a\nb\na\n", "v.txt"), HasSubstr("\"a\" stands on line 1 already"));
  EXPECT_THAT(complaint_about("", "v.txt"), HasSubstr("has no words"));
}

TEST(Utf8Test, OnlyWholeCharactersAreLongerThanOneByte) {
  EXPECT_EQ(utf8_length("\xE2\x82\xAC!"), 3u);
  EXPECT_EQ(utf8_length("\xF0\x9F\x98\x80"), 4u);
  for (const char* broken : {"\x80", "\xC0\x80", "\xE2\x82", "\xED\xA0\x80", "\xE0\x80\x80",
                             "\xF4\x90\x80\x80", "\xFF", "\xF0\x80\x80\x80"}) {
    EXPECT_EQ(utf8_length(broken), 1u) << broken;
  }
  EXPECT_EQ(utf8_length(""), 0u);
}

}  // namespace
}  // namespace skiff::test
