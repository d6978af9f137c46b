// The ledger of `skiff fit` against figures that were worked out by hand from published shapes.
#include "sim/cli/fit_plans.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

#include "algorithms/models/hf_config.h"

namespace skiff::cli {
namespace {

const KnownModel& known(const char* name) { return *find_known_model(name); }
Layout layout_of(const char* name) {
  return real_size_layout(parse_hf_config(name, known(name).config)).layout;
}

const FitPlan& named(const std::vector<FitPlan>& plans, const std::string& name) {
  const auto it =
      std::find_if(plans.begin(), plans.end(), [&](const FitPlan& p) { return p.name == name; });
  if (it == plans.end()) throw std::runtime_error("no plan " + name);
  return *it;
}
std::int64_t state(const std::vector<FitPlan>& plans, const std::string& optimizer) {
  return named(plans, "all weights, " + optimizer).cost.memory.optimizer_state.value();
}

// Two float32 moments a weight; two codes of 8 bits a weight and a float32 a block of 2048 of each
// (tensors below 4096 weights in float32); MicroAdam's window, 4-bit residual and its statistics in
// buckets of 64. Beside that the count of steps of each tensor, 8 bytes.
TEST(FitPlansTest, OptimizerBytesOfLlama2) {
  const std::vector<FitPlan> plans = training_plans(known("llama-2-7b"), 512, 1);
  const Layout layout = layout_of("llama-2-7b");
  std::int64_t eight = 0;
  for (const Slice& s : layout.slices) {
    const auto d = static_cast<std::int64_t>(s.size());
    eight += d < 4096 ? 8 * d : 2 * d + 8 * ((d + 2047) / 2048);
  }
  const auto counts = static_cast<std::int64_t>(8 * layout.slices.size());
  EXPECT_EQ(state(plans, "adamw"), 8 * 6'738'415'616 + counts);
  EXPECT_EQ(state(plans, "adam-8bit"), eight + counts);
  EXPECT_EQ(state(plans, "microadam"), 6'488'358'388 + counts);
  EXPECT_EQ(state(plans, "sgd"), 0);
  EXPECT_NEAR(static_cast<double>(state(plans, "adamw")) / (1 << 30), 50.21, 0.005);
  EXPECT_NEAR(static_cast<double>(state(plans, "adam-8bit")) / (1 << 30), 12.55 + 0.02, 0.01);
}

// 1 text of 512 tokens. By hand, in bfloat16 and with all logits and their gradient:
//   32 blocks x 512 x ((6 x 4096 + 2 x 1024 + 4 x 14336) x 2 B + 4 B a head) + 4.2 MB + 1,050 MB.
// Ours: float32; the product of gate and up is made again, so 3 x 14336; logits of 128 tokens at a
// time, their gradient in their place; and the gradients that are alive inside one block.
TEST(FitPlansTest, ActivationsOfLlama3) {
  const std::vector<FitPlan> plans = training_plans(known("llama-3-8b"), 512, 1);
  const auto activations = [&](const char* plan) {
    return static_cast<double>(named(plans, plan).cost.memory.activations.value());
  };
  constexpr double kTokens = 512, kWide = 4096, kHidden = 14336, kHeads = 32, kLayers = 32;
  constexpr double kVocabulary = 128256;
  const double inside = 4 * kTokens * (2 * kWide + 3 * kHidden), logits = 4 * 128 * kVocabulary;
  EXPECT_EQ(named(plans, "all weights, sgd").cost.detail.logits.value(), logits);
  const double in_bfloat16 = (activations("all weights, sgd") - inside - logits) / 2 +
                             2 * kTokens * kLayers * (kHidden + kHeads) +
                             2 * 4 * kTokens * kVocabulary / 2;
  EXPECT_NEAR(in_bfloat16 / 1e6, 3283 - 525.3 + 262.7, 0.3);
  const double less =
      activations("all weights, sgd") - activations("all weights, sgd, checkpointing");
  EXPECT_EQ(less, 4 * kTokens * (kLayers - 1) * (6 * kWide + 2 * 1024 + 3 * kHidden + kHeads) -
                      4 * kTokens * kLayers * kWide);
}

TEST(FitPlansTest, KeysAndValuesOfAToken) {
  for (const auto& [name, halves] : {std::pair{"llama-3-8b", 131'072},
                                     {"tinyllama-1.1b", 22'528},
                                     {"mobilellm-350m", 40'960},
                                     {"mobilellm-125m", 23'040}}) {
    for (const FitPlan& plan : inference_plans(known(name), 100)) {
      EXPECT_EQ(plan.key_values.value(), 2 * 100 * halves) << name;  // float32, not fp16
    }
  }
  EXPECT_EQ(inference_plans(known("bert-base"), 100).front().key_values, Bytes(0));
}

// 8 x (inputs + outputs) of every linear layer but the head; adamw keeps two moments of each.
TEST(FitPlansTest, FactorsOfLlama3) {
  const std::vector<FitPlan> plans = training_plans(known("llama-3-8b"), 128, 1);
  const Cost& cost = named(plans, "lora rank 8 on 4 bits, adamw").cost;
  constexpr std::int64_t kFactors = 20'971'520;
  EXPECT_EQ(cost.memory.adapters.value(), 4 * kFactors);
  EXPECT_EQ(cost.memory.gradients.value(), 4 * kFactors);
  EXPECT_EQ(cost.memory.optimizer_state.value(), 8 * kFactors + 8 * 2 * 7 * 32);
}

// 6.98 G weights of linear layers: 4 bits each and a float16 for 1024 inputs of a row; the rest
// fp16.
TEST(FitPlansTest, CodesAndScalesOfLlama3) {
  const FitPlan plan = named(inference_plans(known("llama-3-8b"), 128), "4 bits");
  std::int64_t coded = 0, all = 0;
  for (const Slice& s : layout_of("llama-3-8b").slices) {
    all += static_cast<std::int64_t>(s.size());
    if (s.name.find("_proj") != std::string::npos) coded += static_cast<std::int64_t>(s.size());
  }
  EXPECT_EQ(coded, 6'979'321'856);
  EXPECT_EQ(plan.cost.detail.scales.value(), 2 * coded / 1024);
  EXPECT_EQ((plan.cost.memory.weights - plan.cost.detail.scales).value(),
            coded / 2 + 2 * (all - coded));
  EXPECT_EQ(plan.cost.detail.masks, Bytes(0));
}

// Subspaces of rank 128 of 224 linear layers, the rest by AdamW; by hand from the shapes: a layer
// of o outputs and i inputs has a gradient of 128 max(o, i), two moments of that, and the
// subspace's own numbers. MeZO holds weights and one number, and predicts.
TEST(FitPlansTest, ProjectedGradientsOfLlama3) {
  const std::vector<FitPlan> plans = training_plans(known("llama-3-8b"), 128, 1);
  constexpr std::int64_t kAll = 8'030'261'248, kLinear = 6'979'321'856, kLayers = 7 * 32;
  // q, k, v, o, gate, up, down of a block: the larger side of each, and the smaller.
  constexpr std::int64_t kLarger = 32 * (4 * 4096 + 3 * 14336),
                         kSmaller = 32 * (2 * 4096 + 2 * 1024 + 3 * 4096);
  constexpr std::int64_t kRest = kAll - kLinear, kCounts = 8 * 291;  // tensors
  const std::int64_t gradient = 128 * kLarger;
  const auto memory = [&](const char* name) {
    return named(plans, std::string("all weights, ") + name).cost.memory;
  };
  for (const char* name : {"grass rank 128", "galore rank 128", "flora rank 128"}) {
    EXPECT_EQ(memory(name).gradients.value(), 4 * (gradient + kRest)) << name;
    EXPECT_EQ(memory(name).weights.value(), 4 * kAll) << name;
  }
  const std::int64_t moments = 8 * (gradient + kRest) + kCounts;
  EXPECT_EQ(memory("grass rank 128").optimizer_state.value(), moments + 8 * 128 * kLayers);
  EXPECT_EQ(memory("galore rank 128").optimizer_state.value(), moments + 4 * 128 * kSmaller);
  EXPECT_EQ(memory("flora rank 128").optimizer_state.value(), moments + 16 * kLayers);
  EXPECT_LT(memory("grass rank 128").total(), memory("microadam").total());
  EXPECT_EQ(memory("mezo").optimizer_state, Bytes(0));
  EXPECT_EQ(memory("mezo").gradients, Bytes(4));
  EXPECT_EQ(memory("mezo").activations,
            named(inference_plans(known("llama-3-8b"), 128), "fp32").cost.memory.activations);
  EXPECT_EQ(
      std::count_if(plans.begin(), plans.end(),
                    [](const FitPlan& p) { return p.name.find("mezo") != std::string::npos; }),
      1);
}

}  // namespace
}  // namespace skiff::cli
