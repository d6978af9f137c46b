// The decoder: names, gradients, costs, checkpointing, decoding, learning.
#include "algorithms/models/llama.h"

#include <cmath>
#include <numeric>

#include "algorithms/models/llama_decoder.h"
#include "tests/models/text_test.h"

namespace skiff {
namespace {

using testing::differing;
using testing::expect_gradient;
using testing::hash_of;
using testing::model;
using testing::problems;
using testing::random_vector;
using testing::text_task;
using testing::Texts;

LlamaConfig small(bool tied = true) {
  LlamaConfig c;
  c.vocabulary = 37;
  c.dim = 24;
  c.layers = 2;
  c.heads = 4;
  c.kv_heads = 2;
  c.intermediate = 20;
  c.max_sequence = 16;
  c.tied = tied;
  return c;
}

TaskShape next_token(int length = 11, int vocabulary = 37) {
  return text_task(TaskKind::kNextToken, vocabulary, length);
}

// Norms near one, so that a check of gradients is not of noise.
Vector weights_at(const Architecture& a, std::uint64_t seed) {
  Vector w = random_vector(a.layout(), seed, 0.25F);
  for (const Slice& s : a.layout()->slices) {
    if (s.cols > 1) continue;
    for (std::size_t i = 0; i < s.size(); ++i) w.values[s.offset + i] += 1;
  }
  return w;
}

struct Step {
  double loss = 0;
  std::vector<float> gradient;
  std::size_t peak = 0;
  Step(const Architecture& a, const Vector& at, const Batch& batch) {
    FullWeights weights(at);
    Workspace workspace;
    loss = a.loss_and_gradient(weights, batch, workspace);
    gradient = weights.gradient().values;
    peak = workspace.peak_bytes();
  }
};

TEST(LlamaTest, SlicesAreNamedAsInHuggingFaceFiles) {
  const Llama tied(small(), next_token());
  const Llama untied(small(false), next_token());
  EXPECT_EQ(tied.layout()->slices.size(), 1u + 2 * 9 + 1);
  EXPECT_EQ(untied.layout()->slices.back().name, "lm_head.weight");
  const Slice* k = tied.layout()->find("model.layers.1.self_attn.k_proj.weight");
  ASSERT_NE(k, nullptr);
  EXPECT_EQ(k->rows, 12);
  EXPECT_EQ(k->cols, 24);
  // stories260K has 260,032 parameters.
  LlamaConfig c;
  c.vocabulary = c.max_sequence = 512;
  c.dim = 64;
  c.layers = 5;
  c.heads = 8;
  c.kv_heads = 4;
  c.intermediate = 172;
  EXPECT_EQ(llama_layout(c).size, 260032u);
}

TEST(LlamaTest, PresetsHaveTheirSizes) {
  const auto size = [](const char* preset, int vocabulary) {
    return testing::build(model("llama", {{"preset", Node::scalar(preset)}}),
                          next_token(8, vocabulary))
        ->layout()
        ->size;
  };
  EXPECT_EQ(size("tiny", 190), 60048u);
  EXPECT_EQ(size("small", 512), 726144u + 128 * 512);
  EXPECT_EQ(size("base", 6400), 12589440u + 384 * 6400);
}

TEST(LlamaTest, GradientsAreSlopes) {
  for (const bool tied : {true, false}) {
    LlamaConfig c = small(tied);
    if (!tied) c.rope_pairing = kernels::RopePairing::kHalfSplit;
    const Llama a(c, next_token(), tied ? 0.0 : 0.125);
    const Texts texts(next_token(), 3, 5);
    expect_gradient(a, weights_at(a, 1), texts.all(), 41);
  }
}

TEST(LlamaTest, PairsHalfApartAreTheSameFunction) {
  for (const bool tied : {true, false}) {
    const LlamaConfig c = small(tied);
    const Llama a(c, next_token());
    Vector moved = weights_at(a, 1);
    const Vector at = moved;
    const std::string text = with_half_split(a.config_json(), moved);
    EXPECT_NE(moved.values, at.values);
    const LlamaConfig read = llama_config(parse_hf_config("config.json", text));
    EXPECT_EQ(hf_config_text(read), text);
    const Llama b(read, next_token());
    ASSERT_EQ(b.layout()->size, a.layout()->size);
    const Texts texts(next_token(), 3, 5);
    EXPECT_NEAR(Step(a, at, texts.all()).loss, Step(b, moved, texts.all()).loss, 1e-6);
    EXPECT_EQ(with_half_split(text, moved), text) << "they are half apart already";
  }
}

TEST(LlamaTest, CheckpointingKeepsTheBitsAndTakesLess) {
  LlamaConfig c = small();
  c.layers = 5;
  const Llama a(c, next_token());
  const auto b = a.checkpointed();
  const Texts texts(next_token(), 7, 5);
  const Vector at = weights_at(a, 1);
  const Step kept(a, at, texts.all()), again(*b, at, texts.all());
  EXPECT_EQ(kept.loss, again.loss);
  EXPECT_EQ(differing(kept.gradient, again.gradient), 0u);
  EXPECT_LT(again.peak, kept.peak * 3 / 5);
  EXPECT_EQ(b->layout(), a.layout());
  EXPECT_GT(b->training_cost(7).flops, a.training_cost(7).flops);
  EXPECT_LT(b->training_cost(7).flops.value(), a.training_cost(7).flops.value() * 4 / 3);
}

TEST(LlamaTest, ActivationBytesAreWhatTheWorkspaceTook) {
  for (const int batch : {1, 7, 30, 47}) {
    for (const bool checkpointing : {false, true}) {
      const auto whole = std::make_shared<const Llama>(small(), next_token());
      const auto a = checkpointing ? whole->checkpointed() : whole;
      const Texts texts(next_token(), batch, 2);
      const Vector at = weights_at(*a, 1);
      EXPECT_EQ(a->training_cost(batch).activations.value(),
                static_cast<std::int64_t>(Step(*a, at, texts.all()).peak));
      FullWeights weights(at);
      Workspace workspace;
      a->evaluate(weights, texts.all(), workspace);
      EXPECT_EQ(a->inference_cost(batch).activations.value(),
                static_cast<std::int64_t>(workspace.peak_bytes()));
    }
  }
}

TEST(LlamaTest, FlopsAreThoseOfEveryProduct) {
  const Llama a(small(), next_token(10));
  const double tokens = 3 * 10, d = 24, kv = 12, f = 20;
  const double linear = tokens * 2 * (2 * d * d + 2 * d * kv + 3 * d * f);
  const double attention = 2 * 3 * (10 * 11 / 2.0) * d;  // products of one kind, both layers
  const double head = tokens * d * 37;
  EXPECT_EQ(a.inference_cost(3).flops.value(), 2 * (linear + 2 * attention + head));
  EXPECT_EQ(a.training_cost(3).flops.value(), 2 * (3 * linear + 7 * attention + 3 * head));
  const double again = linear / 2 - tokens * d * f + attention / 2 * 2;
  EXPECT_EQ(a.checkpointed()->training_cost(3).flops.value(),
            a.training_cost(3).flops.value() + 2 * again);
}

TEST(LlamaTest, PaddedTargetsAreNotAsked) {
  const Llama a(small(), next_token());
  Texts texts(next_token(), 4, 3), shorter(next_token(), 4, 3);
  for (int i = 0; i < 4; ++i) {
    for (int t = 6 + i; t <= 11; ++t) {
      texts.text(i)[t] = kNoToken;
      shorter.text(i)[t] = t == 6 + i ? kNoToken : 17;  // unseen: causal, and not asked
      if (t > 6 + i) shorter.text(i)[t] = kNoToken;
    }
  }
  const Vector at = weights_at(a, 1);
  FullWeights weights(at);
  Workspace workspace;
  const Evaluation e = a.evaluate(weights, texts.all(), workspace);
  EXPECT_EQ(e.rows, 5 + 6 + 7 + 8);
  const Step step(a, at, texts.all());
  EXPECT_NEAR(step.loss, e.loss / static_cast<double>(e.rows), 1e-6);
  expect_gradient(a, at, texts.all(), 173);
  for (int t = 0; t < 12; ++t) texts.text(0)[t] = kNoToken;
  EXPECT_EQ(Step(a, at, texts.batch(0, 1)).loss, 0);
}

TEST(LlamaTest, ABatchIsItsSamplesWhateverTheGroups) {
  // 30 sequences of 11 tokens go through as 23 and 7.
  const Llama a(small(), next_token());
  const Texts texts(next_token(), 30, 4);
  const Vector at = weights_at(a, 1);
  FullWeights weights(at);
  Workspace workspace;
  std::vector<float> all(30 * 11 * 37), one(11 * 37);
  a.predict(weights, texts.all(), all, workspace);
  for (const int i : {0, 22, 23, 29}) {
    workspace.reset();
    a.predict(weights, texts.batch(i, 1), one, workspace);
    EXPECT_TRUE(std::equal(one.begin(), one.end(), all.begin() + i * 11 * 37)) << i;
  }
}

TEST(LlamaTest, DecodingGivesTheBitsOfTheWholeText) {
  for (const bool tied : {true, false}) {
    const Llama a(small(tied), next_token(16));
    Texts texts(next_token(16), 1, 6);
    const Vector at = weights_at(a, 1);
    FullWeights weights(at);
    Workspace workspace;
    std::vector<float> all(16 * 37);
    a.predict(weights, texts.all(), all, workspace);
    LlamaDecoder decoder(a, weights);
    const auto row = [&](int t) { return std::vector(&all[t * 37], &all[t * 37] + 37); };
    const auto same = [&](std::span<const float> logits, int t) {
      EXPECT_EQ(differing({logits.begin(), logits.end()}, row(t)), 0u) << t;
    };
    for (int t = 0; t < 16; ++t) same(decoder.step(texts.text(0)[t]), t);
    EXPECT_EQ(decoder.room(), 0);
    decoder.restart();
    same(decoder.read({texts.text(0), 9}), 8);
    same(decoder.read({texts.text(0) + 9, 4}), 12);
    same(decoder.step(texts.text(0)[13]), 13);
  }
}

TEST(LlamaTest, ChoicesAreGreedyOrDrawn) {
  const std::vector<float> logits = {1, 3, 2, 3};
  Stream stream(1, "choice");
  EXPECT_EQ(choose_token(logits, {}, stream), 1);
  int counts[4] = {};
  for (int i = 0; i < 20000; ++i) ++counts[choose_token(logits, {1, 0.7}, stream)];
  EXPECT_EQ(counts[0] + counts[2], 0);  // the two likeliest already reach 0.7
  EXPECT_NEAR(counts[1], 10000, 300);
  std::fill(counts, counts + 4, 0);
  for (int i = 0; i < 20000; ++i) ++counts[choose_token(logits, {1, 1}, stream)];
  const double sum = std::exp(1) + 2 * std::exp(3) + std::exp(2);
  EXPECT_NEAR(counts[2], 20000 * std::exp(2) / sum, 250);
}

// A text whose next token is certain after each but the last word of five: of 12 targets 10 are
// certain and 2 are one of 4, so the entropy is ln 4 / 6.
TEST(LlamaTest, LearnsATextDownToItsEntropy) {
  constexpr int kLength = 12, kCount = 32;
  LlamaConfig c = small();
  const Llama a(c, next_token(kLength));
  Texts texts(next_token(kLength), kCount, 1);
  Stream stream(3, "text");
  Vector w(a.layout());
  a.initialise(w, stream);
  std::vector<float> momentum(w.values.size()), square(w.values.size());
  Workspace workspace;
  double loss = 0, late = 0;
  for (int step = 1; step <= 400; ++step) {
    for (int i = 0; i < kCount; ++i) {
      for (int t = 0; t <= kLength; ++t) {
        const auto start = static_cast<std::int32_t>(4 * 1 + 6 * stream.below(4));
        texts.text(i)[t] = t % 6 == 0 ? start : texts.text(i)[t - 1] + 1;
      }
    }
    FullWeights weights(w);
    workspace.reset();
    loss = a.loss_and_gradient(weights, texts.all(), workspace);
    if (step == 1) {
      EXPECT_NEAR(loss, std::log(37), 0.5);
    }
    if (step > 380) late += loss / 20;
    const std::vector<float>& g = weights.gradient().values;
    const double rate = 0.01 * std::sqrt(1 - std::pow(0.99, step)) / (1 - std::pow(0.9, step));
    for (std::size_t i = 0; i < g.size(); ++i) {
      momentum[i] += 0.1F * (g[i] - momentum[i]);
      square[i] += 0.01F * (g[i] * g[i] - square[i]);
      w.values[i] -= static_cast<float>(rate) * momentum[i] / (std::sqrt(square[i]) + 1e-8F);
    }
  }
  const double entropy = std::log(4) / 6;
  EXPECT_GT(late, entropy - 0.02);
  EXPECT_LT(late, entropy + 0.03);
}

TEST(LlamaTest, BitsArePinned) {
  const Llama a(small(), next_token());
  const Texts texts(next_token(), 30, 4);
  const Step step(a, weights_at(a, 1), texts.all());
  EXPECT_EQ(hash_of(step.gradient), 10552602955632273915u);
}

TEST(LlamaTest, MistakesAreNamed) {
  const auto text = [](testing::Entries e) { return problems<ModelFamily>(model("llama", e)); };
  const auto number = [](const char* n) { return Node::scalar(n); };
  EXPECT_NE(text({}).find("hidden: required by llama; or give a preset"), std::string::npos);
  EXPECT_NE(text({{"hidden", number("24")}, {"layers", number("1")}, {"heads", number("5")}})
                .find("heads: hidden / heads must be an even number"),
            std::string::npos);
  EXPECT_NE(text({{"preset", number("tiny")}, {"layers", number("1")}})
                .find("layers: given besides preset"),
            std::string::npos);
  const auto refusal = [](LlamaConfig c, const TaskShape& task) -> std::string {
    try {
      Llama(c, task);
    } catch (const std::invalid_argument& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_EQ(refusal(small(), next_token(17)), "sequences of 17 tokens are outside 1..16");
  EXPECT_EQ(refusal(small(), next_token(8, 38)), "the text has 38 tokens, the model knows 37");
  EXPECT_NE(refusal(small(), testing::classes_task(4, 3)).find("another"), std::string::npos);
  LlamaConfig odd = small();
  odd.heads = 8;
  odd.kv_heads = 8;
  EXPECT_NE(refusal(odd, next_token()).find("even width of a head"), std::string::npos);
  LlamaConfig wide = small();  // a header can ask for tables that no machine holds
  wide.max_sequence = 1 << 24;
  EXPECT_EQ(refusal(wide, next_token()),
            "rotary tables of 16777216 positions and heads of width 6 are too large");
  odd.dim = 0;
  EXPECT_NE(refusal(odd, next_token()).find("at least 1"), std::string::npos);
}

}  // namespace
}  // namespace skiff
