// Every adaptation with every codec over a dense and a quantized base, and every method with every
// codec and every adaptation: each runs a round with finite numbers, or is refused with a reason
// that names what does not go together.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "sim/core/error.h"
#include "tests/contract/contract_test.h"
#include "tests/federation/run_scenario.h"

namespace skiff {
namespace {

using ::testing::HasSubstr;

const char* kTiny = R"(
seed: 7
data: {source: gaussian-mixture, clients: 4, samples_per_client: 8, features: 8, classes: 3, partition: {scheme: iid}}
model: {architecture: mlp, hidden: [16, 16]}
devices: {population: {laptop-x86: 1}}
server: {protocol: synchronous, participants: all, weighting: uniform, rounds: 2}
training: {steps: 2, batch: 4, optimizer: {name: sgd, learning_rate: 0.05}}
evaluation: {every: 2, metrics: [train_loss]}
)";
const std::string kQuantized = "compression.quantization={name: rtn, bits: 4, group: 16}";

template <class Role>
std::string least(const std::string& name) {
  const auto& entry = Registry<Role>::instance().entries().at(name);
  Node map = testing::least_map<Role>(entry);
  if (map.find("targets") != nullptr) map.set("targets", Node::scalar("linear"));
  return to_flow_text(map);
}

template <class Role>
std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const auto& [name, entry] : Registry<Role>::instance().entries()) {
    if (!entry.about.planned) all.push_back(name);
  }
  return all;
}

// With the codecs' names, how often each of the two happened.
struct Tally {
  int ran = 0, refused = 0;

  // `words`: what a refusal must name.
  void attempt(const std::vector<std::string>& overrides, const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& o : overrides) text += o + "\n";
    SCOPED_TRACE(text);
    try {
      const test::Ran ran_ = test::run(kTiny, overrides);
      ASSERT_EQ(ran_.rounds().size(), 2U);
      EXPECT_EQ(ran_.rounds().back().accepted, 4U);
      EXPECT_TRUE(std::isfinite(ran_.rounds().back().train_loss));
      ++ran;
    } catch (const ScenarioError& error) {
      const std::string said = error.what();
      // Server optimizers want a step size; others leave it at 1.
      if (said.find("server.learning_rate: required") != std::string::npos) {
        std::vector<std::string> more = overrides;
        more.emplace_back("server.learning_rate=0.05");
        return attempt(more, words);
      }
      ++refused;
      for (const std::string& word : words) EXPECT_THAT(said, HasSubstr(word));
    }
  }
};

// ProxSkip's methods draw the steps themselves.
std::vector<std::string> with_method(const std::string& method) {
  std::vector<std::string> overrides{"training.method=" + least<FederatedMethod>(method)};
  const auto entry = testing::least_map<FederatedMethod>(
      Registry<FederatedMethod>::instance().entries().at(method));
  Reader reader({}, {"."});
  const auto object = Registry<FederatedMethod>::instance().make(entry, reader);
  if (object != nullptr && object->draws_steps()) overrides.emplace_back("~training.steps");
  return overrides;
}

TEST(Compositions, AdaptationsWithCodecsOverDenseAndQuantizedBases) {
  Tally tally;
  for (const std::string& adaptation : names<Parametrization>()) {
    for (const std::string& codec : names<Codec>()) {
      for (const bool quantized : {false, true}) {
        std::vector<std::string> overrides{
            "compression.adaptation=" + least<Parametrization>(adaptation),
            "compression.communication=" + least<Codec>(codec)};
        if (quantized) overrides.push_back(kQuantized);
        tally.attempt(overrides, {adaptation, codec});
      }
    }
  }
  EXPECT_GT(tally.ran, 2 * tally.refused);
  EXPECT_GT(tally.refused, 0);
}

TEST(Compositions, MethodsWithCodecs) {
  Tally tally;
  for (const std::string& method : names<FederatedMethod>()) {
    for (const std::string& codec : names<Codec>()) {
      std::vector<std::string> overrides = with_method(method);
      overrides.push_back("compression.communication=" + least<Codec>(codec));
      tally.attempt(overrides, {method, codec});
    }
  }
  EXPECT_GT(tally.ran, 2 * tally.refused);
  EXPECT_GT(tally.refused, 0);
}

TEST(Compositions, MethodsWithAdaptationsOverDenseAndQuantizedBases) {
  Tally tally;
  for (const std::string& method : names<FederatedMethod>()) {
    for (const std::string& adaptation : names<Parametrization>()) {
      for (const bool quantized : {false, true}) {
        std::vector<std::string> overrides = with_method(method);
        overrides.push_back("compression.adaptation=" + least<Parametrization>(adaptation));
        if (quantized) overrides.push_back(kQuantized);
        tally.attempt(overrides, {method, adaptation});
      }
    }
  }
  EXPECT_GT(tally.ran, tally.refused);
  EXPECT_GT(tally.refused, 0);
}

}  // namespace
}  // namespace skiff
