// Shapes of published models: parameter counts, and configurations that are refused.
#include "algorithms/models/real_size.h"

#include <gmock/gmock.h>

#include <set>
#include <stdexcept>

#include "sim/core/error.h"
#include "tests/models/checkpoint_fixture.h"

namespace skiff::testing {
namespace {

using ::testing::HasSubstr;

TEST(RealSizeTest, EveryKnownModelHasItsPublishedParameters) {
  std::set<std::string> names;
  for (const KnownModel& m : known_models()) {
    const RealSizeLayout real = real_size_layout(parse_hf_config(m.name, m.config));
    EXPECT_EQ(static_cast<std::int64_t>(real.layout.size), m.parameters) << m.name;
    EXPECT_EQ(real.uses.size(), real.layout.slices.size()) << m.name;
    EXPECT_TRUE(names.insert(m.name).second) << m.name;
    EXPECT_FALSE(m.source.empty());
  }
  EXPECT_GE(names.size(), 17u);
  EXPECT_NE(find_known_model("llama-3-8b"), nullptr);
  EXPECT_EQ(find_known_model("gpt-5"), nullptr);
}

// Attention, feed-forward and embedding shares of Llama-3-8B and Gemma-2B.
TEST(RealSizeTest, TheParametersAreWhereTheyBelong) {
  const auto sum = [](const char* model, const std::string& part) {
    const KnownModel& m = *find_known_model(model);
    std::int64_t total = 0;
    for (const Slice& s : real_size_layout(parse_hf_config(m.name, m.config)).layout.slices) {
      if (s.name.find(part) != std::string::npos) total += static_cast<std::int64_t>(s.size());
    }
    return total;
  };
  EXPECT_EQ(sum("llama-3-8b", "self_attn"), 1'342'177'280);
  EXPECT_EQ(sum("llama-3-8b", "mlp"), 5'637'144'576);
  EXPECT_EQ(sum("llama-3-8b", "norm"), 266'240);
  EXPECT_EQ(sum("llama-3-8b", "lm_head"), 525'336'576);
  EXPECT_EQ(sum("gemma-2b", "self_attn"), 169'869'312);
  EXPECT_EQ(sum("qwen2.5-0.5b", "self_attn"), 44'067'840);
  EXPECT_EQ(sum("mobilebert", "embeddings"), 4'368'128);
  EXPECT_EQ(sum("gboard-cifg", "cell"), 452'250);
}

TEST(RealSizeTest, TheDecoderThatRunsHasTheSameSlices) {
  const HfConfig config = parse_hf_config("c", R"({"model_type": "llama", "hidden_size": 64,
      "intermediate_size": 172, "num_hidden_layers": 5, "num_attention_heads": 8,
      "num_key_value_heads": 4, "vocab_size": 512, "tie_word_embeddings": true})");
  const Layout real = real_size_layout(config).layout;
  const Layout run = llama_layout(llama_config(config));
  EXPECT_EQ(real.size, 260'032u);
  ASSERT_EQ(real.slices.size(), run.slices.size());
  for (std::size_t i = 0; i < real.slices.size(); ++i) {
    EXPECT_EQ(real.slices[i].name, run.slices[i].name);
    EXPECT_EQ(real.slices[i].rows, run.slices[i].rows);
    EXPECT_EQ(real.slices[i].cols, run.slices[i].cols);
  }
}

TEST(HfConfigTest, TheConfigBesideStories260KIsRead) {
  const std::string path = real_data("llama2c/config.json");
  if (path.empty()) GTEST_SKIP() << "no llama2c among the data";
  const LlamaConfig c = llama_config(read_hf_config(path));
  EXPECT_EQ(c.dim, 64);
  EXPECT_EQ(c.kv_heads, 4);
  EXPECT_EQ(c.max_sequence, 512);
  EXPECT_FLOAT_EQ(c.rms_epsilon, 1e-5F);
  EXPECT_TRUE(c.tied);
}

std::string told(const std::string& json) {
  try {
    llama_config(parse_hf_config("config.json", json));
  } catch (const DataError& error) {
    return error.what();
  } catch (const std::invalid_argument& error) {
    return std::string("cannot run: ") + error.what();
  }
  return "fine";
}

std::string llama_with(const std::string& more) {
  return R"({"model_type": "llama", "hidden_size": 64, "intermediate_size": 96,
             "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 100)" +
         more + "}";
}

TEST(HfConfigTest, AbsentKeysHaveTheDefaultsOfTransformers) {
  const HfConfig c = parse_hf_config("c", llama_with(""));
  EXPECT_EQ(c.kv_heads, 4);
  EXPECT_EQ(c.head_width, 16);
  EXPECT_FALSE(c.tied);
  EXPECT_EQ(c.rope_theta, 10000);
  EXPECT_EQ(told(llama_with("")), "fine");
}

TEST(HfConfigTest, BrokenConfigsAreRefused) {
  EXPECT_THAT(told("{"), HasSubstr("not JSON"));
  EXPECT_THAT(told("[]"), HasSubstr("expected an object"));
  EXPECT_THAT(told(std::string(1000, '[')), HasSubstr("nested too deep"));
  EXPECT_THAT(told("{}"), HasSubstr("has no model_type"));
  EXPECT_THAT(told(R"({"model_type": "lama"})"), HasSubstr("did you mean \"llama\"?"));
  EXPECT_THAT(told(R"({"model_type": "llama"})"), HasSubstr("has no hidden_size"));
  EXPECT_THAT(told(R"({"model_type": "llama", "hidden_size": -4})"),
              HasSubstr("hidden_size: expected a whole number of 1 to 1048576, found -4"));
  EXPECT_THAT(told(R"({"model_type": "llama", "hidden_size": 1e300})"), HasSubstr("found 1e+300"));
  EXPECT_THAT(told(R"({"model_type": "llama", "hidden_size": 18446744073709551615})"),
              HasSubstr("hidden_size: expected"));
  EXPECT_THAT(told(llama_with(R"(, "num_key_value_heads": 3)")),
              HasSubstr("no multiple of num_key_value_heads"));
  EXPECT_THAT(told(llama_with(R"(, "rope_theta": "big")")), HasSubstr("rope_theta: expected"));
  EXPECT_THAT(told(llama_with(R"(, "tie_word_embeddings": 1)")), HasSubstr("true or false"));
}

TEST(HfConfigTest, WhatCannotRunSaysWhy) {
  EXPECT_THAT(told(llama_with(R"(, "attention_bias": true)")), HasSubstr("cannot run: biases"));
  EXPECT_THAT(told(llama_with(R"(, "head_dim": 32)")), HasSubstr("wider than the token"));
  EXPECT_THAT(told(llama_with(R"(, "rope_scaling": {"rope_type": "llama3"})")),
              HasSubstr("scaled rotary positions"));
  EXPECT_THAT(told(find_known_model("gemma-2b")->config), HasSubstr("cannot run: a gemma"));
  EXPECT_THAT(told(find_known_model("bert-base")->config), HasSubstr("not of the llama family"));
}

}  // namespace
}  // namespace skiff::testing
