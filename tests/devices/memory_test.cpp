#include "devices/memory.h"

#include <gtest/gtest.h>

#include "tests/devices/profiles.h"

namespace skiff {
namespace {

MemoryDemand demand(std::int64_t load, std::int64_t train, std::int64_t encode) {
  MemoryDemand d;
  d[JobPhase::kLoad].weights = Bytes(load);
  d[JobPhase::kTrain].weights = Bytes(load);
  d[JobPhase::kTrain].gradients = Bytes(train - load);
  d[JobPhase::kEncode].scratch = Bytes(encode);
  return d;
}

TEST(Memory, BudgetsAreTheCataloguesShareOrOnesOwn) {
  const DeviceProfile& phone = shipped("iphone-15-pro");  // 8 GiB
  const std::int64_t gib = 1 << 30;
  EXPECT_EQ(background_memory(phone), Bytes(2 * gib));
  EXPECT_EQ(foreground_memory(phone), Bytes(4 * gib));
  EXPECT_EQ(memory_share(phone, 0.125), Bytes(gib));
  EXPECT_EQ(memory_up_to(phone, Bytes(5)), Bytes(5));
  EXPECT_EQ(memory_up_to(phone, Bytes(100 * gib)), Bytes(8 * gib));  // not more than there is
}

TEST(Memory, PartsAddUp) {
  MemoryUse use{Bytes(1), Bytes(2), Bytes(4), Bytes(8), Bytes(16), Bytes(32), Bytes(64)};
  EXPECT_EQ(use.total(), Bytes(127));
}

TEST(Memory, AJobExactlyAtTheLimitFits) {
  const MemoryVerdict verdict = plan_memory(demand(10, 100, 20), Bytes(100));
  EXPECT_TRUE(verdict.fits());
  EXPECT_EQ(verdict.phase, JobPhase::kTrain);
  EXPECT_EQ(verdict.peak, Bytes(100));
  EXPECT_EQ(verdict.missing, Bytes(0));
  EXPECT_TRUE(run_memory(demand(10, 100, 20), Bytes(100)).fits());
}

TEST(Memory, ThePlannerRefusesByThePeakAndSaysHowMuchIsMissing) {
  const MemoryVerdict verdict = plan_memory(demand(110, 150, 160), Bytes(100));
  EXPECT_EQ(verdict.outcome, MemoryOutcome::kRefused);
  EXPECT_EQ(verdict.phase, JobPhase::kEncode);
  EXPECT_EQ(verdict.peak, Bytes(160));
  EXPECT_EQ(verdict.missing, Bytes(60));
}

TEST(Memory, ARunningJobDiesInTheFirstPhaseThatIsTooLarge) {
  const MemoryVerdict verdict = run_memory(demand(90, 150, 160), Bytes(100));
  EXPECT_EQ(verdict.outcome, MemoryOutcome::kKilled);
  EXPECT_EQ(verdict.phase, JobPhase::kTrain);
  EXPECT_EQ(verdict.missing, Bytes(50));
  EXPECT_EQ(verdict.peak, Bytes(100));
  EXPECT_EQ(run_memory(demand(101, 150, 160), Bytes(100)).phase, JobPhase::kLoad);
  EXPECT_STREQ(name(verdict.phase), "train");
}

TEST(Memory, MoreMemoryNeverRefusesWhatFitted) {
  bool fitted = false;
  for (std::int64_t limit = 0; limit < 300; ++limit) {
    const bool fits = plan_memory(demand(90, 150, 160), Bytes(limit)).fits();
    EXPECT_TRUE(fits || !fitted);
    EXPECT_EQ(fits, run_memory(demand(90, 150, 160), Bytes(limit)).fits());
    fitted = fits;
  }
  EXPECT_TRUE(fitted);
}

}  // namespace
}  // namespace skiff
