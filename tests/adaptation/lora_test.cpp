// Low-rank factors beside a decoder: gradients, memory, bytes.
#include "algorithms/adaptation/low_rank.h"
#include "algorithms/method_steps.h"
#include "algorithms/parametrization.h"
#include "tests/models/text_test.h"

namespace skiff::testing {
namespace {

std::shared_ptr<const Architecture> decoder() {
  return build(model("llama", {{"preset", Node::scalar("tiny")}}),
               text_task(TaskKind::kNextToken, 12, 8));
}

Node lora_map(const std::string& aggregation, const std::string& rank = "3",
              const std::string& dropout = "0") {
  return map_of({{"name", Node::scalar("lora")},
                 {"rank", Node::scalar(rank)},
                 {"alpha", Node::scalar("6")},
                 {"targets", list_of({"q_proj", "v_proj", "down_proj"})},
                 {"dropout", Node::scalar(dropout)},
                 {"aggregation", Node::scalar(aggregation)}});
}
std::shared_ptr<const Parametrization> made(const Node& map) {
  return Registry<Parametrization>::instance().make(map);
}

struct Bound {
  std::shared_ptr<const Architecture> network = decoder();
  std::shared_ptr<const Parametrization> lora;
  GlobalModel global;
  Vector received;
  std::unique_ptr<Weights> weights;
  Stream space{5, "space"};

