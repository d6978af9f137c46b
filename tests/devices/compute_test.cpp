#include "devices/compute.h"

#include <gtest/gtest.h>

#include "tests/devices/profiles.h"

namespace skiff {
namespace {

ComputeLoad training(double flops, double batch = 0) {
  ComputeLoad load;
  load.at(Precision::kFp32) = Flops(flops);
  load.batch = batch;
  return load;
}

TEST(Compute, ArithmeticBoundWorkRunsAtItsShareOfThePeak) {
  const DeviceProfile& phone = shipped("iphone-15-pro");  // 377 GFLOP/s, training at 20 %
  const ComputeCost cost = compute_cost(phone, training(1e12));
  EXPECT_NEAR(cost.time.value(), 1e12 / (377e9 * 0.2), 1e-9);
  EXPECT_NEAR(cost.compute.value(), 1e12 * 40e-12, 1e-9);
  EXPECT_NEAR(cost.idle.value(), 0.03 * cost.time.value(), 1e-12);
}

TEST(Compute, MemoryBoundWorkRunsAtItsShareOfTheBandwidth) {
  const DeviceProfile& phone = shipped("iphone-15-pro");  // 51.2 GB/s at 60 %
  ComputeLoad load = training(1e9);
  load.dram = Bytes(30'720'000'000);
  EXPECT_NEAR(compute_cost(phone, load).time.value(), 1.0, 1e-12);
  EXPECT_NEAR(compute_cost(phone, load).compute.value(), 1e9 * 40e-12 + 30.72e9 * 60e-12, 1e-12);
}

TEST(Compute, LaunchesAddToTheRoofline) {
  ComputeLoad load = training(1e9);
  const Seconds without = compute_cost(shipped("pixel-8-pro"), load).time;
  load.launches = 50;
  EXPECT_NEAR((compute_cost(shipped("pixel-8-pro"), load).time - without).value(), 50 * 0.2e-3,
              1e-12);
}

TEST(Compute, SmallBatchesLoseEfficiency) {
  const DeviceProfile& phone = shipped("galaxy-a54");  // half at 4 samples a step
  const double large = compute_cost(phone, training(1e12)).time.value();
  EXPECT_NEAR(compute_cost(phone, training(1e12, 4)).time.value(), 2 * large, 1e-9);
  EXPECT_NEAR(compute_cost(phone, training(1e12, 12)).time.value(), large * 16 / 12, 1e-9);
}

TEST(Compute, HeatSharesAndSiliconScaleTheRate) {
  const DeviceProfile& phone = shipped("galaxy-a54");
  const double full = compute_cost(phone, training(1e12)).time.value();
  EXPECT_NEAR(compute_cost(phone, training(1e12), {.speed = 0.5}).time.value(), 2 * full, 1e-9);
  EXPECT_NEAR(compute_cost(phone, training(1e12), {.share = 0.25}).time.value(), 4 * full, 1e-9);
  EXPECT_NEAR(compute_cost(phone, training(1e12), {.cpu_factor = 1.25}).time.value(), full / 1.25,
              1e-9);
}

TEST(Compute, NarrowArithmeticIsFasterAndCheaper) {
  const DeviceProfile& phone = shipped("pixel-8-pro");
  ComputeLoad wide = training(1e12);
  ComputeLoad narrow;
  narrow.at(Precision::kInt8) = Flops(1e12);
  EXPECT_NEAR(compute_cost(phone, wide).time / compute_cost(phone, narrow).time, 4, 1e-9);
  EXPECT_NEAR(compute_cost(phone, wide).compute / compute_cost(phone, narrow).compute, 4, 1e-9);
}

TEST(Compute, WhatADeviceCannotComputeIsNotTakenAsFree) {
  ComputeLoad load = training(1e9);
  load.processor = Processor::kGpu;
  EXPECT_FALSE(can_compute(shipped("rpi-4-4g"), load));
  EXPECT_TRUE(can_compute(shipped("pixel-8-pro"), load));
  load.processor = Processor::kNpu;  // no 32-bit floats
  EXPECT_FALSE(can_compute(shipped("pixel-8-pro"), load));
  EXPECT_THROW(compute_cost(shipped("pixel-8-pro"), load), std::logic_error);
}

TEST(Compute, NoDeviceDrawsMoreThanItsPeak) {
  for (const DeviceProfile& d : shipped_catalogue().classes()) {
    for (const Processor p : {Processor::kCpu, Processor::kGpu, Processor::kNpu}) {
      ComputeLoad load;
      load.activity = Activity::kInference;
      load.processor = p;
      load.at(p == Processor::kNpu ? Precision::kInt8 : Precision::kFp32) = Flops(1e12);
      load.dram = Bytes(20'000'000'000);
      if (!can_compute(d, load)) continue;
      const ComputeCost cost = compute_cost(d, load);
      EXPECT_LE((cost.energy() / cost.time).value(), d.power.peak.value.value() * (1 + 1e-12))
          << d.name;
    }
  }
}

TEST(Compute, MoreOfAnythingNeverTakesLonger) {
  DeviceProfile phone = shipped("budget-android");
  ComputeLoad load = training(3e10, 8);
  load.dram = Bytes(5'000'000'000);
  double before = compute_cost(phone, load).time.value();
  for (int i = 0; i < 40; ++i) {
    if (i % 2 == 0) {
      phone.cpu.fp32->value = phone.cpu.fp32->value * 1.3;
    } else {
      phone.memory.bandwidth.value = phone.memory.bandwidth.value * 1.3;
    }
    const double now = compute_cost(phone, load).time.value();
    EXPECT_LE(now, before);
    before = now;
  }
}

// FLASH (Yang et al., WWW 2021) measured a small CNN at batch 10, about 1.03 GFLOP: 1642, 588 and
// 179 ms a batch. The order is right; that old framework reached a tenth of today's efficiency.
TEST(Compute, OldPhonesStandInTheMeasuredOrder) {
  const auto ms = [](const char* name) {
    return compute_cost(shipped(name), training(1.03e9, 10)).time.value() * 1e3;
  };
  EXPECT_GT(ms("nexus-6"), 1.2 * ms("redmi-note-8"));
  EXPECT_GT(ms("redmi-note-8"), 1.2 * ms("galaxy-note10-plus"));
  EXPECT_LT(ms("nexus-6"), 1642);
}

TEST(Compute, FlashMovesBytesAtItsRateAndPrice) {
  const DeviceProfile& phone = shipped("budget-android");  // 280 MB/s, 150 MB/s
  const FlashCost read = flash_read_cost(phone, Bytes(280'000'000));
  EXPECT_NEAR(read.time.value(), 1, 1e-12);
  EXPECT_NEAR(read.flash.value(), 280e6 * 8 * 15e-12, 1e-15);
  EXPECT_NEAR(read.idle.value(), 0.04, 1e-15);
  const FlashCost write = flash_write_cost(phone, Bytes(150'000'000));
  EXPECT_NEAR(write.time.value(), 1, 1e-12);
  EXPECT_NEAR(write.flash.value(), 150e6 * 8 * 60e-12, 1e-15);
}

}  // namespace
}  // namespace skiff
