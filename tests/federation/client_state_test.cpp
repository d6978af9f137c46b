// What clients keep takes the host's memory for those that ever took part, and for no one else; and
// not more than it is allowed, whoever took part.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

#include "sim/federation/client_states.h"
#include "tests/federation/run_scenario.h"

namespace skiff {
namespace {

double peak_megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

double resident_megabytes() {
  std::ifstream statm("/proc/self/statm");
  double all = 0, resident = 0;
  statm >> all >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1024 / 1024;
}

// 100,000 clients, each of whose control variates would take 0.1 MB: 10 GB for all; 60 take part.
const char* kMany = R"(
seed: 1
data: {source: gaussian-mixture, clients: 100000, samples_per_client: 1, features: 8, classes: 4, partition: {scheme: iid}}
model: {architecture: mlp, hidden: [160, 160]}
devices: {population: {laptop-x86: 1}}
server: {protocol: synchronous, participants: 20, rounds: 3}
training: {steps: 1, batch: 1, optimizer: {name: sgd, learning_rate: 0.05}, method: {name: scaffold}}
evaluation: {every: 3}
)";

TEST(ClientStates, TakeMemoryForThoseWhoTookPart) {
  const double before = peak_megabytes();
  const test::Ran ran = test::run(kMany);
  EXPECT_EQ(ran.rounds().back().accepted, 20U);
  EXPECT_LT(peak_megabytes() - before, 400);
}

ClientState state_of(ClientId client, float turn, std::size_t floats) {
  ClientState state;
  state.space = static_cast<std::int64_t>(client) + 1;
  state.method.array<float>("h", floats)[0] = static_cast<float>(client) + turn;
  state.optimizer.array<double>("m", 3)[2] = 0.5;
  state.personal.array<std::uint8_t>("mask", client % 3 + 1)[0] = 7;
  state.codec_of(section_id("update")).array<float>("error", 2)[1] = turn;
  return state;
}

TEST(ClientStates, BeyondTheBoundLieInAFile) {
  constexpr std::size_t kFloats = 2'500;
  constexpr ClientId kClients = 20'000;  // 10 kB each: 200 MB
  ClientStates states(Bytes(1'000'000));
  const double before = resident_megabytes();
  for (const float turn : {0.25F, 0.5F}) {
    for (ClientId k = 0; k < kClients; ++k) {
      states.put(k, state_of(k, turn, kFloats));
      ASSERT_LE(states.in_memory(), Bytes(1'000'000));
    }
  }
  EXPECT_EQ(states.size(), kClients);
#ifndef __SANITIZE_ADDRESS__  // which holds on to what was freed
  EXPECT_LT(resident_megabytes() - before, 30);
#endif
  // Written twice, kept once.
  EXPECT_LT(states.in_file(), Bytes(static_cast<std::int64_t>(kClients) * 11'000));
  for (const ClientId k : {ClientId{0}, ClientId{7}, ClientId{12'345}, kClients - 1}) {
    const auto found = states.find(k);
    ASSERT_TRUE(found);
    EXPECT_EQ(save_client_state(*found), save_client_state(state_of(k, 0.5F, kFloats)));
  }
  EXPECT_FALSE(states.find(kClients));
}

TEST(ClientStates, OfAnotherSizeAreFoundToo) {
  ClientStates states(Bytes(0));
  for (const std::size_t floats : {10, 1'000, 5, 2'000}) {
    for (ClientId k = 0; k < 3; ++k) states.put(k, state_of(k, 1, floats));
    for (ClientId k = 0; k < 3; ++k) {
      EXPECT_EQ(save_client_state(*states.find(k)), save_client_state(state_of(k, 1, floats)));
    }
  }
}

TEST(ClientStates, WhatIsCutShortIsRefused) {
  const std::string text = save_client_state(state_of(1, 1, 2));
  for (std::size_t n = 0; n < text.size(); ++n) {
    const std::string cut = text.substr(0, n);
    try {  // a whole section may be missing: then there are fewer
      EXPECT_LT(load_client_state(cut).codec.size(), 1U) << n;
    } catch (const DataError&) {
    }
  }
}

// GRASS's moments in a subspace may be kept like any others.
TEST(ClientStates, MomentsOfASubspaceMayBeKept) {
  const auto run = [](const std::string& policy) {
    return test::run(kMany, {"data.clients=4", "data.samples_per_client=20",
                             "server.participants=4", "server.rounds=6", "training.steps=3",
                             "training.method={name: fedavg}", "evaluation.every=6",
                             "training.optimizer={name: grass, rank: 4, moments: carry-overlap, "
                             "learning_rate: 0.01, client_state: " +
                                 policy + "}"});
  };
  const test::Ran reset = run("reset"), kept = run("persistent");
  EXPECT_NE(reset.record->results_sha256(), kept.record->results_sha256());
  EXPECT_EQ(kept.rounds().back().accepted, 4U);
  EXPECT_THROW(test::run(kMany, {"training.method={name: fedavg}",
                                 "training.optimizer={name: mezo, learning_rate: 0.01, "
                                 "client_state: persistent}"}),
               ScenarioError);
}

// Where states lie changes no bit: few clients that come again, all kept in the file.
TEST(ClientStates, InAFileChangeNoBitOfARun) {
  std::string results[2];
  for (const int in_file : {0, 1}) {
    const Scenario scenario = parse_scenario(
        kMany, "test.yaml",
        {"data.clients=8", "data.samples_per_client=20", "server.participants=4", "server.rounds=6",
         "compression.communication={name: top-k, density: 0.1, "
         "error_feedback: true}"},
        {.profiles = test::profiles()});
    FederationSetup setup = assemble(scenario);
    if (in_file == 1) setup.most_client_states = Bytes(0);
    results[in_file] = test::run(scenario, std::move(setup)).record->results_sha256();
  }
  EXPECT_EQ(results[0], results[1]);
}

}  // namespace
}  // namespace skiff