  explicit Bound(const Node& map) : lora(made(map)) {
    global.weights = Vector(network->layout());
    network->initialise(global.weights, Stream(1, "initialise"));
    lora->start(global, space);
    received = global.adapters;
    weights = lora->bind(std::make_shared<const Model>(dense_model(global.weights)), received,
                         space, nullptr);
  }
};

TEST(LoraTest, GradientsOfBothFactorsThroughADecoder) {
  for (const char* aggregation : {"fedit", "ffa"}) {
    Bound b(lora_map(aggregation));
    const Texts text(b.network->task(), 6, 3);
    Workspace workspace;
    for (float& x : b.weights->parameters().values) x += 0.05F;
    const auto loss = [&] {
      b.weights->clear_gradient();
      workspace.reset();
      return b.network->loss_and_gradient(*b.weights, text.all(), workspace);
    };
    loss();
    const Vector gradient = b.weights->gradient(), start = b.weights->parameters();
    ASSERT_EQ(gradient.values.size(), start.values.size());
    for (const Slice& s : start.layout->slices) {  // slice by slice, along its own gradient
      double norm = 0;
      for (std::size_t j = s.offset; j < s.offset + s.size(); ++j) {
        norm += double(gradient.values[j]) * double(gradient.values[j]);
      }
      norm = std::sqrt(norm);
      ASSERT_GT(norm, 1e-4) << s.name;
      const double step = 0.02;
      double change = 0;
      for (const double side : {-1.0, 1.0}) {
        b.weights->parameters().values = start.values;
        for (std::size_t j = s.offset; j < s.offset + s.size(); ++j) {
          b.weights->parameters().values[j] +=
              static_cast<float>(side * step * double(gradient.values[j]) / norm);
        }
        change += side * loss();
      }
      EXPECT_NEAR(change / (2 * step), norm, 2e-2 * norm) << s.name;
    }
  }
}

TEST(LoraTest, TheBaseAndOtherLayersDoNotMove) {
  Bound b(lora_map("fedit"));
  EXPECT_EQ(b.weights->parameters().layout->slices.front().name,
            "model.layers.0.self_attn.q_proj.lora_A");
  // B is zero: the adapted model is the base.
  const Vector merged = b.lora->merged(b.global, b.space);
  EXPECT_EQ(differing(merged.values, b.global.weights.values), 0u);
}

TEST(LoraTest, DropoutDrawsAnewEachStepAndIsOffInEvaluation) {
  Bound b(lora_map("fedit", "3", "0.5"));
  const Texts text(b.network->task(), 6, 3);
  Workspace workspace;
  for (float& x : b.weights->parameters().values) x += 0.1F;
  const auto loss = [&] {
    workspace.reset();
    b.weights->clear_gradient();
    return b.network->loss_and_gradient(*b.weights, text.all(), workspace);
  };
  const double without = loss();
  b.weights->begin_step(Stream(1, "step", 0, 0));
  const double first = loss(), again = loss();
  b.weights->begin_step(Stream(1, "step", 0, 1));
  EXPECT_NE(first, without);
  EXPECT_EQ(first, again);
  EXPECT_NE(first, loss());
}

TEST(LoraTest, TrainsAndSendsOnlyItsFactors) {
  const auto network = decoder();
  const Layout& layout = *network->layout();
  std::size_t both = 0, left = 0;
  AdapterParams three;
  three.rank = 3;
  three.targets = {false, {"q_proj", "v_proj", "down_proj"}};
  for (const AdapterSlices& a : adapters_of(layout, three)) {
    both += static_cast<std::size_t>(a.rank * (a.rows + a.cols));
    left += static_cast<std::size_t>(a.rank * a.rows);
  }
  EXPECT_EQ(made(lora_map("fedit"))->update_layout(dense_shape(network->layout()))->size, both);
  EXPECT_EQ(made(lora_map("ffa"))->update_layout(dense_shape(network->layout()))->size, left);
  Cost cost;
  cost.fp32 = Flops(3e6);
  cost.weight_gradients = Flops(1e6);
  const auto sgd = Registry<Optimizer>::instance().make(
      map_of({{"name", Node::scalar("sgd")}, {"learning_rate", Node::scalar("0.1")}}));
  made(lora_map("ffa"))->cost(dense_shape(network->layout()), *sgd, cost);
  EXPECT_EQ(cost.memory.weights.value(), static_cast<std::int64_t>(4 * layout.size));
  EXPECT_EQ(cost.memory.adapters.value(), static_cast<std::int64_t>(4 * both));
  EXPECT_EQ(cost.memory.gradients.value(), static_cast<std::int64_t>(4 * left));
  EXPECT_EQ(cost.fp32.value(), 2e6);
}

TEST(LoraTest, TheBaseIsSentOnceAndIncrementsOnlyWhereTheyAreLess) {
  const Section base{0, Bytes(1000), 7, Bytes(200)};
  EXPECT_EQ(base.missing(-1), Bytes(1000));
  EXPECT_EQ(base.missing(7), Bytes(0));
  EXPECT_EQ(base.missing(5), Bytes(400));
  EXPECT_EQ(base.missing(1), Bytes(1000));
  EXPECT_EQ((Section{0, Bytes(1000), 7}).missing(6), Bytes(1000));
}

// FedSA-LoRA: B is trained beside A, stays, and comes back; the server's model is the base.
TEST(LoraTest, FedSaKeepsBOnTheDevice) {
  const auto network = decoder();
  const auto lora = made(lora_map("fedsa"));
  const Shape shape = dense_shape(network->layout());
  const Stream space(5, "space");
  GlobalModel global;
  global.weights = Vector(network->layout());
  network->initialise(global.weights, Stream(1, "initialise"));
  lora->start(global, space);
  State own;
  const Vector first = lora->with_personal(global.adapters, shape, own);
  auto weights =
      lora->bind(std::make_shared<const Model>(dense_model(global.weights)), first, space, nullptr);
  Stream draw(3, "trained");
  for (float& x : weights->parameters().values) x += draw.uniform_float() - 0.5F;
  Vector update(lora->update_layout(shape));
  weights->update(update);
  EXPECT_EQ(update.layout->size, global.adapters.layout->size);
  for (const Slice& s : update.layout->slices) EXPECT_TRUE(s.name.ends_with(".lora_A"));
  lora->keep_personal(*weights, own);
  EXPECT_EQ(own.bytes(), lora->personal_bytes(shape));
  const Vector again = lora->with_personal(global.adapters, shape, own);
  for (const Slice& s : again.layout->slices) {
    const std::vector<float>& from =
        s.name.ends_with(".lora_A") ? first.values : weights->parameters().values;
    for (std::size_t j = s.offset; j < s.offset + s.size(); ++j) {
      EXPECT_EQ(again.values[j], from[j]);
    }
  }
  EXPECT_EQ(lora->merged(global, space).values, global.weights.values);
  EXPECT_NE(lora->personal_model(global, space, own).values, global.weights.values);
  EXPECT_FALSE(lora->sends_what_it_trains());
}

TEST(LoraTest, UnknownAndUnfitTargetsAreTold) {
  const auto network = decoder();
  for (const auto& [name, word] : {std::pair("query", "no layer \"query\""),
                                   std::pair("embed_tokens", "is no linear layer")}) {
    Node map = lora_map("fedit");
    map.set("targets", list_of({name}));
    try {
      made(map)->update_layout(dense_shape(network->layout()));
      ADD_FAILURE() << name;
    } catch (const std::invalid_argument& e) {
      EXPECT_NE(std::string(e.what()).find(word), std::string::npos) << e.what();
    }
  }
}

}  // namespace
}  // namespace skiff::testing
