// How `skiff run` ends when it cannot go on: exit code, what is said, what is kept on the disk.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/cli/program.h"

namespace skiff::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class Run : public ProgramTest {
 protected:
  nlohmann::json inspect(const std::string& file) {
    const Said said = run({"inspect", file, "--json"});
    EXPECT_EQ(said.code, 0) << said.err;
    return nlohmann::json::parse(said.out);
  }
  // Hours of rounds, each of which is over in microseconds.
  void write_endless() {
    std::string text = kTimed;
    text.replace(text.find("rounds: 5"), 9, "rounds: 50000000");
    write("endless.yaml", text);
  }
  // One round that keeps the processor for minutes.
  void write_heavy() {
    write("heavy.yaml", R"(seed: 7
data: {source: glyphs, clients: 4, samples_per_client: 200, partition: {scheme: iid}}
model: {architecture: mlp, hidden: [800, 800]}
devices: {population: {rpi-5-8g: 1}}
server: {protocol: synchronous, participants: all, rounds: 3}
training: {epochs: 2000, batch: 20, optimizer: {name: sgd, learning_rate: 0.01}}
)");
  }
  // Started, and listening to signals.
  pid_t start_and_wait(const std::string& scenario) {
    const pid_t child = start({"run", scenario, "--out", "out", "--no-figures"});
    EXPECT_TRUE(eventually([&] { return fs::exists(folder_ / "out/run.h5.part"); }));
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    return child;
  }
};

TEST_F(Run, LeavesOneFileAndASummary) {
  write("a.yaml", kTimed);
  const Said said = run({"run", "a.yaml", "--no-figures"});
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_THAT(said.out, AllOf(StartsWith("a  seed 7"), HasSubstr("results/a: run.h5")));
  EXPECT_FALSE(fs::exists(folder_ / "results/a/run.h5.part"));
  EXPECT_EQ(inspect("results/a/run.h5")["status"], "ok");
}

TEST_F(Run, WhatPrintConfigPrintsIsTheSameRun) {
  write("a.yaml", kTimed);
  const Said printed = run({"run", "a.yaml", "--print-config", "--set", "server.rounds=4"});
  ASSERT_EQ(printed.code, 0) << printed.err;
  EXPECT_FALSE(fs::exists(folder_ / "results"));
  write("printed.yaml", printed.out);
  EXPECT_EQ(run({"run", "printed.yaml", "--print-config"}).out, printed.out);
  const Said first =
      run({"run", "a.yaml", "--set", "server.rounds=4", "--no-figures", "-q", "--out", "one"});
  const Said second = run({"run", "printed.yaml", "--no-figures", "-q", "--out", "two"});
  EXPECT_EQ(first.code, 0) << first.err;
  EXPECT_EQ(second.code, 0) << second.err;
  const nlohmann::json one = inspect("one/run.h5"), two = inspect("two/run.h5");
  EXPECT_EQ(one["results_sha256"], two["results_sha256"]);
  EXPECT_EQ(one["fingerprint"], two["fingerprint"]);
  EXPECT_EQ(one["config_sha256"], two["config_sha256"]);
}

// A folder holds one configuration; running the same again is fine.
TEST_F(Run, DoesNotOverwriteAnotherConfiguration) {
  write("a.yaml", kTimed);
  ASSERT_EQ(run({"run", "a.yaml", "-q", "--no-figures"}).code, 0);
  const std::string config = inspect("results/a/run.h5")["config_sha256"];
  EXPECT_EQ(run({"run", "a.yaml", "-q", "--no-figures"}).code, 0);
  const std::string before = text_of(folder_ / "results/a/run.h5");
  const Said said = run({"run", "a.yaml", "--seed", "8"});
  EXPECT_EQ(said.code, 2);
  EXPECT_EQ(said.err, "--out: results/a holds another configuration (" + config.substr(0, 6) +
                          "); choose --out DIR or a new name\n");
  EXPECT_EQ(text_of(folder_ / "results/a/run.h5"), before);
}

