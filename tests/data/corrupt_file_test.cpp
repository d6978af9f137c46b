// Broken data files: each is refused with the file, the place and what was expected.
#include <gmock/gmock.h>

#include <functional>

#include "tests/data/data_test.h"
#include "tests/data/hdf5_fixture.h"

namespace skiff::test {
namespace {

using ::testing::HasSubstr;

// Loads `source` from `path`; what the DataError says, with the folder cut away.
std::string complaint(const TempFolder& folder, const std::string& source, const std::string& path,
                      Settings settings = {}) {
  Node map;
  map.kind = Node::Kind::kMap;
  map.set("source", Node::scalar(source));
  map.set("path", Node::scalar(path));
  for (const auto& [key, value] : settings) map.set(key, Node::scalar(value));
  try {
    Registry<DataSource>::instance().make(map)->load({}, 1);
  } catch (const DataError& error) {
    std::string text = error.what();
    for (std::size_t at; (at = text.find(folder.path() + "/")) != std::string::npos;) {
      text.erase(at, folder.path().size() + 1);
    }
    return text;
  }
  return "nothing was refused";
}

// --- IDX -------------------------------------------------------------------------------------

struct MnistFiles {
  std::string images = idx({2, 2, 2}, std::string(8, 'x'));
  std::string labels = idx({2}, std::string("\1\2", 2));
  std::string test_images = idx({1, 2, 2}, "xxxx");
  std::string test_labels = idx({1}, "\1");
  bool gzip = false;
};

std::string mnist_complaint(const std::function<void(MnistFiles&)>& break_it) {
  MnistFiles files;
  break_it(files);
  const TempFolder folder;
  const auto put = [&](const std::string& name, const std::string& bytes) {
    if (files.gzip) {
      folder.write_gzip(name + ".gz", bytes);
    } else {
      folder.write(name, bytes);
    }
  };
  put("train-images-idx3-ubyte", files.images);
  put("train-labels-idx1-ubyte", files.labels);
  put("t10k-images-idx3-ubyte", files.test_images);
  put("t10k-labels-idx1-ubyte", files.test_labels);
  return complaint(folder, "mnist", folder.path());
}

TEST(CorruptFiles, IdxThatIsNone) {
  EXPECT_EQ(
      mnist_complaint([](MnistFiles& f) { f.images[0] = 'P'; }),
      "train-images-idx3-ubyte: byte 0: expected an IDX file (00 00 08 03), found 50 00 08 03");
  EXPECT_EQ(mnist_complaint([](MnistFiles& f) { f.images[2] = '\x0d'; }),
            "train-images-idx3-ubyte: byte 2: expected type 0x08 (unsigned bytes), found 0x0d");
  EXPECT_EQ(mnist_complaint([](MnistFiles& f) { f.images = f.labels; }),
            "train-images-idx3-ubyte: byte 3: expected 3 dimensions (images), found 1");
  EXPECT_EQ(mnist_complaint([](MnistFiles& f) { f.images.resize(2); }),
            "train-images-idx3-ubyte: byte 2: the file ends here; expected 4 bytes of IDX magic "
            "number from byte 0");
  EXPECT_EQ(mnist_complaint([](MnistFiles& f) { f.images.resize(9); }),
            "train-images-idx3-ubyte: byte 9: the file ends here; expected 12 bytes of IDX "
            "dimensions from byte 4");
}

TEST(CorruptFiles, IdxThatIsShortOrLong) {
  EXPECT_EQ(mnist_complaint([](MnistFiles& f) { f.images.pop_back(); }),
            "train-images-idx3-ubyte: byte 16: the header promises 2 images of 2 x 2 (8 bytes), "
            "but only 7 bytes can follow");
  EXPECT_EQ(mnist_complaint([](MnistFiles& f) { f.images += 'x'; }),
            "train-images-idx3-ubyte: byte 24: expected the end of the file, found more");
  EXPECT_EQ(mnist_complaint([](MnistFiles& f) { f.labels.pop_back(); }),
            "train-labels-idx1-ubyte: byte 8: the header promises 2 labels (2 bytes), but only 1 "
            "bytes can follow");
  EXPECT_EQ(mnist_complaint([](MnistFiles& f) { f.gzip = true, f.images.pop_back(); }),
            "train-images-idx3-ubyte.gz: byte 23: the file ends here; expected 4 bytes of image 1 "
            "from byte 20");
}

TEST(CorruptFiles, IdxHeadersThatPromiseTerabytesAllocateNothing) {
  const auto huge = [](MnistFiles& f) {
    f.images = idx({0x3fffffff, 4096, 4096}, std::string(8, 'x'));
  };
  EXPECT_THAT(mnist_complaint(huge), HasSubstr("byte 16: the header promises 1073741823 images"));
  EXPECT_THAT(mnist_complaint([&](MnistFiles& f) { f.gzip = true, huge(f); }),
              HasSubstr("but at most"));
  EXPECT_THAT(mnist_complaint([](MnistFiles& f) {
                f.images = idx({2, 65536, 65536}, "");
              }),
              HasSubstr("byte 8: images of 65536 x 65536 pixels"));
  EXPECT_THAT(mnist_complaint([](MnistFiles& f) {
                f.images = idx({0, 2, 2}, "");
              }),
              HasSubstr("byte 4: 0 samples"));
}

TEST(CorruptFiles, IdxFilesThatDoNotBelongTogether) {
  EXPECT_THAT(mnist_complaint([](MnistFiles& f) { f.labels = idx({1}, "\1"); }),
              HasSubstr("train-labels-idx1-ubyte: byte 4: 1 labels for the 2 images"));
  EXPECT_THAT(mnist_complaint([](MnistFiles& f) {
                f.test_images = idx({1, 1, 4}, "xxxx");
              }),
              HasSubstr("byte 8: 1 x 4 pixels, but 2 x 2 in training"));
  EXPECT_EQ(mnist_complaint([](MnistFiles& f) { f.labels[9] = 10; }),
            "train-labels-idx1-ubyte: byte 9: label 10 of sample 1; expected 0..9");
}

TEST(CorruptFiles, MnistFolderWithoutItsFiles) {
  const TempFolder folder;
  EXPECT_THAT(complaint(folder, "mnist", folder.path()),
              HasSubstr("has no train-images-idx3-ubyte or train-images-idx3-ubyte.gz"));
}

// --- gzip ------------------------------------------------------------------------------------

TEST(CorruptFiles, GzipStreams) {
  const TempFolder folder;
  std::string text;
  for (int i = 0; i < 2000; ++i) text += std::to_string(i % 2) + " 1:" + std::to_string(i) + "\n";
  const std::string good = read_bytes(folder.write_gzip("good.gz", text));
  EXPECT_EQ(complaint(folder, "libsvm", folder.path("good.gz")), "nothing was refused");
  const std::string cut = folder.write("cut.gz", good.substr(0, good.size() / 2));
  EXPECT_THAT(complaint(folder, "libsvm", cut), HasSubstr("the gzip stream is cut short"));
  const std::string no_tail = folder.write("no_tail.gz", good.substr(0, good.size() - 4));
  EXPECT_THAT(complaint(folder, "libsvm", no_tail), HasSubstr("the gzip stream is cut short"));
  std::string flipped = good;
  flipped[good.size() / 2] = static_cast<char>(flipped[good.size() / 2] ^ 0x55);
  EXPECT_THAT(complaint(folder, "libsvm", folder.write("flipped.gz", flipped)),
              HasSubstr("bad gzip stream"));
  EXPECT_EQ(complaint(folder, "libsvm", folder.write("plain.gz", text)),
            "plain.gz: byte 0: not a gzip file, despite its name");
}

// --- CIFAR -----------------------------------------------------------------------------------

TEST(CorruptFiles, CifarBatches) {
  const auto refused = [](const std::string& bytes) {
    const TempFolder folder;
    folder.write("data_batch_1.bin", bytes);
    return complaint(folder, "cifar-10", folder.path());
  };
  const std::string record = std::string(1, '\3') + std::string(3072, 'x');
  EXPECT_EQ(refused(record + record.substr(0, 100)),
            "data_batch_1.bin: byte 3173: the file ends inside record 1; a record has 3073 bytes");
  EXPECT_EQ(refused(record + std::string(1, '\x0b') + std::string(3072, 'x')),
            "data_batch_1.bin: byte 3073: label 11; expected 0..9");
  EXPECT_EQ(refused(""), "data_batch_1.bin: has no records");
  const TempFolder folder;
  EXPECT_THAT(complaint(folder, "cifar-10", folder.path()), HasSubstr("has no data_batch_1.bin"));
  folder.write("data_batch_1.bin", record);
  folder.write("test_a.bin", record);
  folder.write("test_b.bin", record);
  EXPECT_THAT(complaint(folder, "cifar-10", folder.path()), HasSubstr("several test batches"));
}

TEST(CorruptFiles, CifarXzThatIsNone) {
  if (std::system("xz --version > /dev/null 2>&1") != 0) GTEST_SKIP() << "xz is not installed";
  const TempFolder folder;
  folder.write("data_batch_1.bin.xz", "this is no xz stream");
  EXPECT_EQ(
      complaint(folder, "cifar-10", folder.path()),
      "data_batch_1.bin.xz: byte 0: xz could not decompress it: the stream is corrupt or cut");
}

TEST(CorruptFiles, CifarXzWithoutTheProgramSaysWhatToRun) {
  const TempFolder folder;
  folder.write("data_batch_1.bin.xz", "whatever");
  const std::string before = std::getenv("PATH");
  setenv("PATH", folder.path().c_str(), 1);
  const std::string text = complaint(folder, "cifar-10", folder.path());
  setenv("PATH", before.c_str(), 1);
  EXPECT_THAT(text, HasSubstr("xz is not installed; run: apt install xz-utils"));
}

// --- LIBSVM ----------------------------------------------------------------------------------

TEST(CorruptFiles, LibsvmLines) {
  const auto refused = [](const std::string& text, Settings settings = {}) {
    const TempFolder folder;
    return complaint(folder, "libsvm", folder.write("a.txt", text), settings);
  };
  EXPECT_EQ(refused("1 1:1\n0 0:1\n"), "a.txt:2: index 0; LIBSVM counts features from 1");
  EXPECT_EQ(refused("1 1:1\n0 3:1 2:1\n"), "a.txt:2: index 2 after 3; indices must ascend");
  EXPECT_EQ(refused("1 1:1 1:2\n"), "a.txt:1: index 1 after 1; indices must ascend");
  EXPECT_EQ(refused("1 1:nan\n"), "a.txt:1: feature 1: expected a finite number, found \"nan\"");
  EXPECT_EQ(refused("1 1:inf\n"), "a.txt:1: feature 1: expected a finite number, found \"inf\"");
  EXPECT_EQ(refused("1 1:2x\n"), "a.txt:1: feature 1: expected a finite number, found \"2x\"");
  EXPECT_EQ(refused("1 1:\n"), "a.txt:1: feature 1: expected a finite number, found \"\"");
  EXPECT_EQ(refused("1 1\n"), "a.txt:1: expected index:value, found \"1\"");
  EXPECT_EQ(refused("1 -3:1\n"), "a.txt:1: expected index:value, found \"-3:1\"");
  EXPECT_EQ(refused("1 99999999999:1\n"), "a.txt:1: expected index:value, found \"99999999999:1\"");
  EXPECT_EQ(refused("spam 1:1\n"), "a.txt:1: expected a label, found \"spam\"");
  EXPECT_EQ(refused("1 1:1\n0 7:1\n", {{"dimension", "5"}}),
            "a.txt:2: index 7 is above the dimension 5");
  EXPECT_EQ(refused("1 1:1\n1 2:1\n"), "a.txt: every label is 1; expected two classes or more");
  EXPECT_EQ(refused("\n\n"), "a.txt: has no samples");
  EXPECT_THAT(refused("1 100000000:1\n" + std::string(100, '\n') +
                      [] {
                        std::string rows;
                        for (int i = 0; i < 100; ++i) rows += "0 1:1\n";
                        return rows;
                      }()),
              HasSubstr("features are held densely"));
  std::string targets;
  for (int i = 0; i < 1500; ++i) targets += std::to_string(i) + " 1:1\n";
  EXPECT_EQ(refused(targets), "a.txt:1001: more than 1000 distinct labels; expected classes");
}

TEST(CorruptFiles, LibsvmTestSetWithALabelOfItsOwn) {
  const TempFolder folder;
  folder.write("b_train.txt", "0 1:1\n1 1:1\n");
  folder.write("b_test.txt", "0 1:1\n2 1:1\n");
  EXPECT_EQ(complaint(folder, "libsvm", folder.path("b")),
            "b_test.txt:2: label 2 does not occur in training");
}

// --- LEAF ------------------------------------------------------------------------------------

std::string leaf_complaint(const std::string& text, Settings settings = {}) {
  const TempFolder folder;
  return complaint(folder, "leaf", folder.write("a.json", text), settings);
}

std::string leaf_user(const std::string& x, const std::string& y, int samples = 2) {
  return R"({"users": ["u"], "num_samples": [)" + std::to_string(samples) +
         R"(], "user_data": {"u": {"x": )" + x + R"(, "y": )" + y + "}}}";
}

TEST(CorruptFiles, LeafThatIsNotJson) {
  EXPECT_THAT(leaf_complaint("users: [a]"), HasSubstr("a.json: byte 1: not JSON"));
  EXPECT_THAT(leaf_complaint(leaf_user("[[1], [2]]", "[0, 1]").substr(0, 60)),
              HasSubstr("not JSON: syntax error"));
  EXPECT_THAT(leaf_complaint(leaf_user("[[NaN], [2]]", "[0, 1]")), HasSubstr("not JSON"));
  EXPECT_THAT(leaf_complaint(leaf_user("[[1e400], [2]]", "[0, 1]")), HasSubstr("not JSON"));
  EXPECT_THAT(leaf_complaint(leaf_user("[[1], [2]]", "[0, 1]") + "]"), HasSubstr("not JSON"));
  EXPECT_THAT(leaf_complaint(""), HasSubstr("not JSON"));
  EXPECT_THAT(leaf_complaint(std::string(100000, '[')), HasSubstr("expected an object"));
}

TEST(CorruptFiles, LeafOfAnotherStructure) {
  EXPECT_THAT(leaf_complaint("[1, 2]"), HasSubstr("byte 1: expected an object, found a list"));
  EXPECT_THAT(leaf_complaint("{}"), HasSubstr("has no user_data"));
  EXPECT_THAT(leaf_complaint(R"({"users": "u"})"), HasSubstr("expected a list as users"));
  EXPECT_THAT(leaf_complaint(R"({"users": [3]})"), HasSubstr("expected the name of a user"));
  EXPECT_THAT(leaf_complaint(R"({"user_data": [1]})"),
              HasSubstr("expected an object as user_data"));
  EXPECT_THAT(leaf_complaint(R"({"user_data": {"u": 3}})"), HasSubstr("expected an object"));
  EXPECT_THAT(leaf_complaint(leaf_user("[1, 2]", "[0, 1]")), HasSubstr("expected a sample"));
  EXPECT_THAT(leaf_complaint(leaf_user("[[[1]], [2]]", "[0, 1]")), HasSubstr("found a list"));
}

TEST(CorruptFiles, LeafThatDoesNotAddUp) {
  EXPECT_THAT(leaf_complaint(leaf_user("[[1, 2], [3]]", "[0, 1]")),
              HasSubstr("sample 1 of user \"u\" has 1 features; expected 2"));
  EXPECT_THAT(leaf_complaint(leaf_user("[[], [3]]", "[0, 1]")), HasSubstr("has 0 features"));
  EXPECT_THAT(leaf_complaint(leaf_user("[[1], [2]]", "[0]")),
              HasSubstr("has 2 samples in x, but 1 in y"));
  EXPECT_THAT(leaf_complaint(leaf_user("[[1], [2]]", "[0, 1]", 3)),
              HasSubstr("has 2 samples, num_samples says 3"));
  EXPECT_THAT(leaf_complaint(R"({"users": ["a", "b"], "num_samples": [1], "user_data": {}})"),
              HasSubstr("2 users, but 1 num_samples"));
  EXPECT_THAT(leaf_complaint(R"({"users": ["a"], "num_samples": [0],
                                 "user_data": {"b": {"x": [], "y": []}}})"),
              HasSubstr("user \"a\" is not in user_data"));
  EXPECT_THAT(leaf_complaint(R"({"users": ["b"], "num_samples": [0],
                                 "user_data": {"b": {"x": [], "y": []}}})"),
              HasSubstr("has no samples"));
  EXPECT_THAT(
      leaf_complaint(R"({"user_data": {"b": {"x": [], "y": []}, "b": {"x": [], "y": []}}})"),
      HasSubstr("user \"b\" occurs twice"));
}

