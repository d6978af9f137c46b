// Every federated method, with every good value of each of its parameters, over the codecs.

#include <bit>

#include "tests/contract/federation_contract_test.h"

namespace skiff::testing {
namespace {

class MethodContract : public ::testing::Test {
 protected:
  template <class Test>
  static void for_methods(Test test) {
    for (const Variant<FederatedMethod>& v : all_variants<FederatedMethod>()) {
      const std::shared_ptr<const Codec> codecs[] = {
          named<Codec>("dense"),
          named<Codec>("top-k", {{"density", "0.3"}, {"error_feedback", "true"}}),
          named<Codec>("qsgd", {{"levels", "4"}})};
      for (const auto& up : codecs) {
        SCOPED_TRACE(v.text);
        SmallFederation federation(v.object, up, named<Parametrization>("full"));
        test(federation);
      }
    }
  }
};

void expect_sizes(std::vector<Section> declared, const Message& message) {
  std::erase_if(declared, [](const Section& s) { return s.name == kBaseSection; });  // held
  EXPECT_EQ(message.sections.size(), declared.size());
  for (const Section& section : declared) {
    const Payload* payload = message.find(section.name);
    ASSERT_NE(payload, nullptr) << section_name(section.name);
    EXPECT_EQ(payload->size(), section.bytes) << section_name(section.name);
  }
}

std::string saved(const Server& server) {
  std::string text = std::to_string(server.version) + server.state.save();
  for (const GlobalModel& m : server.models) {
    for (const float x : m.weights.values) text += std::to_string(std::bit_cast<std::uint32_t>(x));
  }
  return text;
}

TEST_F(MethodContract, DeclaredSizesAreSpokenSizes) {
  for_methods([](SmallFederation& f) {
    for (int round = 0; round < 2; ++round, f.round()) {
      for (ClientId k = 0; k < SmallFederation::kClients; ++k) {
        const Exchange exchange = f.exchange(k);
        const Message said = f.broadcast(k);
        expect_sizes(exchange.down, said);
        ClientState scratch = f.states[k];
        expect_sizes(exchange.up, f.answer(k, said, scratch));
      }
    }
  });
}

TEST_F(MethodContract, ClientStateBytesAreWhatIsKept) {
  for_methods([](SmallFederation& f) {
    for (int round = 0; round < 2; ++round) {
      f.round();
      for (const ClientState& state : f.states) {
        EXPECT_EQ(state.method.bytes(),
                  f.method->client_state_bytes(f.composition, f.composition.global()));
      }
    }
  });
}

TEST_F(MethodContract, ALostAttemptLeavesNoTrace) {
  for_methods([](SmallFederation& f) {
    f.round();
    const std::string before = saved(f.server);
    const Message said = f.broadcast(1);
    ClientState lost = f.states[1], again = f.states[1];
    const Message first = f.answer(1, said, lost);
    const Message second = f.answer(1, said, again);
    EXPECT_EQ(saved(f.server), before);
    ASSERT_EQ(first.sections.size(), second.sections.size());
    for (std::size_t s = 0; s < first.sections.size(); ++s) {
      EXPECT_EQ(first.sections[s].second.bytes, second.sections[s].second.bytes);
    }
  });
}

TEST_F(MethodContract, SavedStatesContinueIdentically) {
  for_methods([](SmallFederation& f) {
    f.round();
    SmallFederation restored = f;
    restored.server.state = State::load(f.server.state.save());
    for (ClientState& state : restored.states) {
      state.method = State::load(state.method.save());
      for (auto& [section, codec] : state.codec) codec = State::load(codec.save());
    }
    for (int round = 0; round < 2; ++round) f.round(), restored.round();
    EXPECT_EQ(saved(f.server), saved(restored.server));
  });
}

TEST_F(MethodContract, EveryRoundIsANewVersionAndTheOldOneStays) {
  for_methods([](SmallFederation& f) {
    f.round();
    const Server base = f.server;
    const std::string before = saved(base);
    std::vector<Update> updates;
    for (ClientId k : {0u, 2u}) {
      ClientState state = f.states[k];
      updates.push_back({k, 1.0 + k, 0, &f.composition.global(),
                         std::make_shared<const Server>(base), f.answer(k, f.broadcast(k), state),
                         SmallFederation::kSteps});
    }
    const Server next = f.method->aggregate(f.composition, base, updates);
    EXPECT_EQ(next.version, base.version + 1);
    EXPECT_EQ(saved(base), before);
    EXPECT_NE(saved(next), before);
  });
}

TEST_F(MethodContract, ThereIsAGlobalPredictor) {
  for_methods([](SmallFederation& f) {
    const std::vector<Predictor> predictors = f.method->predictors(f.composition, f.server);
    ASSERT_FALSE(predictors.empty());
    EXPECT_EQ(predictors.front().scope, "global");
    for (const Predictor& p : predictors) EXPECT_FALSE(p.members.empty());
  });
}

}  // namespace
}  // namespace skiff::testing