TEST_F(Run, AnOptimizerBeyondItsLimitOfMemory) {
  write("a.yaml", R"(seed: 7
data: {source: glyphs, clients: 4, samples_per_client: 20, partition: {scheme: iid}}
model: {architecture: mlp, hidden: [16]}
devices: {population: {rpi-5-8g: 1}}
server: {protocol: synchronous, participants: all, rounds: 1}
training: {steps: 1, batch: 5, optimizer: {name: adamw, learning_rate: 0.001, state_limit: 100 kB}}
)");
  const Said said = run({"run", "a.yaml", "--no-figures"});  // 12,730 x 8 bytes and 4 counters
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("a.yaml:6:92: training.optimizer.state_limit: this optimizer "
                                  "keeps 101.9 kB for this model"));
  EXPECT_EQ(
      run({"run", "a.yaml", "--no-figures", "--set", "training.optimizer.state_limit=102 kB"}).code,
      0);
}

TEST_F(Run, AFolderThatCannotBeMade) {
  write("a.yaml", kTimed);
  write("file", "not a folder");
  const Said said = run({"run", "a.yaml", "--out", "file/below"});
  EXPECT_EQ(said.code, 1);
  EXPECT_EQ(said.err, "skiff: file/below: Not a directory\n");
  EXPECT_THAT(said.out, IsEmpty());
}
// Where even root can make no file: a folder of the kernel's.
TEST_F(Run, AFolderThatTakesNoFiles) {
  write("a.yaml", kTimed);
  const Said said = run({"run", "a.yaml", "--out", "/proc/self"});
  EXPECT_EQ(said.code, 1);
  EXPECT_THAT(said.err, StartsWith("skiff: /proc/self/run.h5.part: "));
  EXPECT_THAT(said.out, IsEmpty());
}

TEST_F(Run, OneInterruptEndsItCleanly) {
  write_endless();
  const pid_t child = start_and_wait("endless.yaml");
  ::kill(child, SIGINT);
  const Said said = wait(child);
  EXPECT_EQ(said.code, 130) << said.err;
  EXPECT_FALSE(fs::exists(folder_ / "out/run.h5.part"));
  const nlohmann::json run = inspect("out/run.h5");
  EXPECT_EQ(run["status"], "interrupted");
  EXPECT_GT(run["rounds"].get<int>(), 0);
  EXPECT_THAT(said.out, HasSubstr("out: run.h5"));
}
TEST_F(Run, ATerminationIsAnInterruptToo) {
  write_endless();
  const pid_t child = start_and_wait("endless.yaml");
  ::kill(child, SIGTERM);
  EXPECT_EQ(wait(child).code, 130);
  EXPECT_EQ(inspect("out/run.h5")["status"], "interrupted");
}
TEST_F(Run, TheSecondInterruptLeavesAtOnce) {
  write_heavy();
  const pid_t child = start_and_wait("heavy.yaml");
  ::kill(child, SIGINT);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, WNOHANG), 0) << "the round was over too soon";
  const auto asked = std::chrono::steady_clock::now();
  ::kill(child, SIGINT);
  EXPECT_EQ(wait(child).code, 130);
  EXPECT_LT(std::chrono::steady_clock::now() - asked, std::chrono::seconds(2));
  EXPECT_FALSE(fs::exists(folder_ / "out/run.h5"));
}

// A limit of file sizes stands in for a full disk.
TEST_F(Run, AFullDiskKeepsWhatWasRecorded) {
  write_endless();
  const Said said = run({"run", "endless.yaml", "--out", "out", "--no-figures"}, 9 << 20);
  EXPECT_EQ(said.code, 1);
  EXPECT_THAT(said.err, AllOf(HasSubstr("skiff: out/run.h5.part: "), HasSubstr("ulimit -f"),
                              HasSubstr("kept there: rounds ")));
  EXPECT_FALSE(fs::exists(folder_ / "out/run.h5"));
  const nlohmann::json kept = inspect("out/run.h5.part");
  EXPECT_EQ(kept["status"], "failed");
  // As many rounds as the message says.
  const std::size_t at = said.err.find("kept there: rounds ");
  ASSERT_NE(at, std::string::npos);
  EXPECT_EQ(kept["rounds"].get<int>(), std::atoi(said.err.c_str() + at + 19));
  EXPECT_GT(kept["rounds"].get<int>(), 100);
}
TEST_F(Run, ADiskWithoutRoomIsRefusedAtOnce) {
  write("a.yaml", kTimed);
  const Said said = run({"run", "a.yaml", "--out", "out"}, 1 << 20);
  EXPECT_EQ(said.code, 1);
  EXPECT_THAT(said.err, AllOf(StartsWith("skiff: out: "), HasSubstr("ulimit -f"),
                              HasSubstr("a run needs at least 8 MB")));
}

}  // namespace
}  // namespace skiff::test