TEST(CorruptFiles, LeafLabelsAndText) {
  EXPECT_THAT(leaf_complaint(leaf_user("[[1], [2]]", "[0, 1.5]")), HasSubstr("label 1.5"));
  EXPECT_THAT(leaf_complaint(leaf_user("[[1], [2]]", "[0, -1]")), HasSubstr("label -1"));
  EXPECT_THAT(leaf_complaint(leaf_user("[[1], [2]]", "[0, true]")), HasSubstr("a truth value"));
  EXPECT_THAT(leaf_complaint(leaf_user("[[1], [null]]", "[0, 1]")), HasSubstr("found null"));
  EXPECT_THAT(leaf_complaint(leaf_user("[\"To be\", \"or not\"]", "[\"a\", \"b\"]")),
              HasSubstr("has text; give data.tokenizer and data.sequence_length"));
  EXPECT_THAT(leaf_complaint(leaf_user("[[\"To\"], [\"be\"]]", "[0, 1]")), HasSubstr("found text"));
  EXPECT_THAT(leaf_complaint(leaf_user("[[1], [2]]", "[0, 1]"),
                             {{"tokenizer", "byte"}, {"sequence_length", "4"}}),
              HasSubstr("has numbers, no text"));
  EXPECT_THAT(leaf_complaint(leaf_user("[\"To\", \"be\"]", "[\"a\"]"),
                             {{"tokenizer", "byte"}, {"sequence_length", "4"}}),
              HasSubstr("2 samples in x, but 1 in y"));
  EXPECT_THAT(leaf_complaint(leaf_user("[[1], [2]]", "[0, 7]"), {{"classes", "5"}}),
              HasSubstr("label 7; classes: 5 allows 0..4"));
  const TempFolder folder;
  EXPECT_THAT(complaint(folder, "leaf", folder.path()), HasSubstr("has no .json files"));
}

