// Text sources: windows in which every token is a target once, clients by file, speaker and user,
// masks, the grammar.
#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "algorithms/data/grammar.h"
#include "algorithms/data/text_samples.h"
#include "tests/data/data_test.h"
#include "tests/data/hdf5_fixture.h"

namespace skiff::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::int32_t> row(const Samples& samples, int i) {
  return {samples.text(i), samples.text(i) + samples.length};
}

TextParams bytes_of(int length, bool pack = true, const std::string& objective = "next-token") {
  TextParams params;
  params.tokenizer.word = "byte";
  params.sequence_length = length;
  params.pack = pack;
  params.objective = objective;
  return params;
}

constexpr std::int32_t kB = 256;  // opens a text

TEST(TextSamplesTest, WindowsOverlapByOneAndTheLastIsPadded) {
  TextCorpus corpus;
  corpus.train = {{-1, "abcde", 0}};
  const LoadedData data = text_samples("t", corpus, bytes_of(4), 1);
  EXPECT_EQ(data.shape.kind, TaskKind::kNextToken);
  EXPECT_EQ(data.shape.vocabulary, 257);
  ASSERT_EQ(data.train.rows(), 2);
  EXPECT_THAT(row(data.train, 0), ElementsAre(kB, 'a', 'b', 'c', 'd'));
  EXPECT_THAT(row(data.train, 1), ElementsAre('d', 'e', kNoToken, kNoToken, kNoToken));
  EXPECT_TRUE(data.train_owner.empty());
}

TEST(TextSamplesTest, AWindowWithoutATargetIsNone) {
  TextCorpus corpus;
  corpus.train = {{-1, "abcd", 0}};
  EXPECT_EQ(text_samples("t", corpus, bytes_of(4), 1).train.rows(), 1);
}

TEST(TextSamplesTest, PackedTextsOfAClientFollowOneAnother) {
  TextCollector texts;
  texts.add("x", "ab");
  texts.add("y", "c");
  texts.add("x", "de");
  TextCollector copy = texts;
  const LoadedData packed = text_samples("t", texts.done(), bytes_of(6), 1);
  ASSERT_EQ(packed.train.rows(), 2);
  EXPECT_THAT(row(packed.train, 0), ElementsAre(kB, 'a', 'b', kB, 'd', 'e', kNoToken));
  EXPECT_THAT(packed.train_owner, ElementsAre(0, 1));
  EXPECT_THAT(packed.train.labels, ElementsAre(1, 2));
  const LoadedData apart = text_samples("t", copy.done(), bytes_of(6, false), 1);
  EXPECT_EQ(apart.train.rows(), 3);
  EXPECT_THAT(apart.train_owner, ElementsAre(0, 0, 1));
}

TEST(TextSamplesTest, TestTextsOfStrangersAreNobodys) {
  TextCollector texts;
  texts.add("x", "ab");
  texts.begin_test();
  texts.add("z", "ab");
  texts.add("x", "cd");
  const LoadedData data = text_samples("t", texts.done(), bytes_of(3), 1);
  EXPECT_TRUE(data.has_test);
  EXPECT_THAT(data.test_owner, ElementsAre(-1, 0));
  EXPECT_THAT(data.owners, ElementsAre("x"));
}

