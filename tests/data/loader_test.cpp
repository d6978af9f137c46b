// The loaders on small files made here: every layout that is accepted.
#include <gmock/gmock.h>

#include "tests/data/data_test.h"
#include "tests/data/hdf5_fixture.h"

namespace skiff::test {
namespace {

using ::testing::ElementsAre;

void write_mnist(const TempFolder& folder, bool gzip, bool dotted) {
  const auto put = [&](const std::string& part, int rank, const std::string& bytes) {
    const std::string kind = (dotted ? ".idx" : "-idx") + std::to_string(rank) + "-ubyte";
    if (gzip) {
      folder.write_gzip(part + kind + ".gz", bytes);
    } else {
      folder.write(part + kind, bytes);
    }
  };
  put("train-images", 3, idx({3, 2, 2}, std::string("\0\1\2\3\xff\xfe\xfd\xfc\4\5\6\7", 12)));
  put("train-labels", 1, idx({3}, std::string("\0\3\2", 3)));
  put("t10k-images", 3, idx({1, 2, 2}, std::string("\7\7\7\7", 4)));
  put("t10k-labels", 1, idx({1}, "\1"));
}

TEST(Loaders, MnistReadsPlainAndGzipUnderBothNames) {
  for (const bool gzip : {false, true}) {
    for (const bool dotted : {false, true}) {
      const TempFolder folder;
      write_mnist(folder, gzip, dotted);
      const LoadedData data = load("mnist", {{"path", folder.path()}, {"classes", "4"}});
      EXPECT_EQ(data.shape, (TaskShape{TaskKind::kClassification, 4, 4, 1, 2, 2}));
      EXPECT_THAT(data.train.labels, ElementsAre(0, 3, 2));
      EXPECT_EQ(data.train.row(1)[0], 1.0f);
      EXPECT_EQ(data.train.row(0)[3], 3.0f / 255.0f);
      EXPECT_EQ(data.test.rows(), 1);
      EXPECT_TRUE(data.has_test);
    }
  }
}

std::string cifar_record(char label, char red, char green, char blue) {
  return std::string(1, label) + std::string(1024, red) + std::string(1024, green) +
         std::string(1024, blue);
}

TEST(Loaders, Cifar10ReadsTheBatchesThatAreThere) {
  const TempFolder folder;
  folder.write("data_batch_1.bin", cifar_record(3, 51, 0, 0) + cifar_record(9, 0, 102, 0));
  folder.write_gzip("data_batch_2.bin.gz", cifar_record(1, 0, 0, '\xff'));
  const LoadedData without = load("cifar-10", {{"path", folder.path()}});
  EXPECT_FALSE(without.has_test);
  folder.write("test_few.bin", cifar_record(2, 0, 0, 0));
  const LoadedData data = load("cifar-10", {{"path", folder.path()}});
  EXPECT_EQ(data.shape, (TaskShape{TaskKind::kClassification, 3072, 10, 3, 32, 32}));
  EXPECT_THAT(data.train.labels, ElementsAre(3, 9, 1));
  EXPECT_EQ(data.train.row(0)[0], 0.2f);
  EXPECT_EQ(data.train.row(1)[1024], 0.4f);
  EXPECT_EQ(data.train.row(2)[3071], 1.0f);
  EXPECT_EQ(data.test.rows(), 1);
}

TEST(Loaders, Cifar10ReadsXzThroughTheProgram) {
  if (std::system("xz --version > /dev/null 2>&1") != 0) GTEST_SKIP() << "xz is not installed";
  const TempFolder folder;
  const std::string path = folder.write("data_batch_1.bin", cifar_record(7, 51, 0, 0));
  ASSERT_EQ(std::system(("xz " + path).c_str()), 0);
  const LoadedData data = load("cifar-10", {{"path", folder.path()}});
  EXPECT_THAT(data.train.labels, ElementsAre(7));
}

TEST(Loaders, LibsvmMapsTheSmallerLabelToMinusOne) {
  const TempFolder folder;
  const std::string path = folder.write("tiny.txt",
                                        "2 1:0.5 3:-2e-1 \r\n"
                                        "+1 2:+4\r\n"
                                        "1 \n"
                                        "2  4:7 # a comment 9:9\n"
                                        "\n"
                                        "1 1:1");  // no end of line
  const LoadedData data = load("libsvm", {{"path", path}});
  EXPECT_EQ(data.shape.kind, TaskKind::kBinaryLogistic);
  EXPECT_EQ(data.shape.classes, 2);
  EXPECT_THAT(data.train.labels, ElementsAre(1, -1, -1, 1, -1));
  EXPECT_THAT(data.train.features,
              ElementsAre(0.5f, 0, -0.2f, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 1, 0, 0, 0));
  EXPECT_EQ(load("libsvm", {{"path", path}, {"dimension", "6"}}).train.width, 6);
}

TEST(Loaders, LibsvmNumbersSeveralClassesAndReadsAStem) {
  const TempFolder folder;
  folder.write_gzip("tiny_train.gz", "-1 1:1\n3 2:1\n0.5 1:2\n");
  folder.write("tiny_test.txt", "3 5:1\n");
  const LoadedData data = load("libsvm", {{"path", folder.path("tiny")}});
  EXPECT_EQ(data.shape.kind, TaskKind::kClassification);
  EXPECT_EQ(data.shape.classes, 3);
  EXPECT_THAT(data.train.labels, ElementsAre(0, 2, 1));
  EXPECT_THAT(data.test.labels, ElementsAre(2));
  EXPECT_EQ(data.train.width, 5);
  EXPECT_TRUE(data.has_test);
}

TEST(Loaders, LibsvmReadsLinesLongerThanItsBuffer) {
  std::string text;
  for (int line = 0; line < 3; ++line) {
    text += line == 1 ? "1" : "0";
    for (int j = 1; j <= 200000; ++j) text += " " + std::to_string(j) + ":1";
    text += "\n";
  }
  const TempFolder folder;
  const LoadedData data = load("libsvm", {{"path", folder.write("wide.txt", text)}});
  EXPECT_EQ(data.train.width, 200000);
  EXPECT_THAT(data.train.labels, ElementsAre(-1, 1, -1));
  EXPECT_TRUE(std::all_of(data.train.features.begin(), data.train.features.end(),
                          [](float x) { return x == 1; }));
}

TEST(Loaders, LeafReadsFoldersOfFilesInAnyKeyOrder) {
  const TempFolder folder;
  folder.write("data/train/a.json",
               R"({"user_data": {"ann": {"y": [1, 0.0], "x": [[1, 2], [3, 4]], "raw": [["t"]]}},
                   "hierarchies": ["h", {"deep": [1]}], "num_samples": [2], "users": ["ann"]})");
  folder.write("data/train/b.json",
               R"({"users": ["bob", "eve"], "num_samples": [1, 0], "user_data":
                   {"eve": {"x": [], "y": []}, "bob": {"x": [[5e-1, -6]], "y": [2]}}})");
  folder.write("data/test/c.json",
               R"({"users": ["zoe", "ann"], "num_samples": [1, 1], "user_data":
                   {"ann": {"x": [[7, 8]], "y": [1]}, "zoe": {"x": [[9, 9]], "y": [0]}}})");
  const LoadedData data = load("leaf", {{"path", folder.path()}});
  EXPECT_THAT(data.owners, ElementsAre("ann", "eve", "bob"));
  EXPECT_THAT(data.train.features, ElementsAre(1, 2, 3, 4, 0.5f, -6));
  EXPECT_THAT(data.train.labels, ElementsAre(1, 0, 2));
  EXPECT_THAT(data.train_owner, ElementsAre(0, 0, 2));
  EXPECT_THAT(data.test_owner, ElementsAre(0, -1));
  EXPECT_EQ(data.shape.classes, 3);
  EXPECT_EQ(load("leaf", {{"path", folder.path()}, {"classes", "5"}}).shape.classes, 5);
}

