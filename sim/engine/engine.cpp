#include "sim/engine/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sim/core/error.h"

namespace skiff {
namespace {

// How many of the last events before the livelock limit are counted by type.
constexpr std::uint64_t kSuspectEvents = 10'000;

// Marks the time during which a handler runs, also when it throws.
class Dispatching {
 public:
  explicit Dispatching(bool& flag) : flag_(flag) { flag_ = true; }
  ~Dispatching() { flag_ = false; }
  Dispatching(const Dispatching&) = delete;
  Dispatching& operator=(const Dispatching&) = delete;

 private:
  bool& flag_;
};

}  // namespace

void Engine::on(EventType type, void* object, HandlerFunction function, std::string name) {
  if (handlers_.size() <= type) handlers_.resize(std::size_t{type} + 1);
  SKIFF_CHECK(handlers_[type].function == nullptr,
              fmt::format("event type {} ({}) has a handler already", type, name_of(type)));
  handlers_[type] = {object, function, std::move(name)};
}

void Engine::on(EventType first, EventType last, EventHandler& handler, const std::string& name) {
  const HandlerFunction call = [](void* object, const Event& event) {
    static_cast<EventHandler*>(object)->on_event(event);
  };
  for (unsigned type = first; type <= last; ++type) {
    on(static_cast<EventType>(type), &handler, call, fmt::format("{}-{}", name, type - first));
  }
}

std::string Engine::name_of(EventType type) const {
  return type < handlers_.size() && !handlers_[type].name.empty() ? handlers_[type].name
                                                                  : fmt::format("type {}", type);
}

Handle Engine::schedule(VirtualTime time, Priority priority, EventType type, std::uint32_t target,
                        std::uint32_t arg, std::uint16_t flags) {
  if (time == kNever) return {};
  SKIFF_CHECK(time >= now_,
              fmt::format("event {} for target {} scheduled at {} ns, but it is {} ns",
                          name_of(type), target, time.ns, now_.ns));
  return queue_.push(time, priority, type, target, arg, flags);
}

bool Engine::step(VirtualTime until) {
  SKIFF_CHECK(!dispatching_, "a handler may not run the engine");
  Event event;
  if (!queue_.pop(event, until)) return false;
  if (event.time != now_.ns) {
    now_.ns = event.time;
    events_at_now_ = 0;
  }
  if (++events_at_now_ + kSuspectEvents > livelock_limit_) watch_for_livelock(event);
  SKIFF_CHECK(event.type < handlers_.size() && handlers_[event.type].function != nullptr,
              fmt::format("no handler for event {}", name_of(event.type)));
  const Registration& handler = handlers_[event.type];
  fingerprint_.add(event);
  ++processed_;
  const Dispatching mark(dispatching_);
  handler.function(handler.object, event);
  return true;
}

void Engine::begin_run() {
  SKIFF_CHECK(!dispatching_, "a handler may not run the engine");
  stop_requested_ = false;
}

EngineStop Engine::end_run(VirtualTime until) {
  if (queue_.empty()) return EngineStop::kNoMoreEvents;
  now_ = std::max(now_, until);
  events_at_now_ = 0;
  return EngineStop::kTimeLimit;
}

void Engine::watch_for_livelock(const Event& event) {
  const std::uint64_t before =
      livelock_limit_ > kSuspectEvents ? livelock_limit_ - kSuspectEvents : 0;
  if (events_at_now_ == before + 1) suspects_.clear();
  if (suspects_.size() < handlers_.size()) suspects_.resize(handlers_.size());
  if (event.type < suspects_.size()) ++suspects_[event.type];
  if (events_at_now_ <= livelock_limit_) return;
  std::vector<std::pair<std::uint64_t, EventType>> ranked;
  for (std::size_t type = 0; type < suspects_.size(); ++type) {
    if (suspects_[type] > 0) ranked.emplace_back(suspects_[type], static_cast<EventType>(type));
  }
  std::sort(ranked.rbegin(), ranked.rend());
  std::string types;
  for (const auto& [count, type] : ranked) {
    types += fmt::format("{}{} x {}", types.empty() ? "" : ", ", name_of(type), count);
  }
  throw RunError(
      fmt::format("virtual time stands still at {} s: more than {} events at one nanosecond, the "
                  "last of them {}",
                  to_seconds(now_).value(), livelock_limit_, types));
}

}  // namespace skiff