TEST(TextSamplesTest, MasksAreBertsShares) {
  TextCorpus corpus;
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += static_cast<char>('a' + i * 7 % 26);
  corpus.train = {{-1, text, 0}};
  const LoadedData data = text_samples("t", corpus, bytes_of(100, true, "masked-token"), 1);
  EXPECT_EQ(data.shape.kind, TaskKind::kMaskedToken);
  EXPECT_EQ(data.shape.vocabulary, 258);
  double tokens = 0, asked = 0, as_mask = 0, same = 0;
  for (int i = 0; i < data.train.rows(); ++i) {
    const std::vector<std::int32_t> ids = row(data.train, i);
    ASSERT_EQ(ids.size(), 200u);
    int of_row = 0;
    for (std::size_t j = 0; j < 100; ++j) {
      const std::int32_t input = ids[j], target = ids[100 + j];
      if (input == kNoToken) {
        EXPECT_EQ(target, kNoToken);
        continue;
      }
      ++tokens;
      if (target == kNoToken) continue;
      ++asked, ++of_row;
      as_mask += input == 257;
      same += input == target;
      EXPECT_LT(target, 257);
    }
    EXPECT_GE(of_row, 1);
  }
  EXPECT_NEAR(asked / tokens, 0.15 + 0.85 / 100, 0.003);  // one of each row is asked for sure
  EXPECT_NEAR(as_mask / asked, 0.8, 0.01);
  EXPECT_NEAR(same / asked, 0.1, 0.01);
  const LoadedData again = text_samples("t", corpus, bytes_of(100, true, "masked-token"), 1);
  EXPECT_EQ(hash_of(again.train.tokens), hash_of(data.train.tokens));
}

// --- text --------------------------------------------------------------------------------------

TEST(TextSourceTest, FilesOfAFolderAreClients) {
  const TempFolder folder;
  folder.write("texts/1790-Washington.txt", "Fellow citizens");
  folder.write("texts/1801-Jefferson.txt", "Friends");
  folder.write("texts/.hidden", "no");
  const LoadedData data = load(
      "text", {{"path", folder.path("texts")}, {"tokenizer", "char"}, {"sequence_length", "8"}});
  EXPECT_THAT(data.owners, ElementsAre("1790-Washington", "1801-Jefferson"));
  EXPECT_THAT(data.train_owner, ElementsAre(0, 0, 1));
}

TEST(TextSourceTest, AuthorsOfFilesAreClients) {
  const TempFolder folder;
  folder.write("texts/1945-Truman.txt", "Mr. Speaker");
  folder.write("texts/1946-Truman-2.txt", "Congress");
  folder.write("texts/1989-Bush.txt", "Tonight");
  folder.write("texts/1776.txt", "When in the course");
  folder.write("texts/README", "no text");
  const LoadedData data = load("text", {{"path", folder.path("texts")},
                                        {"users", "authors"},
                                        {"tokenizer", "char"},
                                        {"sequence_length", "8"}});
  EXPECT_EQ(data.owners, (std::vector<std::string>{"1776", "Truman", "Bush"}));
}

