#include "sim/core/registry.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/core/node_text.h"

namespace skiff {

class Fruit {
 public:
  static constexpr const char* kRole = "fruit";
  static constexpr const char* kKey = "name";
  virtual ~Fruit() = default;
  virtual double weight() const = 0;
};
struct AppleParams {
  double grams = 0;
};
struct GrapeParams {
  int berries = 20;
};
template <>
Schema<AppleParams> schema() {
  Schema<AppleParams> s;
  s.field("grams", &AppleParams::grams, "weight").required().above(0);
  return s;
}
template <>
Schema<GrapeParams> schema() {
  Schema<GrapeParams> s;
  s.field("berries", &GrapeParams::berries, "on the bunch").at_least(1);
  return s;
}

namespace {

class Apple final : public Fruit {
 public:
  explicit Apple(const AppleParams& p) : grams_(p.grams) {}
  double weight() const override { return grams_; }

 private:
  double grams_;
};
class Grape final : public Fruit {
 public:
  explicit Grape(const GrapeParams& p) : berries_(p.berries) {}
  double weight() const override { return 5.0 * berries_; }

 private:
  int berries_;
};
SKIFF_REGISTER(Fruit, Apple, AppleParams,
               {.name = "apple", .summary = "round", .paper = "baseline"});
SKIFF_REGISTER(Fruit, Grape, GrapeParams,
               {.name = "grape", .summary = "small", .paper = "baseline"});

std::string problems(std::string_view text) {
  Reader reader;
  EXPECT_EQ(Registry<Fruit>::instance().make(parse_node(text), reader), nullptr);
  std::string all;
  for (const Problem& p : reader.problems()) all += (all.empty() ? "" : "\n") + to_string(p);
  return all;
}

TEST(RegistryTest, MakesByNameFromParameters) {
  const Registry<Fruit>& registry = Registry<Fruit>::instance();
  EXPECT_EQ(registry.make(parse_node("{name: apple, grams: 150}"))->weight(), 150);
  EXPECT_EQ(registry.make(parse_node("{name: grape}"))->weight(), 100);
  EXPECT_EQ(registry.names(), (std::vector<std::string>{"apple", "grape"}));
}

TEST(RegistryTest, UnknownNamesGetTheNearest) {
  EXPECT_EQ(problems("{name: aple}"),
            "test.yaml:1:8: name: \"aple\" unknown; did you mean \"apple\"? "
            "skiff list algorithms --role fruit; allowed: apple, grape");
}

TEST(RegistryTest, AKeyOfAnotherEntryIsToldSo) {
  EXPECT_EQ(problems("{name: grape, grams: 3}"),
            "test.yaml:1:15: grams: unknown to grape; it belongs to apple");
  EXPECT_NE(problems("{name: grape, seeds: 3}").find("unknown key; allowed: berries"),
            std::string::npos);
}

TEST(RegistryTest, AShorthandIsShownWrittenOut) {
  EXPECT_EQ(problems("aple"),
            "test.yaml:1:1: expected a map, found \"aple\"; write {name: apple, grams: ...}");
  EXPECT_EQ(problems("{grams: 3}"), "test.yaml:1:1: name: required; write one of apple, grape");
}

TEST(RegistryTest, ThrowsAllProblemsWithoutAReader) {
  EXPECT_THROW(Registry<Fruit>::instance().make(parse_node("{name: apple, grams: -1, x: 2}")),
               ScenarioError);
}

TEST(RegistryTest, KeysOfTheSurroundingSectionMayBeTaken) {
  Reader reader;
  EXPECT_NE(
      Registry<Fruit>::instance().make(parse_node("{name: grape, at: start}"), reader, {"at"}),
      nullptr);
}

TEST(RegistryTest, TheCatalogueIsSortedAndDescribesFields) {
  std::vector<std::string> fruits;
  for (const CatalogueEntry& entry : catalogue()) {
    if (entry.role == "fruit") fruits.push_back(entry.about.name);
    if (entry.about.name == "apple") {
      ASSERT_EQ(entry.fields.size(), 1u);
      EXPECT_EQ(entry.fields[0].name, "grams");
    }
  }
  EXPECT_EQ(fruits, (std::vector<std::string>{"apple", "grape"}));
}

TEST(RegistryTest, ANameIsRegisteredOnce) {
  Registry<Fruit>::Entry again;
  again.about.name = "apple";
  EXPECT_THROW(Registry<Fruit>::instance().add(again), std::logic_error);
}

}  // namespace
}  // namespace skiff
