// Every strategy of every role: says what it is, builds from its least parameters, and refuses
// absurd ones in the user's words.

#include <cctype>

#include "algorithms/codec.h"
#include "algorithms/compressor.h"
#include "algorithms/data/partition.h"
#include "algorithms/data/source.h"
#include "algorithms/federated_method.h"
#include "algorithms/models/architecture.h"
#include "algorithms/optimizers/schedule.h"
#include "algorithms/planner.h"
#include "devices/availability.h"
#include "tests/contract/contract_test.h"

namespace skiff::testing {
namespace {

bool only(const std::string& text, char joint) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [joint](unsigned char c) {
    return std::islower(c) || std::isdigit(c) || c == static_cast<unsigned char>(joint);
  });
}

template <class Role>
class RegistryContract : public ::testing::Test {
 protected:
  using Entry = typename Registry<Role>::Entry;
  // Calls test(entry) for all entries, or for those that this version runs.
  template <class Test>
  static void for_entries(bool planned_too, Test test) {
    for (const auto& [name, entry] : Registry<Role>::instance().entries()) {
      SCOPED_TRACE(std::string(Role::kRole) + ": " + name);
      if (planned_too || !entry.about.planned) test(entry);
    }
  }
};

using Roles =
    ::testing::Types<Codec, Optimizer, Schedule, Parametrization, FederatedMethod, Compressor,
                     Planner, ModelFamily, Partition, DataSource, Availability>;
TYPED_TEST_SUITE(RegistryContract, Roles);

TYPED_TEST(RegistryContract, NamesAreKebabCaseAndKeysSnakeCase) {
  this->for_entries(true, [](const auto& entry) {
    EXPECT_TRUE(only(entry.about.name, '-'));
    for (const FieldInfo& field : entry.fields) EXPECT_TRUE(only(field.name, '_')) << field.name;
  });
}

TYPED_TEST(RegistryContract, SummaryPaperAndHelpAreWritten) {
  this->for_entries(false, [](const auto& entry) {
    EXPECT_FALSE(entry.about.summary.empty());
    EXPECT_FALSE(entry.about.paper.empty());
    for (const FieldInfo& field : entry.fields) EXPECT_FALSE(field.help.empty()) << field.name;
  });
}

TYPED_TEST(RegistryContract, LeastParametersBuild) {
  this->for_entries(false, [](const auto& entry) {
    EXPECT_EQ(problems_of<TypeParam>(least_map<TypeParam>(entry)), "");
  });
}

TYPED_TEST(RegistryContract, EveryRequiredKeyIsAskedFor) {
  this->for_entries(false, [](const auto& entry) {
    for (const FieldInfo& field : entry.fields) {
      if (!field.required) continue;
      Node map = least_map<TypeParam>(entry);
      map.erase(field.name);
      const std::string problems = problems_of<TypeParam>(map);
      EXPECT_NE(problems.find(field.name + ": required"), std::string::npos) << problems;
    }
  });
}

TYPED_TEST(RegistryContract, AbsurdParametersAreRefusedWhereTheyStand) {
  this->for_entries(false, [](const auto& entry) {
    for (const FieldInfo& field : entry.fields) {
      for (const Node& value : absurd_values(field)) {
        Node map = least_map<TypeParam>(entry);
        map.set(field.name, value);
        const std::string problems = problems_of<TypeParam>(map);
        EXPECT_TRUE(problems.starts_with(field.name)) << to_flow_text(map) << "\n" << problems;
        EXPECT_THROW(Registry<TypeParam>::instance().make(map), ScenarioError);
      }
    }
  });
}

TYPED_TEST(RegistryContract, UnknownKeysAreRefused) {
  this->for_entries(false, [](const auto& entry) {
    Node map = least_map<TypeParam>(entry);
    map.set("nonsense_key", Node::scalar("1"));
    EXPECT_TRUE(problems_of<TypeParam>(map).starts_with("nonsense_key: unknown"));
  });
}

TYPED_TEST(RegistryContract, PlannedWordsAreRefusedPlainly) {
  this->for_entries(true, [](const auto& entry) {
    if (!entry.about.planned) return;
    const std::string problems = problems_of<TypeParam>(least_map<TypeParam>(entry));
    EXPECT_NE(problems.find("cannot run yet"), std::string::npos) << problems;
  });
}

TYPED_TEST(RegistryContract, ANearNameIsSuggested) {
  this->for_entries(false, [](const auto& entry) {
    Node map;
    map.set(TypeParam::kKey, Node::scalar(entry.about.name + "x"));
    const std::string problems = problems_of<TypeParam>(map);
    EXPECT_NE(problems.find("did you mean"), std::string::npos) << problems;
  });
}

}  // namespace
}  // namespace skiff::testing
