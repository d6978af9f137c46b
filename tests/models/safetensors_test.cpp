// Hostile and broken safetensors files: each is refused with the place and what was expected.
#include "algorithms/models/safetensors.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <limits>

#include "tests/models/checkpoint_fixture.h"

namespace skiff::testing {
namespace {

using ::testing::HasSubstr;

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape,
                  const std::string& offsets) {
  return fmt::format(R"("{}":{{"dtype":"{}","shape":[{}],"data_offsets":[{}]}})", name, dtype,
                     shape, offsets);
}

std::string told(const std::string& entries, std::size_t values) {
  return complaint("m.safetensors", safetensors("{" + entries + "}", std::string(values, '\0')));
}

TEST(SafetensorsTest, GoodFilesPass) {
  EXPECT_EQ(told(entry("a", "F32", "2,3", "0,24") + "," + entry("b", "F16", "4", "24,32"), 32),
            "nothing was refused");
  EXPECT_EQ(told(entry("scalar", "BF16", "", "0,2"), 2), "nothing was refused");
  EXPECT_EQ(told(entry("empty", "F32", "0,5", "0,0") + "," + entry("b", "F32", "1", "0,4"), 4),
            "nothing was refused");
  EXPECT_EQ(complaint("m.safetensors", safetensors("{}   ", "")), "nothing was refused");
}

TEST(SafetensorsTest, LyingLengthsAreRefused) {
  EXPECT_THAT(complaint("m.safetensors", "1234"),
              HasSubstr("expected 8 bytes of the header's length"));
  EXPECT_THAT(complaint("m.safetensors", raw(std::numeric_limits<std::uint64_t>::max()) + "{}"),
              HasSubstr("byte 0: the header claims 18446744073709551615 bytes; the file has 2"));
  EXPECT_THAT(complaint("m.safetensors", raw(std::uint64_t{3}) + "{}"),
              HasSubstr("claims 3 bytes"));
}

TEST(SafetensorsTest, WhatIsNoHeaderIsRefused) {
  const auto header = [](const std::string& text) {
    return complaint("m.safetensors", safetensors(text, ""));
  };
  EXPECT_THAT(header(R"({"a":)"), HasSubstr("not JSON"));
  EXPECT_THAT(header(R"({"a": 1e999999})"), HasSubstr("a number that is too large"));
  EXPECT_THAT(header("[1, 2]"), HasSubstr("expected an object as the header"));
  EXPECT_THAT(header(R"({"a": 3})"), HasSubstr("a: expected an object, found 3"));
  EXPECT_THAT(header(std::string(50'000, '[')), HasSubstr("JSON nested too deep"));
  EXPECT_THAT(header(R"({"a": {"shape": []}})"), HasSubstr("a: expected text as dtype"));
  EXPECT_THAT(header(R"({"a": {"dtype": "F32"}})"), HasSubstr("a: expected a list as shape"));
  EXPECT_THAT(header(R"({"a": {"dtype": "F32", "shape": []}})"), HasSubstr("[begin, end]"));
  EXPECT_THAT(told(entry("a", "F33", "1", "0,4"), 4), HasSubstr("a: unknown dtype \"F33\""));
  EXPECT_THAT(told(entry("a", "F32", "1", "0,4") + "," + entry("a", "F32", "1", "0,4"), 4),
              HasSubstr("\"a\" occurs twice"));
  EXPECT_THAT(
      header(R"({"a": {"dtype": "F32", "dtype": "F16", "shape": [], "data_offsets": [0,2]}})"),
      HasSubstr("\"dtype\" occurs twice"));
}

TEST(SafetensorsTest, AbsurdShapesAreRefused) {
  EXPECT_THAT(told(entry("a", "F32", "-1", "0,4"), 4),
              HasSubstr("expected a whole number, found -1"));
  EXPECT_THAT(told(entry("a", "F32", "1.5", "0,4"), 4), HasSubstr("found 1.5"));
  EXPECT_THAT(told(entry("a", "F32", "4294967296,4294967296", "0,4"), 4), HasSubstr("is absurd"));
  EXPECT_THAT(told(entry("a", "F32", "9223372036854775809", "0,4"), 4), HasSubstr("is absurd"));
  EXPECT_THAT(told(entry("a", "F32", "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1", "0,4"), 4),
              HasSubstr("17 dimensions"));
  EXPECT_THAT(told(entry("a", "F32", "3", "0,8"), 8),
              HasSubstr("a: 8 bytes for 3 values of F32; expected 12"));
}

TEST(SafetensorsTest, OffsetsMustTileTheValues) {
  EXPECT_THAT(told(entry("a", "F32", "2", "0,8"), 4),
              HasSubstr("data_offsets [0, 8]; the values have 4"));
  EXPECT_THAT(told(entry("a", "F32", "1", "8,4"), 8), HasSubstr("data_offsets [8, 4]"));
  EXPECT_THAT(told(entry("a", "F32", "1", "0,18446744073709551615"), 8), HasSubstr("data_offsets"));
  EXPECT_THAT(told(entry("a", "F32", "2", "0,8") + "," + entry("b", "F32", "2", "4,12"), 12),
              HasSubstr("b overlaps another tensor"));
  EXPECT_THAT(told(entry("a", "F32", "1", "0,4") + "," + entry("b", "F32", "1", "8,12"), 12),
              HasSubstr("b leaves a hole"));
  EXPECT_THAT(told(entry("a", "F32", "1", "0,4"), 8), HasSubstr("4 bytes follow the last tensor"));
}

TEST(SafetensorsTest, ValuesThatAreNotFiniteAreRefusedWithTheirByte) {
  const std::string header = "{" + entry("w", "F32", "3", "0,12") + "}";
  const std::string bytes = safetensors(
      header, raw_all(std::vector<float>{1, std::numeric_limits<float>::quiet_NaN(), 2}));
  EXPECT_THAT(complaint("m.safetensors", bytes),
              HasSubstr(fmt::format("byte {}: w: value 1 is not finite", 8 + header.size() + 4)));
  const std::string half = "{" + entry("w", "BF16", "1", "0,2") + "}";
  EXPECT_THAT(complaint("m.safetensors", safetensors(half, raw(std::uint16_t{0x7F80}))),
              HasSubstr("value 0 is not finite"));
}

TEST(SafetensorsTest, OtherTypesAreListedAndRefusedWhenRead) {
  EXPECT_THAT(told(entry("ids", "I64", "2", "0,16"), 16),
              HasSubstr("ids is of type I64; expected F32, F16 or BF16"));
}

// --- shards ------------------------------------------------------------------------------------

struct Shards {
  std::string index =
      R"({"metadata": {}, "weight_map": {"a": "1.safetensors", "b": "2.safetensors"}})";
  std::string first = safetensors("{" + entry("a", "F32", "1", "0,4") + "}", raw(1.5F));
  std::string second = safetensors("{" + entry("b", "F32", "1", "0,4") + "}", raw(2.5F));

  std::string told() const {
    const Folder folder;
    folder.write("1.safetensors", first);
    folder.write("2.safetensors", second);
    folder.write("model.safetensors.index.json", index);
    folder.write("config.json", "{}");
    try {
      const CheckpointPtr checkpoint = open_checkpoint(folder.path(""));
      std::string all = checkpoint->config();
      for (const CheckpointTensor& t : checkpoint->tensors()) {
        float value = 0;
        t.read({&value, 1});
        all += fmt::format(" {}={}", t.name, value);
      }
      return all;
    } catch (const DataError& error) {
      return error.what();
    }
  }
};

TEST(ShardedSafetensorsTest, AllShardsMakeOneCheckpoint) {
  EXPECT_EQ(Shards().told(), "{} a=1.5 b=2.5");
}

TEST(ShardedSafetensorsTest, BrokenIndicesAreRefused) {
  Shards s;
  s.index = R"({"weight_map": {"a": "../secret.safetensors"}})";
  EXPECT_THAT(s.told(), HasSubstr("a: expected a .safetensors in the same folder"));
  s.index = R"({"weight_map": {"a": "1.safetensors", "c": "1.safetensors"}})";
  EXPECT_THAT(s.told(), HasSubstr("holds 1 of the 2 tensors"));
  s.index = R"({"weight_map": {"c": "1.safetensors"}})";
  EXPECT_THAT(s.told(), HasSubstr("a is not in the index"));
  s.index = R"({"weight_map": {"a": "3.safetensors"}})";
  EXPECT_THAT(s.told(), HasSubstr("3.safetensors: No such file"));
  s.index = R"({"weights": {}})";
  EXPECT_THAT(s.told(), HasSubstr("expected an object as weight_map"));
}

TEST(CheckpointTest, FoldersAndFilesOfNoKnownKindAreRefused) {
  const Folder folder;
  EXPECT_THROW(open_checkpoint(folder.path("")), DataError);
  EXPECT_THROW(open_checkpoint(folder.path("none.bin")), DataError);
  EXPECT_THROW(open_checkpoint(folder.write("x.pt", "abc")), DataError);
  folder.write("1.safetensors", "");
  EXPECT_THROW(open_checkpoint(folder.path("")), DataError);
}

}  // namespace
}  // namespace skiff::testing
