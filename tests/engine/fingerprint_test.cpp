#include "sim/engine/fingerprint.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "sim/engine/engine.h"

namespace skiff {
namespace {

Fingerprint of(std::int64_t time, EventType type, std::uint32_t target, std::uint32_t arg) {
  Fingerprint fingerprint;
  fingerprint.add(Event{.time = time, .target = target, .type = type, .arg = arg});
  return fingerprint;
}

TEST(FingerprintTest, EveryFieldAndTheOrderMatter) {
  const std::set<std::uint64_t> all = {of(1, 2, 3, 4).value(), of(2, 1, 3, 4).value(),
                                       of(1, 2, 4, 3).value(), of(1, 3, 2, 4).value(),
                                       of(0, 0, 0, 0).value(), Fingerprint().value()};
  EXPECT_EQ(all.size(), 6u);
  Fingerprint ab, ba;
  ab.add(1), ab.add(2);
  ba.add(2), ba.add(1);
  EXPECT_NE(ab, ba);
}

TEST(FingerprintTest, PriorityAndSequenceAreNotPartOfIt) {
  Fingerprint a, b;
  a.add(Event{.time = 1, .key = 5, .gen = 1});
  b.add(Event{.time = 1, .key = 6, .gen = 3});
  EXPECT_EQ(a, b);
}

TEST(FingerprintTest, DoublesCountByTheirBits) {
  Fingerprint zero, minus_zero, nan, minus_nan;
  zero.add(0.0);
  minus_zero.add(-0.0);
  EXPECT_NE(zero, minus_zero);
  nan.add(std::numeric_limits<double>::quiet_NaN());
  minus_nan.add(-std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(nan, minus_nan);
}

TEST(FingerprintTest, TextIsStableAndHexadecimal) {
  // Golden, from a second implementation: fingerprints of past runs must stay comparable.
  Fingerprint fingerprint = of(1, 2, 3, 4);
  fingerprint.add(0.5);
  fingerprint.add("outcome");
  EXPECT_EQ(fingerprint.text(), "4efc4725f6a302fa");
  EXPECT_EQ(fingerprint.short_text(), fingerprint.text().substr(0, 8));
}

// A small world with ties and cancellations, as run twice.
std::uint64_t trajectory(std::uint64_t seed) {
  struct World {
    Engine engine;
    Stream stream;
    Handle last;
    void happen(const Event& e) {
      if (e.arg == 0) return;
      engine.cancel(last);
      last = engine.schedule({e.time + stream.below(3)}, Priority::kDeviceJob, 1, e.target, 0);
      engine.schedule({e.time + stream.below(2)}, Priority::kDeadline, 1, stream.below(9),
                      e.arg - 1);
    }
  } world{.engine = Engine(), .stream = Stream(seed, "trajectory"), .last = {}};
  world.engine.on<&World::happen>(1, world, "happen");
  world.engine.schedule({0}, Priority::kDeviceJob, 1, 0, 1000);
  world.engine.run();
  return world.engine.fingerprint().value();
}

TEST(FingerprintTest, TellsTrajectoriesApart) {
  EXPECT_EQ(trajectory(1), trajectory(1));
  EXPECT_NE(trajectory(1), trajectory(2));
}

}  // namespace
}  // namespace skiff
