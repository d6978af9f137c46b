// What the optimizers of projected gradients and of forward passes refuse, and where.
#include "tests/optimizers/projected.h"

namespace skiff::testing {
namespace {

std::string refused(const std::string& name, const std::string& key, const std::string& value) {
  Entries entries{{"name", Node::scalar(name)}, {"learning_rate", Node::scalar("0.01")}};
  if (name != "mezo" && key != "rank") entries.emplace_back("rank", Node::scalar("4"));
  if (!key.empty()) entries.emplace_back(key, Node::scalar(value));
  return problems<Optimizer>(map_of(entries));
}

TEST(ProjectedRefusalsTest, AbsurdNumbers) {
  for (const char* name : {"grass", "galore", "flora"}) {
    EXPECT_EQ(refused(name, "", ""), "") << name;
    for (const auto& [key, value] :
         {std::pair("rank", "0"), std::pair("rank", "-3"), std::pair("rank", "half"),
          std::pair("refresh", "0"), std::pair("scale", "0"), std::pair("scale", "-1"),
          std::pair("beta1", "1"), std::pair("beta2", "1"), std::pair("epsilon", "0"),
          std::pair("weight_decay", "100"), std::pair("client_state", "server")}) {
      EXPECT_NE(refused(name, key, value).find(key), std::string::npos)
          << name << " " << key << ": " << value;
    }
  }
}

TEST(ProjectedRefusalsTest, TheRankIsTheUsersChoice) {
  for (const char* name : {"grass", "galore", "flora"}) {
    const Node none =
        map_of({{"name", Node::scalar(name)}, {"learning_rate", Node::scalar("0.01")}});
    EXPECT_NE(problems<Optimizer>(none).find("rank"), std::string::npos) << name;
  }
}

TEST(ProjectedRefusalsTest, WordsOfGrass) {
  for (const auto& [key, value] : {std::pair("rows", "top"), std::pair("side", "max"),
                                   std::pair("moments", "drop"), std::pair("rewarm", "-1")}) {
    EXPECT_NE(refused("grass", key, value).find(key), std::string::npos) << key << ": " << value;
  }
  // What is GRASS's alone.
  for (const char* key : {"rows", "side", "moments"}) {
    EXPECT_NE(refused("galore", key, "reset"), "") << key;
  }
}

TEST(ProjectedRefusalsTest, LayersThatThereAreNot) {
  const auto made = optimizer("grass", {{"learning_rate", "0.01"}, {"rank", "2"}});
  Layout vectors;
  vectors.add("norm.weight", 8, 1);
  EXPECT_THROW(made->training()->update_layout(dense_shape(std::make_shared<Layout>(vectors))),
               std::invalid_argument);
}

TEST(ProjectedRefusalsTest, Mezo) {
  EXPECT_EQ(refused("mezo", "", ""), "");
  for (const auto& [key, value] :
       {std::pair("epsilon", "0"), std::pair("epsilon", "-0.001"), std::pair("learning_rate", "0"),
        std::pair("client_state", "persistent"), std::pair("rank", "4")}) {
    EXPECT_NE(refused("mezo", key, value), "") << key << ": " << value;
  }
}

}  // namespace
}  // namespace skiff::testing
