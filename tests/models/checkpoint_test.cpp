// Checkpoints: one model from every format of stories260K, files that other programs read, what a
// layout demands of a file.
#include "algorithms/models/checkpoint.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <bit>
#include <cmath>

#include "algorithms/kernels/bfloat16.h"
#include "algorithms/kernels/half.h"
#include "algorithms/models/llama_config.h"
#include "algorithms/models/safetensors.h"
#include "tests/models/checkpoint_fixture.h"

namespace skiff::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

LayoutPtr stories_layout() {
  LlamaConfig c;
  c.vocabulary = 512, c.dim = 64, c.layers = 5, c.heads = 8, c.kv_heads = 4, c.intermediate = 172;
  c.max_sequence = 512;
  return std::make_shared<const Layout>(llama_layout(c));
}

Vector load(const std::string& path, const LayoutPtr& layout) {
  Vector weights(layout);
  open_checkpoint(path)->fill(weights);
  return weights;
}

std::vector<std::uint32_t> bits(const std::vector<float>& values) {
  std::vector<std::uint32_t> out;
  for (const float v : values) out.push_back(std::bit_cast<std::uint32_t>(v));
  return out;
}

TEST(CheckpointTest, Stories260KIsOneModelInEveryFormat) {
  const std::string folder = real_data("llama2c");
  if (folder.empty()) GTEST_SKIP() << "no llama2c among the data";
  const LayoutPtr layout = stories_layout();
  const Vector bin = load(folder + "/stories260K.bin", layout);
  EXPECT_EQ(bin.values.size(), 260'032u);
  EXPECT_EQ(bits(bin.values), bits(load(folder + "/stories260K.safetensors", layout).values));
  std::vector<float> rounded;
  for (const float v : bin.values)
    rounded.push_back(kernels::from_bfloat16(kernels::to_bfloat16(v)));
  EXPECT_EQ(bits(rounded), bits(load(folder + "/stories260K.bf16.safetensors", layout).values));
}

// --- versions 1 and 2 of llama2.c, written here ------------------------------------------------

struct Little {  // dim 8, hidden 12, 2 layers, 2 heads, 1 of keys and values, 5 tokens, 16
                 // positions
  std::vector<std::int32_t> header{8, 12, 2, 2, 1, 5, 16};
  std::int64_t norms = 5 * 8;
  std::int64_t matrices[8] = {5 * 8, 8 * 8, 4 * 8, 4 * 8, 8 * 8, 12 * 8, 8 * 12, 12 * 8};
};

std::vector<float> numbers(std::int64_t n, int seed) {
  std::vector<float> v;
  for (std::int64_t i = 0; i < n; ++i) v.push_back(std::sin(static_cast<float>(i * 7 + seed)));
  return v;
}

// The matrices in their order: the embedding once, the others for each layer.
std::vector<std::vector<float>> little_matrices() {
  std::vector<std::vector<float>> all{numbers(Little().matrices[0], 100)};
  for (int kind = 1; kind < 8; ++kind) {
    for (int layer = 0; layer < 2; ++layer) {
      all.push_back(numbers(Little().matrices[kind], 10 * kind + layer));
    }
  }
  return all;
}

std::string little_v0(bool shared = true) {
  const Little m;
  std::vector<std::int32_t> header = m.header;
  if (!shared) header[5] = -header[5];
  const std::vector<float> norms = numbers(m.norms, 1);
  const auto norm = [&](int from, int to) {
    return raw_all(std::vector<float>(norms.begin() + from, norms.begin() + to));
  };
  const auto matrices = little_matrices();
  std::string bytes = raw_all(header) + raw_all(matrices[0]) + norm(0, 16);
  for (std::size_t i = 1; i < 9; ++i) bytes += raw_all(matrices[i]);
  bytes += norm(16, 32);
  for (std::size_t i = 9; i < 15; ++i) bytes += raw_all(matrices[i]);
  bytes += norm(32, 40) + raw_all(std::vector<float>(16 * 4, 0.5F));
  return shared ? bytes : bytes + raw_all(numbers(5 * 8, 7));
}

std::string little_header(int version, int group = 0) {
  std::string header = raw(std::uint32_t{0x616b3432}) + raw(std::int32_t{version});
  header += raw_all(Little().header) + std::string(1, '\1');
  if (group > 0) header += raw(std::int32_t{group});
  header.resize(256, '\0');
  return header;
}

std::string little_v1() {
  std::string bytes = little_header(1) + raw_all(numbers(Little().norms, 1));
  for (const std::vector<float>& m : little_matrices()) bytes += raw_all(m);
  return bytes;
}

std::string little_v2(int group) {
  std::string bytes = little_header(2, group) + raw_all(numbers(Little().norms, 1));
  for (const std::vector<float>& m : little_matrices()) {
    std::vector<std::int8_t> codes;
    std::vector<float> scales;
    for (std::size_t i = 0; i < m.size(); i += static_cast<std::size_t>(group)) {
      float most = 0;
      for (int j = 0; j < group; ++j) most = std::max(most, std::abs(m[i + std::size_t(j)]));
      scales.push_back(most / 127);
      for (int j = 0; j < group; ++j) {
        codes.push_back(
            static_cast<std::int8_t>(std::lround(m[i + std::size_t(j)] / scales.back())));
      }
    }
    bytes += raw_all(codes) + raw_all(scales);
  }
  return bytes;
}

LayoutPtr little_layout(bool tied = true) {
  LlamaConfig c;
  c.vocabulary = 5, c.dim = 8, c.layers = 2, c.heads = 2, c.kv_heads = 1, c.intermediate = 12;
  c.max_sequence = 16, c.tied = tied;
  return std::make_shared<const Layout>(llama_layout(c));
}

TEST(Llama2cTest, TheThreeVersionsHoldTheSameModel) {
  const Folder folder;
  const Vector v0 = load(folder.write("v0.bin", little_v0()), little_layout());
  EXPECT_EQ(bits(v0.values),
            bits(load(folder.write("v1.bin", little_v1()), little_layout()).values));
  const Vector v2 = load(folder.write("v2.bin", little_v2(4)), little_layout());
  double worst = 0;
  for (std::size_t i = 0; i < v0.values.size(); ++i) {
    worst = std::max(worst, double(std::abs(v0.values[i] - v2.values[i])));
  }
  EXPECT_LE(worst, 0.5001 / 127);
  EXPECT_GT(worst, 0.1 / 127);
}

TEST(Llama2cTest, AHeadOfItsOwnIsRead) {
  const Folder folder;
  const Vector untied = load(folder.write("v0.bin", little_v0(false)), little_layout(false));
  const Slice& head = *untied.layout->find("lm_head.weight");
  EXPECT_EQ(untied.values[head.offset + 3], numbers(40, 7)[3]);
}

TEST(Llama2cTest, RotaryRowsAreGivenOutHalfApart) {
  const Folder folder;
  const CheckpointPtr checkpoint = open_checkpoint(folder.write("v0.bin", little_v0()));
  const CheckpointTensor& q = *checkpoint->find("model.layers.1.self_attn.q_proj.weight");
  std::vector<float> values(64);
  q.read(values);
  const std::vector<float> stored = little_matrices()[2];  // wq of layer 1: 2 heads of 4 rows
  const std::size_t row_of[] = {0, 2, 1, 3, 4, 6, 5, 7};
  for (std::size_t row = 0; row < 8; ++row) {
    EXPECT_EQ(values[row * 8 + 5], stored[row_of[row] * 8 + 5]) << row;
  }
}

TEST(Llama2cTest, TheConfigIsThatOfTransformers) {
  const Folder folder;
  const CheckpointPtr checkpoint = open_checkpoint(folder.write("v0.bin", little_v0(false)));
  EXPECT_THAT(checkpoint->config(), HasSubstr("\"num_key_value_heads\": 1"));
  EXPECT_THAT(checkpoint->config(), HasSubstr("\"tie_word_embeddings\": false"));
}

TEST(Llama2cTest, BrokenFilesAreRefusedWithTheirPlace) {
  const std::string v0 = little_v0(), v1 = little_v1(), v2 = little_v2(4);
  EXPECT_EQ(complaint("m.bin", v0), "nothing was refused");
  EXPECT_THAT(complaint("m.bin", ""), HasSubstr("expected 4 bytes of the header"));
  EXPECT_THAT(complaint("m.bin", v0.substr(0, 20)), HasSubstr("vocab_size"));
  EXPECT_THAT(complaint("m.bin", v0.substr(0, v0.size() - 4)), HasSubstr("the rotary tables"));
  EXPECT_THAT(complaint("m.bin", v0 + "x"), HasSubstr("1 bytes follow"));
  EXPECT_THAT(complaint("m.bin", v1.substr(0, 100)), HasSubstr("bytes of the header"));
  EXPECT_THAT(complaint("m.bin", v2.substr(0, v2.size() - 1)), HasSubstr("up_proj"));
  const auto with = [](std::string bytes, std::size_t at, std::int32_t value) {
    std::memcpy(bytes.data() + at, &value, 4);
    return bytes;
  };
  EXPECT_THAT(complaint("m.bin", with(v0, 0, -8)),
              HasSubstr("dim: expected 1 to 1048576, found -8"));
  EXPECT_THAT(complaint("m.bin", with(v0, 8, 1 << 30)), HasSubstr("byte 8: n_layers: expected"));
  EXPECT_THAT(complaint("m.bin", with(v0, 20, INT32_MIN)), HasSubstr("byte 20: vocab_size"));
  EXPECT_THAT(complaint("m.bin", with(v0, 12, 3)), HasSubstr("no multiple of twice n_heads 3"));
  EXPECT_THAT(complaint("m.bin", with(v1, 4, 9)), HasSubstr("expected version 1 or 2, found 9"));
  EXPECT_THAT(complaint("m.bin", with(v2, 37, 3)), HasSubstr("group size 3 does not divide dim 8"));
  EXPECT_THAT(complaint("m.bin", with(v2, 37, 0)), HasSubstr("byte 37: group size 0"));
  EXPECT_THAT(complaint("m.bin", with(v0, 28 + 4 * 10, 0x7FC00000)),
              HasSubstr("byte 68: model.embed_tokens.weight: value 10 is not finite"));
}

// --- what a layout demands ---------------------------------------------------------------------

TEST(CheckpointTest, AnotherShapeAMissingAndAnUnusedTensorAreRefused) {
  const Folder folder;
  const std::string path =
      folder.write("m.safetensors",
                   safetensors(R"({"a.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
                               R"("a.bias":{"dtype":"F32","shape":[2],"data_offsets":[24,32]}})",
                               std::string(32, '\0')));
  const auto told = [&](const std::vector<std::pair<std::string, std::pair<int, int>>>& slices) {
    Layout layout;
    for (const auto& [name, shape] : slices) layout.add(name, shape.first, shape.second);
    try {
      open_checkpoint(path)->check(layout);
    } catch (const DataError& error) {
      return std::string(error.what());
    }
    return std::string("fits");
  };
  EXPECT_EQ(told({{"a.weight", {2, 3}}, {"a.bias", {2, 1}}}), "fits");
  EXPECT_THAT(told({{"a.weight", {3, 2}}, {"a.bias", {2, 1}}}),
              HasSubstr("a.weight has the shape 2 x 3; expected 3 x 2"));
  EXPECT_THAT(told({{"a.wieght", {2, 3}}}),
              HasSubstr("no tensor a.wieght; the nearest is a.weight"));
  EXPECT_THAT(told({{"a.weight", {2, 3}}}),
              HasSubstr("a.bias is in the file, but not in the model"));
}

// --- writing -----------------------------------------------------------------------------------

Vector sample() {
  auto layout = std::make_shared<Layout>();
  layout->add("up.weight", 3, 5, Order::kInOut);
  layout->add("up.bias", 3, 1);
  layout->add("head.weight", 2, 3);
  Vector v(layout);
  for (std::size_t i = 0; i < v.values.size(); ++i) v.values[i] = std::sin(float(i)) * 3;
  return v;
}

TEST(SafetensorsTest, WhatIsWrittenIsReadAgainInEachType) {
  const Folder folder;
  const Vector v = sample();
  for (const StoredType type : {StoredType::kF32, StoredType::kF16, StoredType::kBF16}) {
    const std::string path = folder.path("out.safetensors");
    write_safetensors(path, v, type, {{"note", "a \"quoted\" line\n"}});
    const Vector back = load(path, v.layout);
    for (std::size_t i = 0; i < v.values.size(); ++i) {
      const float expected = type == StoredType::kF32 ? v.values[i]
                             : type == StoredType::kF16
                                 ? kernels::from_half(kernels::to_half(v.values[i]))
                                 : kernels::from_bfloat16(kernels::to_bfloat16(v.values[i]));
      EXPECT_EQ(back.values[i], expected);
    }
    EXPECT_FALSE(std::filesystem::exists(path + ".part"));
  }
  EXPECT_THROW(write_safetensors(folder.path("no/such/folder"), v, StoredType::kF32), RunError);
}

// Python reads the file by the description of the format alone.
TEST(SafetensorsTest, AnIndependentReaderAgrees) {
  const Folder folder;
  const Vector v = sample();
  for (const auto& [type, name] :
       {std::pair(StoredType::kF32, "F32"), std::pair(StoredType::kBF16, "BF16")}) {
    const std::string path = folder.path("out.safetensors");
    write_safetensors(path, v, type);
    const char* source = std::getenv("SKIFF_SOURCE");
    const std::string script =
        std::string(source != nullptr ? source : ".") + "/tests/models/read_safetensors.py";
    const std::string out = folder.path("out.txt");
    const int status =
        std::system(("python3 '" + script + "' '" + path + "' > '" + out + "'").c_str());
    if (status != 0 && !std::filesystem::exists(script)) GTEST_SKIP() << "no " << script;
    ASSERT_EQ(status, 0);
    std::string expected = fmt::format("up.weight {} [3, 5]", name);
    const bool exact = type == StoredType::kF32;
    const auto rounded = [&](float x) {
      return exact ? x : kernels::from_bfloat16(kernels::to_bfloat16(x));
    };
    for (std::size_t o = 0; o < 3; ++o) {
      for (std::size_t i = 0; i < 5; ++i)
        expected += fmt::format(" {:.9g}", rounded(v.values[i * 3 + o]));
    }
    EXPECT_THAT(bytes_of_file(out), HasSubstr(expected + "\n"));
    EXPECT_THAT(bytes_of_file(out), HasSubstr(fmt::format("up.bias {} [3] ", name)));
    EXPECT_THAT(bytes_of_file(out), HasSubstr("values begin at a multiple of 8: True"));
  }
}

TEST(Bfloat16Test, RoundsToNearestTiesToEven) {
  const auto round = [](std::uint32_t bits_in) {
    return kernels::to_bfloat16(std::bit_cast<float>(bits_in));
  };
  EXPECT_EQ(round(0x3F808000), 0x3F80);  // a tie: down to even
  EXPECT_EQ(round(0x3F818000), 0x3F82);  // a tie: up to even
  EXPECT_EQ(round(0x3F808001), 0x3F81);
  EXPECT_EQ(round(0x7F7FFFFF), 0x7F80);  // the greatest float is nearer to infinity
  EXPECT_TRUE(std::isnan(kernels::from_bfloat16(round(0x7F800001))));
}

}  // namespace
}  // namespace skiff::testing
