// stories260K end to end: its greedy text and its logits, from .bin and from safetensors.
#include <gtest/gtest.h>

#include <algorithm>

#include "algorithms/data/tokenizer.h"
#include "algorithms/models/llama_decoder.h"
#include "tests/models/stories_fixture.h"

namespace skiff::testing {
namespace {

// What llama2.c's own test expects of this checkpoint.
constexpr const char* kGreedy =
    "Once upon a time, there was a little girl named Lily. She loved to play outside in the park. "
    "One day, she saw a big, red ball. She wanted to play with it, but it was too high.\n"
    "Lily's mom said, \"Lily, let's go to the park.\" Lily was sad and didn't know what to do. She "
    "said, \"I want to play with your ball, but I can't find it.\"\n"
    "Lily was sad and didn't know what to do. She said, \"I'm sorry, Lily. I didn't know what to "
    "do.\"\n"
    "Lily didn't want to help her mom, so she";

TEST(Stories260KTest, TheGreedyTextIsTheGoldenOne) {
  if (real_data("llama2c").empty()) GTEST_SKIP() << "no llama2c among the data";
  const TokenizerPtr tokenizer = read_tokenizer(real_data("llama2c/tok512.bin"));
  for (const char* file : kFiles) {
    Stories stories(file);
    LlamaDecoder decoder(*stories.model, stories.weights);
    TokenIds ids{1};
    Stream stream(0, "unused");
    for (int i = 0; i < 200; ++i) {
      ids.push_back(choose_token(decoder.step(ids.back()), {}, stream));
    }
    EXPECT_EQ(tokenizer->decode(ids), kGreedy) << file;
  }
}

TEST(Stories260KTest, LogitsAfterTheOpeningTokenAreTheGoldenOnes) {
  if (real_data("llama2c").empty()) GTEST_SKIP() << "no llama2c among the data";
  const float golden[] = {-6.222914F, 8.404342F,  -6.223739F, -6.222544F,
                          -6.221953F, -6.222877F, -6.221884F, -6.22342F};
  for (const char* file : kFiles) {
    Stories stories(file);
    LlamaDecoder decoder(*stories.model, stories.weights);
    const std::span<const float> logits = decoder.step(1);
    for (std::size_t i = 0; i < 8; ++i) EXPECT_NEAR(logits[i], golden[i], 1e-4) << file;
    std::vector<int> order(512);
    for (int i = 0; i < 512; ++i) order[static_cast<std::size_t>(i)] = i;
    std::partial_sort(order.begin(), order.begin() + 5, order.end(), [&](int a, int b) {
      return logits[std::size_t(a)] > logits[std::size_t(b)];
    });
    order.resize(5);
    EXPECT_EQ(order, (std::vector<int>{403, 385, 410, 317, 407})) << file;
  }
}

}  // namespace
}  // namespace skiff::testing
