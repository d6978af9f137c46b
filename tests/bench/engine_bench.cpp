// The event queue and the engine under the hold model: n pending events; take the first, schedule
// one anew after an exponential time. items_per_second is holds per second of the thread's CPU
// time. Increments come from a table, so that only the queue is measured.
//
// Budget of the queue (design.md section 6): >= 10 M holds/s at 10^3 pending, >= 2 M at 10^6.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <vector>

#include "sim/core/distributions.h"
#include "sim/engine/engine.h"

namespace skiff {
namespace {

class Increments {
 public:
  Increments() : table_(kSize) {
    Stream stream(1, "bench.hold");
    for (std::int64_t& ns : table_) ns = 1 + static_cast<std::int64_t>(exponential(stream, 1e9));
  }
  std::int64_t next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return table_[state_ >> 48];
  }

 private:
  static constexpr std::size_t kSize = 1 << 16;
  std::vector<std::int64_t> table_;
  std::uint64_t state_ = 1;
};

// Steady state: every event was replaced a few times.
EventQueue filled_queue(std::uint32_t pending, Increments& increments) {
  EventQueue queue;
  queue.reserve(pending);
  for (std::uint32_t i = 0; i < pending; ++i) {
    queue.push({increments.next()}, Priority::kDeviceJob, 1, i, 0);
  }
  Event event;
  for (std::uint32_t i = 0; i < 3 * pending; ++i) {
    queue.pop(event);
    queue.push({event.time + increments.next()}, Priority::kDeviceJob, 1, event.target, 0);
  }
  return queue;
}

void hold(benchmark::State& state) {
  Increments increments;
  EventQueue queue = filled_queue(static_cast<std::uint32_t>(state.range(0)), increments);
  Event event;
  for (auto _ : state) {
    queue.pop(event);
    queue.push({event.time + increments.next()}, Priority::kDeviceJob, 1, event.target, 0);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(hold)->Name("queue/hold")->Arg(1'000)->Arg(100'000)->Arg(1'000'000);

// Deadlines: most are cancelled before they come.
void hold_with_cancelled_deadlines(benchmark::State& state) {
  Increments increments;
  EventQueue queue = filled_queue(static_cast<std::uint32_t>(state.range(0)), increments);
  Event event;
  Handle deadline;
  for (auto _ : state) {
    queue.pop(event);
    queue.cancel(deadline);
    queue.push({event.time + increments.next()}, Priority::kDeviceJob, 1, event.target, 0);
    deadline = queue.push({event.time + 10'000'000'000}, Priority::kDeadline, 2, event.target, 0);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(hold_with_cancelled_deadlines)->Name("queue/hold, one cancelled")->Arg(1'000);

// The whole step: queue, livelock guard, fingerprint, dispatch to a handler that reschedules.
void engine_hold(benchmark::State& state) {
  struct World {
    Engine engine;
    Increments increments;
    void again(const Event& event) {
      engine.schedule({event.time + increments.next()}, Priority::kDeviceJob, 1, event.target);
    }
  } world;
  world.engine.on<&World::again>(1, world, "again");
  const auto pending = static_cast<std::uint32_t>(state.range(0));
  world.engine.reserve(pending);
  for (std::uint32_t i = 0; i < pending; ++i) {
    world.engine.schedule({world.increments.next()}, Priority::kDeviceJob, 1, i);
  }
  for (std::uint32_t i = 0; i < 3 * pending; ++i) world.engine.step();
  for (auto _ : state) world.engine.step();
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(engine_hold)->Name("engine/hold")->Arg(1'000)->Arg(1'000'000);

void fingerprint(benchmark::State& state) {
  Fingerprint fingerprint;
  Event event{.time = 1, .target = 2, .type = 3, .arg = 4};
  for (auto _ : state) {
    event.time += 977;
    fingerprint.add(event);
  }
  benchmark::DoNotOptimize(fingerprint.value());
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(fingerprint)->Name("fingerprint/event");

}  // namespace
}  // namespace skiff

BENCHMARK_MAIN();