TEST(Loaders, LeafReadsOneFileAndAStem) {
  const TempFolder folder;
  const std::string one = R"({"users": ["a"], "num_samples": [1],
                              "user_data": {"a": {"x": [[1]], "y": [1]}}})";
  folder.write("toy_train.json", one);
  folder.write_gzip("toy_test.json.gz", one);
  const LoadedData stem = load("leaf", {{"path", folder.path("toy")}});
  EXPECT_TRUE(stem.has_test);
  EXPECT_THAT(stem.test_owner, ElementsAre(0));
  EXPECT_FALSE(load("leaf", {{"path", folder.path("toy_train.json")}}).has_test);
}

TEST(Loaders, TffReadsClientsInTheOrderOfTheirNames) {
  const TempFolder folder;
  write_tff(folder.path("toy_train.h5"),
            {{"f2", {1, 2, 2}, {1, 0.5f, 0, 1}, {61}, ""},
             {"f1", {2, 2, 2}, std::vector<float>(8, 0.25f), {3, 4}, ""}});
  write_tff(folder.path("toy_test.h5"), {{"f2", {1, 2, 2}, {0, 0, 0, 1}, {60}, ""}});
  const LoadedData data = load("tff", {{"path", folder.path("toy")}});
  EXPECT_THAT(data.owners, ElementsAre("f1", "f2"));
  EXPECT_THAT(data.train.labels, ElementsAre(3, 4, 61));
  EXPECT_THAT(data.train_owner, ElementsAre(0, 0, 1));
  EXPECT_THAT(data.test_owner, ElementsAre(1));
  EXPECT_EQ(data.train.row(2)[1], 0.5f);
  EXPECT_EQ(data.shape.classes, 62);
}

TEST(Loaders, EachSourceHasExactlyItsOwnKeys) {
  const auto keys = [](const std::string& source) {
    std::vector<std::string> names;
    for (const FieldInfo& f : Registry<DataSource>::instance().find(source)->fields) {
      names.push_back(f.name);
    }
    return names;
  };
  EXPECT_THAT(keys("mnist"), ElementsAre("path", "classes"));
  EXPECT_THAT(keys("cifar-10"), ElementsAre("path"));
  EXPECT_THAT(keys("libsvm"), ElementsAre("path", "dimension"));
  for (const char* either : {"leaf", "tff"}) {
    EXPECT_THAT(keys(either), ElementsAre("path", "classes", "tokenizer", "sequence_length",
                                          "words", "objective", "pack"));
  }
  EXPECT_THAT(keys("glyphs"), ElementsAre("samples_per_client"));
}

}  // namespace
}  // namespace skiff::test
