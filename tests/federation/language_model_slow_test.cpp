// Language models in whole runs: a checkpoint fine-tuned over clients, a decoder from scratch on
// generated speech, a real-size model that devices pay for.
#include <gmock/gmock.h>

#include "tests/federation/run_scenario.h"
#include "tests/real_data.h"

namespace skiff::test {
namespace {

const std::string kFleet = R"(
devices: {population: {iphone-15-pro: 1}, memory_limit: foreground, network: {rates: constant}}
)";

std::string stories(const std::string& server) {
  return "seed: 1\ndata: {source: text, path: " +
         real_data("text/tinystories_train_head_2MiB.txt") +
         ", separator: \"<|endoftext|>\", tokenizer: " + real_data("llama2c/tok512.bin") +
         ", sequence_length: 64, clients: 20, partition: {scheme: iid}}\nmodel: {checkpoint: " +
         real_data("llama2c/stories260K.bin") + "}\n" + kFleet + server +
         "evaluation: {samples: 128}\n";
}

TEST(LanguageModelTest, ACheckpointStartsWhereItsTrainingEndedAndImproves) {
  if (real_data("llama2c").empty()) GTEST_SKIP() << "no llama2c among the data";
  const std::string server =
      "server: {protocol: synchronous, participants: 4, rounds: 4}\n"
      "training: {steps: 8, batch: 8, optimizer: {name: sgd, learning_rate: 0.05}}\n";
  const Ran ran = run(stories(server));
  double first = 0, last = 0;
  for (const auto& [name, value] : ran.rounds().front().metrics) {
    if (name == "test_loss") first = value;
  }
  last = ran.last("test_loss");
  EXPECT_LT(first, 2.0);  // a new model would begin near ln 512 = 6.2
  EXPECT_LT(last, first);
  EXPECT_GT(ran.last("next_token_accuracy"), 0.5);
}

TEST(LanguageModelTest, DevicesPayForARealSizeDecoderWhileTheSmallOneTrains) {
  if (real_data("llama2c").empty()) GTEST_SKIP() << "no llama2c among the data";
  const std::string server =
      "server: {protocol: synchronous, participants: 4, rounds: 1}\n"
      "training: {steps: 1, batch: 2, optimizer: {name: sgd, learning_rate: 0.05}}\n";
  const Ran itself = run(stories(server));
  const Ran big =
      run(stories(server), {"model.deploy_as=mobilellm-125m", "devices.memory_limit=8 GB"});
  EXPECT_EQ(big.last("test_loss"), itself.last("test_loss"));
  for (const AttemptRow& a : big.attempts()) {
    EXPECT_EQ(a.bytes_up.value(), 4 * 124'635'456LL);
    EXPECT_EQ(a.encoded_bytes.value(), 4 * 260'032);
  }
  const Ran refused = run(stories(server), {"model.deploy_as=llama-3-8b"});
  for (const AttemptRow& a : refused.attempts()) EXPECT_EQ(a.cause, Cause::kRam);
}

TEST(LanguageModelTest, ADecoderLearnsTheGrammarFromScratch) {
  const std::string text =
      "seed: 1\ndata: {source: grammar, clients: 20, samples_per_client: 60, "
      "tokenizer: word, sequence_length: 16, partition: {scheme: natural}}\n"
      "model: {architecture: llama, preset: tiny}\n" +
      kFleet +
      "server: {protocol: synchronous, participants: 10, rounds: 12}\n"
      "training: {epochs: 1, batch: 6, optimizer: {name: sgd, "
      "learning_rate: 0.5}}\n";
  const Ran ran = run(text);
  EXPECT_LT(ran.last("perplexity"), 120);  // about 360 words; unigrams alone give more
  EXPECT_GT(ran.last("next_token_accuracy"), 0.15);
}

TEST(LanguageModelTest, CheckpointsThatDoNotFitAreRefused) {
  if (real_data("llama2c").empty()) GTEST_SKIP() << "no llama2c among the data";
  const std::string server =
      "server: {protocol: synchronous, participants: 4, rounds: 1}\n"
      "training: {steps: 1, batch: 2, optimizer: {name: sgd, learning_rate: 0.05}}\n";
  EXPECT_THROW(run(stories(server), {"data.sequence_length=513"}), ScenarioError);
  EXPECT_THROW(run(stories(server),
                   {"data.tokenizer=byte", "model.checkpoint=" + real_data("llama2c/tok512.bin")}),
               DataError);
}

}  // namespace
}  // namespace skiff::test