// --- HDF5 ------------------------------------------------------------------------------------

std::string tff_complaint(const std::vector<TffClient>& clients, const char* top = "examples") {
  const TempFolder folder;
  return complaint(folder, "tff", write_tff(folder.path("a.h5"), clients, top));
}

TEST(CorruptFiles, Hdf5FilesThatAreNone) {
  const TempFolder folder;
  EXPECT_EQ(complaint(folder, "tff", folder.write("a.h5", "not at all")),
            "a.h5: byte 0: expected an HDF5 file, found no signature of one");
  const std::string whole = read_bytes(write_tff(
      folder.path("b.h5"), {{"f", {2, 28, 28}, std::vector<float>(1568, 1.0f), {1, 2}, ""}}));
  EXPECT_EQ(complaint(folder, "tff", folder.path("b.h5")), "nothing was refused");
  const std::size_t half = whole.size() / 2;
  EXPECT_EQ(complaint(folder, "tff", folder.write("b.h5", whole.substr(0, half))),
            "b.h5: byte " + std::to_string(half) + ": the HDF5 file is cut short or corrupt");
}

TEST(CorruptFiles, Hdf5OfAnotherStructure) {
  const std::vector<float> four(4, 1.0f);
  EXPECT_THAT(tff_complaint({}, "other"), HasSubstr("has no group /examples"));
  EXPECT_THAT(tff_complaint({}), HasSubstr("/examples has no clients"));
  EXPECT_THAT(tff_complaint({{"f", {1, 2, 2}, four, {}, ""}}),
              HasSubstr("/examples/f: expected pixels and label, found pixels"));
  EXPECT_THAT(tff_complaint({{"f", {1, 4}, four, {1}, ""}}), HasSubstr("pixels has 2 dimensions"));
  EXPECT_THAT(tff_complaint({{"f", {1, 2, 2}, four, {1, 2}, ""}}),
              HasSubstr("1 images, but 2 labels"));
  EXPECT_THAT(tff_complaint({{"e", {1, 2, 2}, four, {1}, ""}, {"f", {1, 1, 2}, four, {1}, ""}}),
              HasSubstr("/examples/f: pixels has the shape 1 x 1 x 2, clients before have 4"));
  EXPECT_THAT(tff_complaint({{"f", {1, 2, 2}, {1, 1, 1, NAN}, {1}, ""}}),
              HasSubstr("a pixel is not finite"));
  EXPECT_THAT(tff_complaint({{"f", {1, 2, 2}, four, {-4}, ""}}), HasSubstr("label -4 of sample 0"));
  EXPECT_THAT(tff_complaint({{"f", {}, {}, {}, "snippets"}}),
              HasSubstr("holds text (snippets); give data.tokenizer"));
}

TEST(CorruptFiles, Hdf5ShapesWithoutStoredBytesAllocateNothing) {
  EXPECT_THAT(tff_complaint({{"f", {3, 4000, 4000}, {}, {1, 2, 3}, ""}}),
              HasSubstr("claims the shape 3 x 4000 x 4000, but only 0 bytes are stored"));
  EXPECT_THAT(tff_complaint({{"f", {1, 0, 5}, {}, {1}, ""}}), HasSubstr("the shape 1 x 0 x 5"));
}

// --- Paths -----------------------------------------------------------------------------------

TEST(CorruptFiles, Paths) {
  const TempFolder folder;
  EXPECT_THAT(complaint(folder, "libsvm", folder.path()), HasSubstr("expected a file, or a stem"));
  folder.write("c_train.txt", "1 1:1\n");
  folder.write("c_train.gz", "");
  EXPECT_THAT(complaint(folder, "libsvm", folder.path("c")), HasSubstr("two files begin so"));
  EXPECT_THROW(make<DataSource>("mnist", {{"path", folder.path("nowhere")}}), ScenarioError);
}

}  // namespace
}  // namespace skiff::test
