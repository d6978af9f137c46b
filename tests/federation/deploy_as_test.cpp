// Devices pay for a real-size model while a small one trains.
#include <gmock/gmock.h>

#include "algorithms/models/real_size.h"
#include "tests/federation/run_scenario.h"

namespace skiff::test {
namespace {

const std::string kImages = R"(
seed: 1
data: {source: glyphs, clients: 12, samples_per_client: 20, partition: {scheme: iid}}
model: {architecture: mlp, hidden: [16]}
devices: {population: {iphone-15-pro: 1}, memory_limit: 16 GB, network: {rates: constant}}
server: {protocol: synchronous, participants: 4, rounds: 3}
training: {epochs: 1, batch: 10, optimizer: {name: sgd, learning_rate: 0.1}}
)";
constexpr std::int64_t kSmall = 784 * 16 + 16 + 160 + 10;
constexpr std::int64_t kVit = 86'567'656;

TEST(DeployAsTest, BytesTimesAndMemoryAreTheRealSizeModelsAndTheNumbersStay) {
  const Ran itself = run(kImages);
  const Ran vit = run(kImages, {"model.deploy_as=vit-b-16"});
  EXPECT_EQ(vit.last("test_loss"), itself.last("test_loss"));
  ASSERT_EQ(vit.attempts().size(), itself.attempts().size());
  for (std::size_t i = 0; i < vit.attempts().size(); ++i) {
    const AttemptRow& real = vit.attempts()[i];
    const AttemptRow& small = itself.attempts()[i];
    EXPECT_EQ(real.device, small.device);
    EXPECT_EQ(real.bytes_up.value(), 4 * kVit);
    EXPECT_EQ(real.bytes_down.value(), 4 * kVit);
    EXPECT_EQ(real.encoded_bytes.value(), 4 * kSmall);
    EXPECT_EQ(small.bytes_up.value(), 4 * kSmall);
    EXPECT_EQ(small.encoded_bytes, small.bytes_up);
    // 20 images: forward and backward of 17.6 G multiply-adds each.
    EXPECT_NEAR(real.flops.value() / (20 * 3 * 35.2e9), 1, 0.02);
    EXPECT_GT(as_double(real.peak_memory), 2 * 4.0 * kVit);
    EXPECT_GT(real.train_end - real.download_end, small.train_end - small.download_end);
  }
}

TEST(DeployAsTest, DevicesThatCannotHoldItAreRefusedAndCounted) {
  const Ran small_phones = run(kImages, {"model.deploy_as=vit-h-14", "devices.memory_limit=2 GB"});
  EXPECT_FALSE(small_phones.attempts().empty());
  for (const AttemptRow& a : small_phones.attempts()) EXPECT_EQ(a.cause, Cause::kRam);
}

TEST(DeployAsTest, DensitiesCarryOver) {
  const Ran vit = run(kImages, {"model.deploy_as=vit-b-16",
                                "compression.communication={name: top-k, density: 0.01, "
                                "error_feedback: true}"});
  for (const AttemptRow& a : vit.attempts()) {
    EXPECT_NEAR(as_double(a.bytes_up) / (4.0 * kVit), 0.015, 0.006);  // values and positions
    EXPECT_LT(a.encoded_bytes.value(), 4 * kSmall / 20);
    EXPECT_EQ(a.bytes_down.value(), 4 * kVit);
  }
}

TEST(DeployAsTest, ModelsOfAnotherTaskAreRefused) {
  try {
    run(kImages, {"model.deploy_as=llama-3-8b"});
    FAIL() << "images went into a language model";
  } catch (const ScenarioError& error) {
    EXPECT_THAT(error.what(),
                ::testing::HasSubstr("llama-3-8b reads text; the samples here are images"));
  }
}

}  // namespace
}  // namespace skiff::test