TEST(TextSourceTest, AZipIsAFolder) {
  const std::string path = real_data("text/nltk_state_union.zip");
  if (path.empty()) GTEST_SKIP() << "no State of the Union addresses among the data";
  const LoadedData data = load(
      "text",
      {{"path", path}, {"users", "authors"}, {"tokenizer", "byte"}, {"sequence_length", "64"}});
  EXPECT_THAT(data.owners, ElementsAre("Truman", "Eisenhower", "Kennedy", "Johnson", "Nixon",
                                       "Ford", "Carter", "Reagan", "Bush", "Clinton", "GWBush"));
  std::vector<std::int64_t> rows(data.owners.size());
  for (const std::int32_t owner : data.train_owner) ++rows[static_cast<std::size_t>(owner)];
  EXPECT_GT(rows[0], (10'914 + 171'539 + 37'329 + 30'603 + 20'773 + 30'409 + 22'967) / 64);
  EXPECT_EQ(std::accumulate(rows.begin(), rows.end(), std::int64_t{0}), data.train.rows());
}

// An archive of one stored entry, "2001-A.txt" with the text "one two".
std::string stored_zip() {
  const auto le = [](std::uint32_t x, int n) {
    std::string s;
    for (int i = 0; i < n; ++i) s.push_back(static_cast<char>(x >> (8 * i) & 255));
    return s;
  };
  const std::string name = "2001-A.txt", text = "one two";
  const std::string sizes = le(0xcd07892f, 4) + le(static_cast<std::uint32_t>(text.size()), 4) +
                            le(static_cast<std::uint32_t>(text.size()), 4) +
                            le(static_cast<std::uint32_t>(name.size()), 2) + le(0, 2);
  const std::string local =
      le(0x04034b50, 4) + le(20, 2) + le(0, 2) + le(0, 2) + le(0, 4) + sizes + name + text;
  const std::string central = le(0x02014b50, 4) + le(20, 2) + le(20, 2) + le(0, 2) + le(0, 2) +
                              le(0, 4) + sizes + le(0, 2) + le(0, 2) + le(0, 2) + le(0, 4) +
                              le(0, 4) + name;
  return local + central + le(0x06054b50, 4) + le(0, 4) + le(1, 2) + le(1, 2) +
         le(static_cast<std::uint32_t>(central.size()), 4) +
         le(static_cast<std::uint32_t>(local.size()), 4) + le(0, 2);
}

std::string zip_complaint(const std::string& bytes) {
  const TempFolder folder;
  try {
    load("text",
         {{"path", folder.write("a.zip", bytes)}, {"tokenizer", "char"}, {"sequence_length", "8"}});
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

TEST(TextSourceTest, BrokenZipsAreRefused) {
  const std::string good = stored_zip();
  EXPECT_EQ(zip_complaint(good), "");
  for (std::size_t n = 0; n < good.size(); ++n) {
    EXPECT_THAT(zip_complaint(good.substr(0, n)), HasSubstr("cut short")) << n;
  }
  const auto with = [&](std::size_t at, char to) {
    std::string bad = good;
    bad[at] = to;
    return zip_complaint(bad);
  };
  const std::size_t central = good.find("PK\1\2"), text = good.find("one two");
  EXPECT_THAT(with(text, 'x'), HasSubstr("2001-A.txt is corrupt"));
  EXPECT_THAT(with(central + 8, 1), HasSubstr("2001-A.txt is encrypted"));
  EXPECT_THAT(with(central + 10, 12), HasSubstr("unknown way"));
  EXPECT_THAT(with(central + 10, 8), HasSubstr("2001-A.txt is corrupt"));
  EXPECT_THAT(with(central + 23, 1), HasSubstr("2001-A.txt is cut short"));
  EXPECT_THAT(with(central + 27, 127), HasSubstr("longer than 1 GiB"));
  EXPECT_THAT(with(central + 42, 3), HasSubstr("the place of 2001-A.txt is wrong"));
  EXPECT_THAT(with(central, 'x'), HasSubstr("directory is broken at entry 1"));
}

TEST(TextSourceTest, ASeparatorCutsAFileIntoTexts) {
  const TempFolder folder;
  const std::string path = folder.write("s.txt", "one two<|endoftext|>\n<|endoftext|> three \n");
  const LoadedData data = load("text", {{"path", path},
                                        {"tokenizer", "word"},
                                        {"sequence_length", "8"},
                                        {"separator", "<|endoftext|>"},
                                        {"pack", "false"}});
  ASSERT_EQ(data.train.rows(), 2);
  EXPECT_EQ(data.shape.vocabulary, 6);
  EXPECT_EQ(data.train.text(1)[2], kNoToken);
  EXPECT_TRUE(data.owners.empty());
}

TEST(TextSourceTest, TinyShakespeareHas299Speakers) {
  const std::string path = real_data("text/tinyshakespeare.txt");
  if (path.empty()) GTEST_SKIP() << "no tinyshakespeare among the data";
  const LoadedData data = load("text", {{"path", path},
                                        {"tokenizer", "char"},
                                        {"sequence_length", "5000"},
                                        {"users", "speakers"},
                                        {"pack", "false"}});
  EXPECT_EQ(data.owners.size(), 299u);
  EXPECT_EQ(data.train.rows(), 7'097);
  std::int64_t characters = 0;
  std::map<std::int32_t, int> speeches;
  for (int i = 0; i < data.train.rows(); ++i) {
    const std::vector<std::int32_t> ids = row(data.train, i);
    characters += std::count_if(ids.begin() + 1, ids.end(), [](int id) { return id >= 0; });
    ++speeches[data.train_owner[static_cast<std::size_t>(i)]];
  }
  EXPECT_EQ(characters, 1'020'755);
  const auto gloucester = std::find(data.owners.begin(), data.owners.end(), "GLOUCESTER");
  EXPECT_EQ(speeches[static_cast<std::int32_t>(gloucester - data.owners.begin())], 211);
}

TEST(TextSourceTest, EveryStoryIsTokenizedOnceWhateverThePacking) {
  const std::string folder = real_data("llama2c");
  if (folder.empty()) GTEST_SKIP() << "no llama2c among the data";
  for (const char* pack : {"true", "false"}) {
    const LoadedData data = load("text", {{"path", folder + "/eval_tinystories_100.txt"},
                                          {"tokenizer", folder + "/tok512.bin"},
                                          {"sequence_length", "128"},
                                          {"separator", "<|endoftext|>"},
                                          {"pack", pack}});
    std::int64_t targets = 0, openings = 0;
    for (int i = 0; i < data.train.rows(); ++i) {
      const std::vector<std::int32_t> ids = row(data.train, i);
      targets += std::count_if(ids.begin() + 1, ids.end(), [](int id) { return id >= 0; });
      openings += std::count(ids.begin() + 1, ids.end(), 1);
    }
    const bool packed = std::string(pack) == "true";
    EXPECT_EQ(openings, packed ? 99 : 0);
    EXPECT_EQ(targets - openings, 63'220) << pack;  // of the golden ids, begin() left out
  }
}

std::string told(const std::string& source, Settings settings) {
  try {
    load(source, settings);
  } catch (const std::exception& error) {
    return error.what();
  }
  return "nothing was refused";
}

TEST(TextSourceTest, WhatHasNoTextOrNoSenseIsRefused) {
  const TempFolder folder;
  std::filesystem::create_directories(folder.path("empty"));
  const std::string blank = folder.write("blank.txt", " \n \n");
  const auto with = [&](const std::string& path, Settings more = {}) {
    std::vector<std::pair<const char*, std::string>> all{
        {"path", path}, {"tokenizer", "byte"}, {"sequence_length", "8"}};
    all.insert(all.end(), more.begin(), more.end());
    Node map;
    map.set("source", Node::scalar("text"));
    for (const auto& [key, value] : all) map.set(key, Node::scalar(value));
    try {
      Registry<DataSource>::instance().make(map)->load({}, 1);
    } catch (const std::exception& error) {
      return std::string(error.what());
    }
    return std::string("nothing was refused");
  };
  EXPECT_THAT(with(blank), HasSubstr("has no text"));
  EXPECT_THAT(with(blank, {{"users", "speakers"}}), HasSubstr("has no speeches"));
  EXPECT_THAT(with(folder.path("empty")), HasSubstr("holds no files"));
  EXPECT_THAT(with(blank, {{"words", "100"}}), HasSubstr("belongs to tokenizer: word"));
  EXPECT_THAT(told("text", {{"path", blank}, {"tokenizer", "bite"}, {"sequence_length", "8"}}),
              HasSubstr("is neither byte, char, word nor a file"));
  EXPECT_THAT(told("tff", {{"path", blank}, {"sequence_length", "8"}}),
              HasSubstr("says how text is read; give a tokenizer too"));
  EXPECT_THAT(told("leaf", {{"path", blank}, {"tokenizer", "byte"}}),
              HasSubstr("sequence_length: required by text"));
}

// --- tff and leaf ------------------------------------------------------------------------------

TEST(TffTextTest, SnippetsOfEachClientAreTexts) {
  const TempFolder folder;
  const std::string path = write_tff(
      folder.path("s.h5"), {{"HAMLET", {}, {}, {}, "snippets"}, {"LEAR", {}, {}, {}, "tokens"}});
  const LoadedData data =
      load("tff", {{"path", path}, {"tokenizer", "byte"}, {"sequence_length", "32"}});
  EXPECT_THAT(data.owners, ElementsAre("HAMLET", "LEAR"));
  ASSERT_EQ(data.train.rows(), 2);
  EXPECT_EQ(data.train.text(1)[1], 'T');
  const std::string images =
      write_tff(folder.path("i.h5"), {{"f", {1, 2, 2}, {1, 1, 1, 1}, {1}, ""}});
  EXPECT_THAT(told("tff", {{"path", images}, {"tokenizer", "byte"}, {"sequence_length", "8"}}),
              HasSubstr("holds no text"));
}

TEST(TffTextTest, TinyShakespeareSpeakers) {
  const std::string path = real_data("tff_h5/tinyshakespeare_speakers_train.h5");
  if (path.empty()) GTEST_SKIP() << "no tff_h5 among the data";
  const LoadedData data = load("tff", {{"path", path.substr(0, path.rfind("_train"))},
                                       {"tokenizer", "char"},
                                       {"sequence_length", "5000"},
                                       {"pack", "false"}});
  EXPECT_EQ(data.owners.size(), 247u);
  EXPECT_EQ(data.train.rows(), 6'289);
  EXPECT_EQ(data.test.rows(), 756);
  EXPECT_TRUE(data.has_test);
  EXPECT_EQ(std::count(data.test_owner.begin(), data.test_owner.end(), -1), 0);
}

TEST(LeafTextTest, SlidingWindowsAreJoinedAgain) {
  const TempFolder folder;
  const std::string path =
      folder.write("l.json", R"({"users": ["A"], "num_samples": [4], "user_data": {"A":
                {"x": ["To b", "o be", " be ", "Zoun"], "y": ["e", " ", "o", "d"]}}})");
  const LoadedData data =
      load("leaf",
           {{"path", path}, {"tokenizer", "byte"}, {"sequence_length", "16"}, {"pack", "false"}});
  ASSERT_EQ(data.train.rows(), 2);
  EXPECT_EQ(byte_tokenizer()->decode(std::span(data.train.text(0), 8)), "To be o");
  EXPECT_EQ(byte_tokenizer()->decode(std::span(data.train.text(1), 6)), "Zound");
}

TEST(LeafTextTest, TheShakespeareFixtureIsRead) {
  const std::string path = real_data("leaf_json/leaf_shakespeare_fixture.json");
  if (path.empty()) GTEST_SKIP() << "no leaf_json among the data";
  const LoadedData data =
      load("leaf",
           {{"path", path}, {"tokenizer", "char"}, {"sequence_length", "1000"}, {"pack", "false"}});
  EXPECT_EQ(data.owners.size(), 8u);
  std::int64_t characters = 0;
  for (int i = 0; i < data.train.rows(); ++i) {
    const std::vector<std::int32_t> ids = row(data.train, i);
    characters += std::count_if(ids.begin() + 1, ids.end(), [](int id) { return id >= 0; });
  }
  EXPECT_EQ(characters, 80 * data.train.rows() + 8 * 200);  // each window adds one character
}

// --- none --------------------------------------------------------------------------------------

TEST(NoneTest, MayStandForText) {
  DataOptions options;
  options.clients = 3;
  const LoadedData data =
      load("none", {{"sequence_length", "128"}, {"vocabulary", "500"}}, options);
  EXPECT_EQ(data.shape.kind, TaskKind::kNextToken);
  EXPECT_EQ(data.shape.sequence_length, 128);
  EXPECT_EQ(data.shape.vocabulary, 500);
  EXPECT_THAT(told("none", {{"sequence_length", "8"}, {"features", "4"}}),
              HasSubstr("features: given besides sequence_length"));
  EXPECT_THAT(told("none", {{"vocabulary", "80"}}), HasSubstr("give sequence_length too"));
}

// --- grammar -----------------------------------------------------------------------------------

LoadedData grammar_data(int clients, const std::string& objective, std::uint64_t seed = 1) {
  DataOptions options;
  options.clients = clients;
  options.server_samples = 40;
  return load("grammar",
              {{"tokenizer", "word"},
               {"sequence_length", "24"},
               {"samples_per_client", "50"},
               {"objective", objective}},
              options, seed);
}

TEST(GrammarTest, EachSpeakerDependsOnSeedAndNumberAlone) {
  const grammar::Speaker speaker(0.3, Stream(1, "s", 4));
  Stream a(1, "t"), b(1, "t");
  EXPECT_EQ(speaker.sentence(2, a), grammar::Speaker(0.3, Stream(1, "s", 4)).sentence(2, b));
  const LoadedData few = grammar_data(3, "topic"), again = grammar_data(3, "topic");
  EXPECT_EQ(few.train.tokens, again.train.tokens);
  EXPECT_NE(few.train.tokens, grammar_data(3, "topic", 2).train.tokens);
  EXPECT_EQ(few.train.rows(), 150);
  EXPECT_EQ(few.test.rows(), 15);
  EXPECT_EQ(few.server.rows(), 40);
  EXPECT_EQ(few.shape.kind, TaskKind::kClassification);
  EXPECT_EQ(few.shape.classes, 8);
}

TEST(GrammarTest, VerbsAgreeInNumberAcrossInsertedPhrases) {
  const grammar::Speaker speaker(0, Stream(1, "speaker"));
  std::map<std::string, bool> is_third;  // verb form -> third person singular
  std::set<std::string> nouns;
  for (int t = 0; t < grammar::kTopics; ++t) {
    for (const char* verb : grammar::words(t, grammar::Kind::kVerb)) {
      is_third[verb] = false, is_third[verb + std::string("s")] = true;
    }
  }
  Stream stream(1, "test");
  int seen = 0, inserted = 0;
  for (int i = 0; i < 4000; ++i) {
    const std::string text = speaker.sentence(i % grammar::kTopics, stream);
    const std::vector<std::string> words = split_texts(text, " ");
    const std::set<std::string> singular{"one", "this", "every", "he", "she", "it"};
    const std::set<std::string> plural{"some", "these", "many", "we", "they", "you", "i"};
    const bool one = singular.count(words[0]) > 0;
    if (!one && plural.count(words[0]) == 0) continue;  // "the" and "my" do not say
    int agreeing = 0, forms = 0;
    for (const std::string& w : words) {
      const auto form = is_third.find(w);
      if (form == is_third.end()) continue;
      ++forms, agreeing += form->second == one;
    }
    if (forms != 1) continue;  // a noun that is a verb too
    EXPECT_EQ(agreeing, 1) << text;
    ++seen;
    inserted +=
        text.find(" near ") != std::string::npos || text.find(" with ") != std::string::npos;
  }
  EXPECT_GT(seen, 1000);
  EXPECT_GT(inserted, 100);
}

TEST(GrammarTest, ClientsHaveTopicsOfTheirOwn) {
  const LoadedData data = grammar_data(40, "topic");
  std::vector<std::map<int, int>> topics(40);
  for (int i = 0; i < data.train.rows(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    ++topics[static_cast<std::size_t>(data.train_owner[at])][data.train.labels[at]];
  }
  double share = 0;
  for (const auto& of_client : topics) {
    int most = 0;
    for (const auto& [topic, count] : of_client) most = std::max(most, count);
    share += most / 50.0 / 40.0;
  }
  EXPECT_GT(share, 0.4);  // 1/8 if all were alike
  EXPECT_LT(share, 0.9);
}

TEST(GrammarTest, IsFederatedByItsSpeakers) {
  DataOptions options;
  options.clients = 12;
  const auto source = make<DataSource>(
      "grammar", {{"tokenizer", "word"}, {"sequence_length", "20"}, {"samples_per_client", "30"}});
  const DatasetPtr data = load_dataset("grammar", *source, *make<Partition>("natural"), options, 1);
  EXPECT_EQ(data->clients(), 12);
  EXPECT_EQ(data->samples_of(3), 30);
  EXPECT_EQ(data->test_rows_of(3).size(), 3u);
  EXPECT_GT(data->shape.vocabulary, 150);
  EXPECT_LT(data->shape.vocabulary, 700);
  for (const std::int32_t id : data->train.tokens) EXPECT_LT(id, data->shape.vocabulary);
}

}  // namespace
}  // namespace skiff::test
