#include "sim/engine/engine.h"

#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "sim/core/error.h"

namespace skiff {
namespace {

enum : EventType { kMark = 3, kChain = 4, kStopNow = 5, kFail = 6, kSpin = 7, kUnknown = 99 };

// Writes down what happened, and does what its events say.
class World {
 public:
  explicit World(Engine& engine) : engine_(engine) {
    engine.on<&World::mark>(kMark, *this, "mark");
    engine.on<&World::chain>(kChain, *this, "chain");
    engine.on<&World::stop_now>(kStopNow, *this, "stop-now");
    engine.on<&World::fail>(kFail, *this, "fail");
    engine.on<&World::spin>(kSpin, *this, "spin");
  }
  std::vector<std::pair<std::int64_t, std::uint32_t>> log;  // (time, target)

 private:
  void mark(const Event& e) { log.emplace_back(e.time, e.target); }
  void chain(const Event& e) {  // marks again `arg` more times, every 10 ns
    mark(e);
    if (e.arg > 0) {
      engine_.schedule({e.time + 10}, Priority::kDeviceJob, kChain, e.target, e.arg - 1);
    }
  }
  void stop_now(const Event& e) {
    mark(e);
    engine_.request_stop();
  }
  void fail(const Event&) { throw RunError("disk full"); }
  void spin(const Event& e) {
    engine_.schedule(engine_.now(), Priority::kDeviceJob, kSpin, e.target);
    engine_.schedule(engine_.now(), Priority::kDeviceJob, kMark, e.target);
  }
  Engine& engine_;
};

class EngineTest : public ::testing::Test {
 protected:
  using Log = std::vector<std::pair<std::int64_t, std::uint32_t>>;
  Handle at(std::int64_t ns, EventType type, std::uint32_t target, std::uint32_t arg = 0,
            Priority priority = Priority::kDeviceJob) {
    return engine.schedule({ns}, priority, type, target, arg);
  }
  Engine engine;
  World world{engine};
};

TEST_F(EngineTest, MovesTheClockFromEventToEvent) {
  at(20, kMark, 2);
  at(10, kChain, 1, 2);
  EXPECT_EQ(engine.run(), EngineStop::kNoMoreEvents);
  EXPECT_EQ(world.log, (Log{{10, 1}, {20, 2}, {20, 1}, {30, 1}}));
  EXPECT_EQ(engine.now(), VirtualTime{30});
  EXPECT_EQ(engine.events_processed(), 4u);
  EXPECT_EQ(engine.events_pending(), 0u);
}

TEST_F(EngineTest, RunsUpToAndIncludingTheLimit) {
  at(10, kMark, 1);
  at(20, kMark, 2);
  at(30, kMark, 3);
  EXPECT_EQ(engine.run(VirtualTime{20}), EngineStop::kTimeLimit);
  EXPECT_EQ(world.log, (Log{{10, 1}, {20, 2}}));
  EXPECT_EQ(engine.run(VirtualTime{25}), EngineStop::kTimeLimit);
  EXPECT_EQ(engine.now(), VirtualTime{25});
  EXPECT_THROW(at(24, kMark, 0), std::logic_error);
  EXPECT_EQ(engine.run(), EngineStop::kNoMoreEvents);
}

TEST_F(EngineTest, AnEarlierLimitDoesNotTurnTheClockBack) {
  at(10, kMark, 1);
  at(30, kMark, 3);
  engine.run(VirtualTime{20});
  EXPECT_EQ(engine.run(VirtualTime{5}), EngineStop::kTimeLimit);
  EXPECT_EQ(engine.now(), VirtualTime{20});
}

TEST_F(EngineTest, StopsWhenAHandlerOrThePredicateAsks) {
  at(10, kStopNow, 1);
  at(10, kMark, 2);
  at(10, kMark, 3);
  EXPECT_EQ(engine.run(), EngineStop::kRequested);
  EXPECT_EQ(world.log.size(), 1u);
  const auto two_are_done = [&] { return world.log.size() == 2; };
  EXPECT_EQ(engine.run(kNever, two_are_done), EngineStop::kRequested);
  EXPECT_EQ(world.log.size(), 2u);
  EXPECT_EQ(engine.run(), EngineStop::kNoMoreEvents);
}

TEST_F(EngineTest, AnUploadThatEndsExactlyAtTheDeadlineCounts) {
  at(10, kMark, 40, 0, Priority::kDeadline);
  at(10, kMark, 0, 0, Priority::kFlowCompletion);
  engine.run();
  EXPECT_EQ(world.log, (Log{{10, 0}, {10, 40}}));
}

TEST_F(EngineTest, ScheduledAtNowRespectsPriority) {
  class AtNow final : public EventHandler {
   public:
    explicit AtNow(Engine& engine) : engine_(engine) {}
    void on_event(const Event& e) override {
      engine_.schedule(engine_.now(), Priority::kDeadline, kMark, 3);
      engine_.schedule(engine_.now(), Priority::kDeviceJob, kMark, 2);
      engine_.schedule(engine_.now(), Priority::kFlowCompletion, kMark, 1);
      EXPECT_EQ(e.at(), engine_.now());
    }

   private:
    Engine& engine_;
  } handler(engine);
  engine.on(50, 51, handler, "at-now");
  at(10, 51, 0);
  at(10, kMark, 9, 0, Priority::kServerProtocol);
  engine.run();
  EXPECT_EQ(world.log, (Log{{10, 1}, {10, 2}, {10, 9}, {10, 3}}));
}

TEST_F(EngineTest, ThePastCannotBeScheduled) {
  at(10, kMark, 1);
  engine.run();
  EXPECT_NO_THROW(at(10, kMark, 1));
  try {
    at(9, kMark, 7);
    FAIL();
  } catch (const std::logic_error& e) {
    EXPECT_NE(std::string(e.what()).find("event mark for target 7 scheduled at 9 ns"),
              std::string::npos)
        << e.what();
  }
  EXPECT_THROW(at(-1, kMark, 1), std::logic_error);
}

TEST_F(EngineTest, AnInfiniteDurationIsNoEvent) {
  const VirtualTime never = engine.after(Seconds(std::numeric_limits<double>::infinity()));
  const Handle handle = engine.schedule(never, Priority::kDeviceJob, kMark, 1);
  EXPECT_FALSE(handle);
  EXPECT_FALSE(engine.cancel(handle));
  EXPECT_EQ(engine.events_pending(), 0u);
  EXPECT_THROW(engine.after(Seconds(-1)), std::invalid_argument);
}

TEST_F(EngineTest, CancelledEventsDoNotHappen) {
  const Handle first = at(10, kMark, 1);
  at(20, kMark, 2);
  EXPECT_TRUE(engine.is_pending(first));
  EXPECT_TRUE(engine.cancel(first));
  engine.run();
  EXPECT_EQ(world.log, (Log{{20, 2}}));
  EXPECT_FALSE(engine.cancel(first));
}

TEST_F(EngineTest, ALivelockEndsWithTheNamesOfItsEvents) {
  engine.set_livelock_limit(30'000);
  at(5, kSpin, 1);
  try {
    engine.run();
    FAIL();
  } catch (const RunError& e) {
    EXPECT_NE(std::string(e.what()).find("more than 30000 events at one nanosecond"),
              std::string::npos);
    EXPECT_NE(std::string(e.what()).find("spin x 500"), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find("mark x 500"), std::string::npos) << e.what();
  }
  EXPECT_EQ(engine.events_processed(), 30'000u);
}

TEST_F(EngineTest, ManyEventsThatMoveTheClockAreNoLivelock) {
  engine.set_livelock_limit(10);
  at(0, kChain, 1, 1000);
  for (int i = 0; i < 9; ++i) at(0, kMark, 2);
  EXPECT_EQ(engine.run(), EngineStop::kNoMoreEvents);
}

TEST_F(EngineTest, AMillionEventsAtOneNanosecondAreAllowed) {
  engine.reserve(1'000'000);
  for (std::uint32_t i = 0; i < 1'000'000; ++i) at(7, kMark, i);
  EXPECT_EQ(engine.run(), EngineStop::kNoMoreEvents);
  at(7, kMark, 0);
  EXPECT_THROW(engine.run(), RunError);
}

TEST_F(EngineTest, ATypeHasOneHandlerAndEveryEventOne) {
  EXPECT_THROW(World again(engine), std::logic_error);
  at(1, kUnknown, 1);
  EXPECT_THROW(engine.run(), std::logic_error);
}

TEST_F(EngineTest, AHandlerMayNotRunTheEngine) {
  engine.on(
      60, &engine, [](void* self, const Event&) { static_cast<Engine*>(self)->run(); }, "nested");
  at(1, 60, 0);
  EXPECT_THROW(engine.run(), std::logic_error);
}

TEST_F(EngineTest, CanGoOnAfterAHandlerThrew) {
  at(10, kFail, 1);
  at(20, kMark, 2);
  EXPECT_THROW(engine.run(), RunError);
  EXPECT_EQ(engine.run(), EngineStop::kNoMoreEvents);
  EXPECT_EQ(world.log, (Log{{20, 2}}));
}

TEST(EngineSequenceTest, OverflowIsAnError) {
  Engine engine(Event::kMaxSequence);
  engine.schedule({1}, Priority::kStop, 1, 0);
  EXPECT_THROW(engine.schedule({1}, Priority::kStop, 1, 0), std::logic_error);
}

TEST(EngineStepTest, DispatchesOneEvent) {
  Engine engine;
  World world(engine);
  engine.schedule({4}, Priority::kDeviceJob, kMark, 1);
  engine.schedule({4}, Priority::kDeviceJob, kMark, 2);
  EXPECT_TRUE(engine.step());
  EXPECT_EQ(world.log.size(), 1u);
  EXPECT_FALSE(engine.step(VirtualTime{3}));
  EXPECT_TRUE(engine.step());
  EXPECT_FALSE(engine.step());
}

}  // namespace
}  // namespace skiff
