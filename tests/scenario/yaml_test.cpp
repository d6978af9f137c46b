#include "sim/scenario/yaml.h"

#include <gtest/gtest.h>

#include "sim/core/random.h"

namespace skiff {
namespace {

Node read(const std::string& text) {
  std::vector<Problem> problems;
  Node node = parse_yaml(text, "a.yaml", problems);
  for (const Problem& p : problems) ADD_FAILURE() << to_string(p);
  return node;
}

bool equal(const Node& a, const Node& b) {
  if (a.kind != b.kind || a.text != b.text || a.quoted != b.quoted ||
      a.items.size() != b.items.size() || a.entries.size() != b.entries.size()) {
    return false;
  }
  for (std::size_t i = 0; i < a.items.size(); ++i) {
    if (!equal(a.items[i], b.items[i])) return false;
  }
  for (std::size_t i = 0; i < a.entries.size(); ++i) {
    if (a.entries[i].key != b.entries[i].key) return false;
    if (!equal(a.entries[i].value, b.entries[i].value)) return false;
  }
  return true;
}

std::string place(const Location& where) {
  return std::to_string(where.line) + ":" + std::to_string(where.column);
}

TEST(Yaml, KnowsWhereKeysAndValuesStand) {
  const Node top = read("seed: 7\ndata:\n  clients: 200\n  partition: {scheme: iid}\n");
  EXPECT_EQ(place(top.entries[1].where), "2:1");
  const Node* data = top.find("data");
  EXPECT_EQ(place(data->where), "3:3");
  EXPECT_EQ(place(data->entries[0].value.where), "3:12");
  EXPECT_EQ(place(data->find("partition")->where), "4:14");
  EXPECT_EQ(place(data->find("partition")->find("scheme")->where), "4:23");
}

TEST(Yaml, CountsColumnsInCharacters) {
  const Node top = read("{a: \"\xC3\xA9\xE2\x82\xAC\", b: 2}");
  EXPECT_EQ(place(top.find("b")->where), "1:14");
}

TEST(Yaml, KeepsWordsAsTheyAreWritten) {
  const Node top = read("{a: yes, b: 017, c: 1e-3, d: \"10\", e: 10 min, f: 0.1, g: True}");
  EXPECT_EQ(top.find("a")->text, "yes");
  EXPECT_EQ(top.find("b")->text, "017");
  EXPECT_EQ(top.find("c")->text, "1e-3");
  EXPECT_TRUE(top.find("d")->quoted);
  EXPECT_FALSE(top.find("e")->quoted);
  EXPECT_EQ(top.find("e")->text, "10 min");
}

TEST(Yaml, ReadsNullInAllItsForms) {
  const Node top = read("a:\nb: ~\nc: null\nd: \"\"\n");
  EXPECT_TRUE(top.find("a")->is_null());
  EXPECT_EQ(place(top.find("a")->where), "1:1");
  EXPECT_TRUE(top.find("b")->is_null());
  EXPECT_TRUE(top.find("c")->is_null());
  EXPECT_TRUE(top.find("d")->is_scalar());
}

TEST(Yaml, ReadsCarriageReturnsAndByteOrderMarks) {
  EXPECT_EQ(read("\xEF\xBB\xBF"
                 "seed: 7\r\nname: x\r\n")
                .find("name")
                ->text,
            "x");
}

TEST(Yaml, WritesWhatItReadsBack) {
  for (const std::string text :
       {"a: 1\nb: {c: [1, \"2\", {d: e}], f: 10 min}\ng: \"x: y\"\nh: a, b\n",
        "\"odd key\": 3\n\"null\": 4\nempty: {}\nlist: []\n", "a: |\n  two\n  lines\n",
        "{a: \"tab\\tquote\\\" back\\\\ bell\\a\", b: '  spaces  ', c: \"\"}",
        "a: -5\nb: +3\nc: .5\nd: \"-\"\ne: /data/x.bin\nf: \"#no\"\ng: \"null\"\nh: ~\n",
        "caf\xC3\xA9: \"na\xC3\xAFve\"\n"}) {
    const Node first = read(text);
    EXPECT_TRUE(equal(first, read(to_yaml(first)))) << to_yaml(first);
  }
}

std::string random_word(Stream& s) {
  static const std::string letters = "ab1.-+/%#:,[]{}\"'\\ \t\n&*!|>@`~=_\xC3\xA9";
  std::string word;
  for (std::uint32_t n = s.below(6); n > 0; --n) {
    word += letters[s.below(static_cast<std::uint32_t>(letters.size() - 2))];
  }
  return word;
}

Node random_node(Stream& s, int depth) {
  Node node = Node::scalar(random_word(s));
  node.quoted = s.below(2) == 0 || !is_plain_word(node.text);
  if (depth == 0 || s.below(3) == 0) return node;
  if (s.below(2) == 0) {
    node = Node();
    node.kind = Node::Kind::kList;
    for (std::uint32_t n = s.below(4); n > 0; --n) node.items.push_back(random_node(s, depth - 1));
    return node;
  }
  node = Node();
  node.kind = Node::Kind::kMap;
  for (std::uint32_t n = s.below(4); n > 0; --n) {
    node.set("k" + std::to_string(n) + random_word(s), random_node(s, depth - 1));
  }
  return node;
}

TEST(Yaml, WritesAnyTreeSoThatItReadsBack) {
  for (std::uint64_t trial = 0; trial < 2000; ++trial) {
    Stream stream(1, "yaml", trial);
    Node tree;
    tree.kind = Node::Kind::kMap;
    tree.set("top", random_node(stream, 4));
    const std::string text = to_yaml(tree);
    ASSERT_TRUE(equal(tree, read(text))) << text;
  }
}

TEST(Yaml, SurvivesAnyBytes) {
  for (std::uint64_t trial = 0; trial < 3000; ++trial) {
    Stream stream(2, "yaml", trial);
    std::string text;
    for (std::uint32_t n = stream.below(60); n > 0; --n) {
      text += trial % 2 == 0 ? static_cast<char>(stream.below(256))
                             : ":-{}[],\n \"'#&*!|>%@ab1"[stream.below(23)];
    }
    std::vector<Problem> problems;
    parse_yaml(text, "a.yaml", problems);
    for (const Problem& p : problems) EXPECT_FALSE(p.message.empty());
  }
}

TEST(Yaml, RefusesWhatWouldTakeForever) {
  for (const std::string& text : {std::string(100000, '['), std::string(100000, '{'),
                                  "a: " + std::string(100000, '['), std::string(50000, '-')}) {
    std::vector<Problem> problems;
    parse_yaml(text, "a.yaml", problems);
    EXPECT_LE(problems.size(), 1u);
  }
}

TEST(Yaml, ShowsTheLineOfAProblemUnlessItIsNoText) {
  SourceTexts texts;
  texts.add("a.yaml", "seed: 7\n\tx: 1\nbinary \xFF\n" + std::string(300, 'x'));
  texts.add_override("a.b=1");
  EXPECT_EQ(texts.line({"a.yaml", 1, 1}), "seed: 7");
  EXPECT_EQ(texts.line({"a.yaml", 2, 1}), " x: 1");
  EXPECT_EQ(texts.line({"a.yaml", 3, 1}), "");
  EXPECT_EQ(texts.line({"a.yaml", 4, 1}), "");
  EXPECT_EQ(texts.line({"a.yaml", 5, 1}), "");
  EXPECT_EQ(texts.line({"b.yaml", 1, 1}), "");
  EXPECT_EQ(texts.line({kOverrideFile, -1, 1}), "a.b=1");
  EXPECT_EQ(texts.line({kOverrideFile, -2, 1}), "");
}

}  // namespace
}  // namespace skiff
