// Moments of a subspace that a client keeps between its rounds (client_state: persistent).
#include "tests/optimizers/projected.h"

namespace skiff::testing {
namespace {

// Of 20 steps with a choice at each fifth, in one job or in four.
std::vector<float> after_twenty(const std::shared_ptr<const Optimizer>& optimizer, Order order,
                                bool in_rounds) {
  OneLayer layer(optimizer, TwelveByThirty::kRows, TwelveByThirty::kCols, order);
  for (int t = 0; t < 20; ++t) {
    if (in_rounds && t > 0 && t % 5 == 0) layer.begin_round();
    layer.step(TwelveByThirty::gradient(layer.values()), 0.02);
  }
  return layer.values();
}

// The choice that begins a round does to kept moments what any other choice does, to the bit:
// GRASS's begin anew, go on or follow their rows, GaLore's go on, Flora's change directions.
TEST(KeptMomentsTest, ARoundBeginsLikeAnyChoice) {
  std::vector<std::pair<std::string, Keys>> all{{"galore", {}}, {"flora", {}}};
  for (const char* moments : {"reset", "keep", "carry-overlap"}) {
    for (const char* side : {"rows", "cols"}) {
      all.push_back({"grass", {{"moments", moments}, {"side", side}, {"rows", "multi-norm-nr"}}});
    }
  }
  for (auto& [name, keys] : all) {
    SCOPED_TRACE(name + (keys.empty() ? "" : " " + keys[0].second + " " + keys[1].second));
    keys.insert(keys.end(), {{"learning_rate", "0.02"},
                             {"rank", "4"},
                             {"refresh", "5"},
                             {"client_state", "persistent"}});
    const auto made = optimizer(name, keys);
    for (const Order order : {Order::kInOut, Order::kOutIn}) {
      EXPECT_EQ(after_twenty(made, order, true), after_twenty(made, order, false));
    }
  }
}

// They may be kept, and what they take is known; codes', and what there is not, may not.
TEST(KeptMomentsTest, WhoMayKeepThem) {
  for (const char* name : {"grass", "galore", "flora"}) {
    const auto made = optimizer(name, {{"learning_rate", "0.01"}, {"rank", "2"}});
    EXPECT_TRUE(made->training()->keeps_moments()) << name;
  }
  const Node mezo = map_of({{"name", Node::scalar("mezo")},
                            {"learning_rate", Node::scalar("0.01")},
                            {"client_state", Node::scalar("persistent")}});
  EXPECT_NE(problems<Optimizer>(mezo).find("mezo has no moments to keep"), std::string::npos);
}

}  // namespace
}  // namespace skiff::testing
