// Against sequence_goldens.txt, which make_sequence_goldens.py computed in double precision.
#include "algorithms/models/llama.h"
#include "tests/models/golden.h"
#include "tests/models/text_test.h"

namespace skiff {
namespace {

using testing::build;
using testing::model;
using testing::Shard;
using testing::text_task;
using testing::Texts;

void expect_golden(const std::string& name, const Architecture& network, std::uint64_t seed,
                   const Batch& batch) {
  const testing::Golden golden = testing::read_golden("sequence_goldens.txt", name);
  ASSERT_EQ(network.layout()->size, golden.size);
  Vector at = testing::random_vector(network.layout(), seed, 0.5F);
  for (const Slice& s : network.layout()->slices) {
    const bool norm = s.cols == 1 && s.name.ends_with("weight");
    for (std::size_t i = 0; norm && i < s.size(); ++i) at.values[s.offset + i] += 1;
  }
  FullWeights weights(at);
  Workspace workspace;
  std::vector<float> logits(golden.logits.size());
  network.predict(weights, batch, logits, workspace);
  for (std::size_t i = 0; i < logits.size(); ++i) EXPECT_NEAR(logits[i], golden.logits[i], 1e-5);
  workspace.reset();
  EXPECT_NEAR(network.loss_and_gradient(weights, batch, workspace), golden.loss, 2e-6);
  const std::vector<float>& gradient = weights.gradient().values;
  ASSERT_EQ(golden.gradient.size(), (golden.size + golden.stride - 1) / golden.stride);
  for (std::size_t i = 0; i < golden.gradient.size(); ++i) {
    EXPECT_NEAR(gradient[i * golden.stride], golden.gradient[i], 3e-6) << i * golden.stride;
  }
}

TEST(SequenceGoldenTest, Llama) {
  LlamaConfig c;
  c.vocabulary = 19;
  c.dim = 16;
  c.layers = 2;
  c.heads = 4;
  c.kv_heads = 2;
  c.intermediate = 12;
  c.max_sequence = 7;
  const TaskShape task = text_task(TaskKind::kNextToken, 19, 7);
  expect_golden("llama-tied", Llama(c, task), 1, Texts(task, 2, 101).all());
  c.tied = false;
  c.rope_pairing = kernels::RopePairing::kHalfSplit;
  expect_golden("llama-untied-half-split", Llama(c, task), 2, Texts(task, 2, 102).all());
}

Node encoder(const char* family) {
  return model(family, {{"hidden", Node::scalar("16")},
                        {"layers", Node::scalar("2")},
                        {"heads", Node::scalar("4")},
                        {"intermediate", Node::scalar("20")}});
}

TEST(SequenceGoldenTest, Bert) {
  const TaskShape masked = text_task(TaskKind::kMaskedToken, 19, 7);
  expect_golden("bert-masked", *build(encoder("bert"), masked), 3, Texts(masked, 3, 103).all());
  const TaskShape classes = text_task(TaskKind::kClassification, 19, 7, 4);
  expect_golden("bert-classes", *build(encoder("bert"), classes), 4, Texts(classes, 3, 104).all());
}

TEST(SequenceGoldenTest, Vit) {
  const TaskShape task{TaskKind::kClassification, 288, 5, 3, 8, 12};
  expect_golden("vit", *build(encoder("vit"), task), 5, Shard(task, 3, 105).all());
}

TEST(SequenceGoldenTest, CifgLstm) {
  const TaskShape task = text_task(TaskKind::kNextToken, 19, 7);
  const Node node =
      model("cifg-lstm", {{"hidden", Node::scalar("13")}, {"width", Node::scalar("10")}});
  expect_golden("cifg-lstm", *build(node, task), 6, Texts(task, 2, 106).all());
}

}  // namespace
}  // namespace skiff
