// ResNet: parameter counts, names, gradients, starts, and what is refused.
#include <algorithm>
#include <stdexcept>

#include "tests/models/sample_checks.h"

namespace skiff {
namespace {

using testing::binary_task;
using testing::build;
using testing::classes_task;
using testing::differing;
using testing::Entries;
using testing::expect_gradient;
using testing::image_task;
using testing::list_of;
using testing::model;
using testing::problems;
using testing::random_vector;
using testing::Shard;

Node resnet(const std::string& preset, Entries more = {}) {
  more.insert(more.begin(), {"preset", Node::scalar(preset)});
  return model("resnet", std::move(more));
}
Node shaped(const std::vector<std::string>& widths, const char* blocks, const char* groups,
            Entries more = {}) {
  more.insert(more.begin(), {{"widths", list_of(widths)},
                             {"blocks", Node::scalar(blocks)},
                             {"groups", Node::scalar(groups)}});
  return model("resnet", std::move(more));
}

TEST(ResnetTest, ParameterCountsAreTheUsualOnes) {
  EXPECT_EQ(build(resnet("base"), image_task(3, 32))->summary(), "resnet, 11,173,962 parameters");
  // 269,722 with shortcuts that have no parameters (He et al.: 0.27 M), and two projections.
  const std::size_t projections = 16 * 32 + 2 * 32 + 32 * 64 + 2 * 64;
  EXPECT_EQ(build(resnet("small"), image_task(3, 32))->layout()->size, 269722 + projections);
  EXPECT_EQ(build(resnet("tiny"), image_task(3, 32))->layout()->size, 78042u);
}

TEST(ResnetTest, SlicesAreNamedAsInTheEcosystem) {
  const LayoutPtr layout = build(resnet("base"), image_task(3, 32, 100))->layout();
  const struct {
    const char* name;
    int rows, cols;
  } slices[] = {{"conv1.weight", 64, 27},
                {"bn1.weight", 64, 1},
                {"layer1.0.conv1.weight", 64, 576},
                {"layer1.1.bn2.bias", 64, 1},
                {"layer2.0.conv1.weight", 128, 576},
                {"layer2.0.downsample.0.weight", 128, 64},
                {"layer4.1.conv2.weight", 512, 4608},
                {"fc.weight", 100, 512},
                {"fc.bias", 100, 1}};
  for (const auto& s : slices) {
    const Slice* found = layout->find(s.name);
    ASSERT_NE(found, nullptr) << s.name;
    EXPECT_EQ(found->rows, s.rows) << s.name;
    EXPECT_EQ(found->cols, s.cols) << s.name;
  }
  EXPECT_EQ(layout->find("layer1.0.downsample.0.weight"), nullptr);
}

TEST(ResnetTest, GradientsAgreeWithCentralDifferences) {
  TaskShape signs = image_task(1, 8);
  signs.kind = TaskKind::kBinaryLogistic;
  signs.classes = 2;
  const struct {
    Node node;
    TaskShape task;
    std::size_t stride;
  } cases[] = {{shaped({"4"}, "1", "2"), image_task(2, 5, 3), 3},
               {shaped({"4", "6"}, "1", "2", {{"l2", Node::scalar("0.2")}}), image_task(3, 7), 7},
               {shaped({"8", "16"}, "2", "8"), image_task(1, 8, 20), 61},
               {shaped({"3", "5"}, "1", "1"), signs, 5},
               {resnet("tiny"), image_task(3, 8), 1009}};
  for (const auto& c : cases) {
    const auto network = build(c.node, c.task);
    SCOPED_TRACE(network->summary());
    expect_gradient(*network, random_vector(network->layout(), 22, 1), Shard(c.task, 3, 2).all(),
                    c.stride);
  }
}

TEST(ResnetTest, BlocksBeginAsTheIdentity) {
  const auto network = build(resnet("small"), image_task(3, 32));
  Vector w(network->layout());
  network->initialise(w, Stream(7, "weights"));
  const auto values = [&](const char* name) {
    const Slice* s = network->layout()->find(name);
    return std::span<const float>(w.values).subspan(s->offset, s->size());
  };
  EXPECT_EQ(*std::ranges::max_element(values("layer2.1.bn2.weight")), 0);
  EXPECT_EQ(*std::ranges::min_element(values("layer2.1.bn1.weight")), 1);
  EXPECT_EQ(*std::ranges::max_element(values("bn1.bias")), 0);
  double squares = 0;
  const auto conv = values("layer1.0.conv1.weight");
  for (const float x : conv) squares += double{x} * x;
  EXPECT_NEAR(squares / static_cast<double>(conv.size()), 2.0 / 144, 2e-3);  // 2 / fan in
}

TEST(ResnetTest, EverySampleCountsAlone) {
  const TaskShape task = image_task(2, 9);
  const auto network = build(shaped({"8", "16"}, "1", "4"), task);
  expect_samples_count_alone(*network, random_vector(network->layout(), 3, 0.5F), Shard(task, 5, 5),
                             2e-6);
}

TEST(ResnetTest, EvaluationAgreesWithTraining) {
  const TaskShape task = image_task(3, 16);
  const auto network = build(resnet("tiny"), task);
  expect_evaluation_agrees_with_training(*network, random_vector(network->layout(), 3, 0.5F),
                                         Shard(task, 12, 5));
}

TEST(ResnetTest, MistakesAreNamed) {
  EXPECT_EQ(problems<ModelFamily>(model("resnet")),
            "widths: required by resnet, such as [16, 32, 64]; or give a preset\n");
  EXPECT_EQ(problems<ModelFamily>(resnet("tiny", {{"widths", list_of({"8"})}})),
            "widths: given besides preset; one of them says the shape\n");
  EXPECT_EQ(problems<ModelFamily>(resnet("tiny", {{"groups", Node::scalar("10")}})),
            "groups: 10 groups do not divide 16 channels\n");
  try {
    build(resnet("tiny"), classes_task(784, 10));
    FAIL();
  } catch (const std::invalid_argument& e) {
    EXPECT_STREQ(e.what(), "resnet needs images; the samples of this task have no image shape");
  }
}

}  // namespace
}  // namespace skiff
