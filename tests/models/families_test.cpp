// The registered families: shapes, starts, and what is refused.
#include <stdexcept>

#include "algorithms/models/initialise.h"
#include "tests/models/model_test.h"

namespace skiff {
namespace {

using testing::binary_task;
using testing::build;
using testing::classes_task;
using testing::hash_of;
using testing::image_task;
using testing::list_of;
using testing::model;
using testing::problems;

std::string refusal(const Node& node, const TaskShape& task) {
  try {
    build(node, task);
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "";
}

TEST(FamiliesTest, ParameterCountsAreThePapers) {
  const auto logistic = build(model("logistic-regression"), image_task(1, 28));
  const auto two_nn = build(model("mlp", {{"hidden", list_of({"200", "200"})}}), image_task(1, 28));
  const auto small = build(model("mlp", {{"preset", Node::scalar("small")}}), image_task(1, 28));
  EXPECT_EQ(logistic->summary(), "logistic-regression, 7,850 parameters");
  EXPECT_EQ(two_nn->summary(), "mlp, 199,210 parameters");
  EXPECT_EQ(small->layout()->size, 199210u);
}

TEST(FamiliesTest, SlicesHaveTheirNamesShapesAndOrders) {
  const Node node = model("mlp", {{"hidden", list_of({"30", "20"})}});
  const auto network = build(node, classes_task(7, 10));
  const std::vector<Slice>& slices = network->layout()->slices;
  const char* names[] = {"hidden.0.weight", "hidden.0.bias", "hidden.1.weight",
                         "hidden.1.bias",   "output.weight", "output.bias"};
  ASSERT_EQ(slices.size(), 6u);
  for (int i = 0; i < 6; ++i) EXPECT_EQ(slices[i].name, names[i]);
  EXPECT_EQ(slices[2].rows, 20);
  EXPECT_EQ(slices[2].cols, 30);
  EXPECT_EQ(slices[2].order, Order::kInOut);
  EXPECT_EQ(slices[4].order, Order::kOutIn);
  EXPECT_EQ(build(node, classes_task(7, 17))->layout()->slices[4].order, Order::kInOut);
}

TEST(FamiliesTest, StartsAreUniformWithinTheFanIn) {
  const auto network = build(model("mlp", {{"hidden", list_of({"200"})}}), classes_task(100, 10));
  Vector w(network->layout());
  network->initialise(w, Stream(7, "weights"));
  double sum = 0, squares = 0;
  for (int i = 0; i < 20000; ++i) {
    const double x = w.values[i];
    EXPECT_LE(std::abs(x), 0.1);
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / 20000, 0, 0.1 / std::sqrt(3 * 20000.0) * 4);
  EXPECT_NEAR(squares / 20000, 0.01 / 3, 1e-4);
  const double bound = 1 / std::sqrt(200.0);
  for (std::size_t i = 20200; i < w.values.size(); ++i) EXPECT_LE(std::abs(w.values[i]), bound);
}

TEST(FamiliesTest, StartsArePinned) {
  const auto start = [](const Node& node, std::uint64_t seed) {
    const auto network = build(node, image_task(1, 28));
    Vector w(network->layout());
    network->initialise(w, Stream(seed, "weights"));
    return w.values;
  };
  const Node two_nn = model("mlp", {{"hidden", list_of({"200", "200"})}});
  EXPECT_EQ(hash_of(start(two_nn, 7)), 4740304305920045180u);
  EXPECT_NE(hash_of(start(two_nn, 7)), hash_of(start(two_nn, 8)));
  // A layer's start depends on its own name and shape alone.
  const auto wide = start(model("mlp", {{"hidden", list_of({"200", "300"})}}), 7);
  EXPECT_TRUE(std::equal(wide.begin(), wide.begin() + 157000, start(two_nn, 7).begin()));
  for (const float w : start(model("logistic-regression"), 7)) EXPECT_EQ(w, 0);
}

TEST(FamiliesTest, WrongTasksAreRefusedPlainly) {
  const Node mlp = model("mlp", {{"hidden", list_of({"4"})}});
  EXPECT_EQ(refusal(mlp, classes_task(5, 1)),
            "a classifier needs at least 2 classes; this task has 1");
  EXPECT_EQ(refusal(model("logistic-regression"), classes_task(0, 3)),
            "the samples of this task have no features");
  EXPECT_EQ(refusal(mlp, binary_task(5)), "");
}

TEST(FamiliesTest, MistakesInAModelAreNamed) {
  EXPECT_EQ(problems<ModelFamily>(model("mlp")),
            "hidden: required by mlp, such as [200, 200]; or give a preset\n");
  EXPECT_EQ(problems<ModelFamily>(
                model("mlp", {{"hidden", list_of({"4"})}, {"preset", Node::scalar("tiny")}})),
            "hidden: given besides preset; one of them says the shape\n");
  EXPECT_NE(problems<ModelFamily>(model("mlp", {{"hidden", list_of({"4", "0"})}}))
                .find("hidden[1]: 0 is outside 1..65536"),
            std::string::npos);
  EXPECT_NE(problems<ModelFamily>(model("logistic-regression", {{"l2", Node::scalar("-1")}}))
                .find("l2: -1 is not 0 or more"),
            std::string::npos);
  EXPECT_NE(problems<ModelFamily>(model("logistic-regression", {{"l2", Node::scalar("nan")}})), "");
  EXPECT_NE(problems<ModelFamily>(model("mpl")).find("did you mean \"mlp\"?"), std::string::npos);
  EXPECT_NE(problems<ModelFamily>(model("logistic-regression", {{"hidden", list_of({"4"})}}))
                .find("hidden: unknown to logistic-regression; it belongs to"),
            std::string::npos);
}

}  // namespace
}  // namespace skiff
