// BERT and ViT: names, gradients, costs, checkpointing, padding.
#include <cmath>

#include "tests/models/text_test.h"

namespace skiff {
namespace {

using testing::build;
using testing::differing;
using testing::Entries;
using testing::expect_gradient;
using testing::hash_of;
using testing::model;
using testing::problems;
using testing::random_vector;
using testing::Shard;
using testing::text_task;
using testing::Texts;

Node shape(const char* family, Entries more = {}) {
  const Entries keys = {{"hidden", Node::scalar("16")},
                        {"layers", Node::scalar("2")},
                        {"heads", Node::scalar("4")},
                        {"intermediate", Node::scalar("20")}};
  more.insert(more.begin(), keys.begin(), keys.end());
  return model(family, more);
}

TaskShape masked(int length = 10) { return text_task(TaskKind::kMaskedToken, 29, length); }
TaskShape labelled(int length = 10, int classes = 3) {
  return text_task(TaskKind::kClassification, 29, length, classes);
}
TaskShape image(int channels, int height, int width, int classes) {
  return {TaskKind::kClassification, channels * height * width, classes, channels, height, width};
}

Vector weights_at(const Architecture& a, std::uint64_t seed) {
  Vector w = random_vector(a.layout(), seed, 0.25F);
  for (const Slice& s : a.layout()->slices) {
    if (s.cols > 1 || s.name.ends_with("bias")) continue;
    for (std::size_t i = 0; i < s.size(); ++i) w.values[s.offset + i] += 1;
  }
  return w;
}

// Bytes, evaluation and checkpointing of one architecture on one batch.
void expect_sound(const Architecture& a, const Batch& batch) {
  const Vector at = weights_at(a, 3);
  FullWeights weights(at), again(at);
  Workspace training, inference, less;
  const double loss = a.loss_and_gradient(weights, batch, training);
  EXPECT_EQ(a.training_cost(batch.size()).activations.value(),
            static_cast<std::int64_t>(training.peak_bytes()));
  const Evaluation e = a.evaluate(weights, batch, inference);
  EXPECT_EQ(a.inference_cost(batch.size()).activations.value(),
            static_cast<std::int64_t>(inference.peak_bytes()));
  EXPECT_EQ(e.rows, predictions(a.task(), batch));
  EXPECT_NEAR(e.loss / static_cast<double>(e.rows), loss, 2e-6);
  const auto other = a.checkpointed();
  EXPECT_EQ(other->loss_and_gradient(again, batch, less), loss);
  EXPECT_EQ(differing(weights.gradient().values, again.gradient().values), 0u);
  EXPECT_LT(less.peak_bytes(), training.peak_bytes());
  EXPECT_EQ(other->training_cost(batch.size()).activations.value(),
            static_cast<std::int64_t>(less.peak_bytes()));
}

TEST(BertTest, SlicesAreNamedAsInHuggingFaceFiles) {
  const auto a = build(shape("bert"), masked());
  const Layout& l = *a->layout();
  EXPECT_EQ(l.slices.front().name, "bert.embeddings.word_embeddings.weight");
  EXPECT_EQ(l.find("bert.encoder.layer.1.intermediate.dense.weight")->rows, 20);
  EXPECT_NE(l.find("bert.encoder.layer.0.attention.self.query.bias"), nullptr);
  EXPECT_NE(l.find("cls.predictions.transform.LayerNorm.weight"), nullptr);
  EXPECT_EQ(l.find("cls.predictions.bias")->rows, 29);
  const auto c = build(shape("bert"), labelled());
  EXPECT_NE(c->layout()->find("bert.pooler.dense.weight"), nullptr);
  EXPECT_EQ(c->layout()->find("classifier.weight")->rows, 3);
}

TEST(BertTest, GradientsAreSlopes) {
  const auto a = build(shape("bert"), masked());
  const Texts text(masked(), 3, 1);
  expect_gradient(*a, weights_at(*a, 1), text.all(), 37);
  const auto c = build(shape("bert", {{"l2", Node::scalar("0.125")}}), labelled(10, 19));
  Texts some(labelled(10, 19), 3, 2);
  for (int t = 6; t < 10; ++t) some.text(1)[t] = kNoToken;
  expect_gradient(*c, weights_at(*c, 2), some.all(), 37);
}

TEST(BertTest, DeclaredIsTaken) {
  for (const int batch : {1, 5, 25, 30}) {
    const auto a = build(shape("bert"), masked());
    expect_sound(*a, Texts(masked(), batch, 1).all());
    const auto c = build(shape("bert"), labelled());
    expect_sound(*c, Texts(labelled(), batch, 1).all());
  }
}

TEST(BertTest, PaddingAtTheEndIsNotSeen) {
  // The same text in a longer, padded sample: the same bits.
  const auto a = build(shape("bert"), labelled(10));
  const auto b = build(shape("bert"), labelled(6));
  Texts longer(labelled(10), 1, 1), exact(labelled(6), 1, 1);
  for (int t = 0; t < 10; ++t) longer.text(0)[t] = t < 6 ? exact.text(0)[t] : kNoToken;
  const Vector wide = weights_at(*a, 1);
  Vector at(b->layout());
  for (const Slice& s : b->layout()->slices) {
    const Slice* from = a->layout()->find(s.name);
    std::copy_n(wide.values.begin() + static_cast<std::ptrdiff_t>(from->offset), s.size(),
                at.values.begin() + static_cast<std::ptrdiff_t>(s.offset));
  }
  FullWeights one(wide), other(at);
  Workspace workspace, another;
  std::vector<float> x(3), y(3);
  a->predict(one, longer.all(), x, workspace);
  b->predict(other, exact.all(), y, another);
  EXPECT_EQ(differing(x, y), 0u);
}

TEST(BertTest, BitsArePinned) {
  const auto a = build(shape("bert"), masked());
  const Texts text(masked(), 30, 1);
  const Vector at = weights_at(*a, 1);
  FullWeights weights(at);
  Workspace workspace;
  a->loss_and_gradient(weights, text.all(), workspace);
  EXPECT_EQ(hash_of(weights.gradient().values), 2788814958825116099u);
}

TEST(BertTest, OtherTasksAreRefused) {
  EXPECT_THROW(build(shape("bert"), text_task(TaskKind::kNextToken, 29, 8)), std::invalid_argument);
  EXPECT_THROW(build(shape("bert"), image(1, 8, 8, 10)), std::invalid_argument);
  EXPECT_NE(problems<ModelFamily>(model("bert")).find("hidden: required by bert"),
            std::string::npos);
}

TEST(VitTest, SlicesAreNamedAsInHuggingFaceFiles) {
  const auto a = build(shape("vit"), image(3, 8, 12, 10));
  const Layout& l = *a->layout();
  EXPECT_EQ(l.find("vit.embeddings.cls_token")->cols, 16);
  EXPECT_EQ(l.find("vit.embeddings.position_embeddings")->rows, 7);
  EXPECT_EQ(l.find("vit.embeddings.patch_embeddings.projection.weight")->cols, 48);
  EXPECT_NE(l.find("vit.encoder.layer.1.layernorm_after.bias"), nullptr);
  EXPECT_EQ(l.slices.back().name, "classifier.bias");
}

TEST(VitTest, GradientsAreSlopes) {
  for (const int classes : {10, 21}) {
    const TaskShape task = image(3, 8, 12, classes);
    const auto a = build(shape("vit"), task);
    expect_gradient(*a, weights_at(*a, 1), Shard(task, 3, 5).all(), 43);
  }
  TaskShape signs = image(1, 8, 8, 2);
  signs.kind = TaskKind::kBinaryLogistic;
  const auto a = build(shape("vit", {{"patch", Node::scalar("2")}}), signs);
  expect_gradient(*a, weights_at(*a, 1), Shard(signs, 3, 5).all(), 43);
}

TEST(VitTest, DeclaredIsTaken) {
  const TaskShape task = image(3, 16, 16, 10);  // 17 tokens: 15 images at once
  for (const int batch : {1, 15, 20}) {
    const auto a = build(shape("vit"), task);
    expect_sound(*a, Shard(task, batch, 1).all());
  }
}

TEST(VitTest, FlopsAreThoseOfEveryProduct) {
  const TaskShape task = image(3, 8, 12, 10);
  const auto a = build(shape("vit"), task);
  const double patches = 5 * 6 * 48 * 16, head = 5 * 160;
  const double linear = 5 * 7 * 2 * (4 * 16 * 16 + 2 * 16 * 20), attention = 5 * 2 * 7 * 7 * 16;
  EXPECT_EQ(a->inference_cost(5).flops.value(), 2 * (patches + linear + 2 * attention + head));
  EXPECT_EQ(a->training_cost(5).flops.value(),
            2 * (2 * patches + 3 * linear + 7 * attention + 3 * head));
}

TEST(VitTest, BitsArePinned) {
  const TaskShape task = image(3, 16, 16, 10);
  const auto a = build(shape("vit"), task);
  const Vector at = weights_at(*a, 1);
  FullWeights weights(at);
  Workspace workspace;
  a->loss_and_gradient(weights, Shard(task, 20, 1).all(), workspace);
  EXPECT_EQ(hash_of(weights.gradient().values), 15915605781446617236u);
}

TEST(VitTest, OtherTasksAreRefused) {
  EXPECT_THROW(build(shape("vit"), image(1, 10, 8, 10)), std::invalid_argument);
  EXPECT_THROW(build(shape("vit"), testing::classes_task(8, 3)), std::invalid_argument);
}

}  // namespace
}  // namespace skiff
