// The clock and the loop: takes the first event, moves virtual time to it, hands it to the handler
// of its type. One thread; a handler may schedule and cancel, but not run the engine.
//
//   Engine engine;
//   engine.on<&Radio::upload_done>(kUploadDone, radio, "upload-done");
//   engine.schedule(engine.after(Seconds(2)), Priority::kFlowCompletion, kUploadDone, client);
//   engine.run();
//
// The fingerprint covers every dispatched event, so it tells whether two runs went the same way.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/core/time.h"
#include "sim/engine/event_queue.h"
#include "sim/engine/fingerprint.h"

namespace skiff {

// For an object that takes several types of events and looks at event.type itself.
class EventHandler {
 public:
  virtual ~EventHandler() = default;
  virtual void on_event(const Event& event) = 0;
};

enum class EngineStop { kNoMoreEvents, kTimeLimit, kRequested };

class Engine {
 public:
  using HandlerFunction = void (*)(void* object, const Event& event);

  // A first sequence number other than 0 continues an earlier run.
  explicit Engine(std::uint64_t first_sequence = 0) : queue_(first_sequence) {}
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  VirtualTime now() const { return now_; }
  // now + duration, rounded up to a nanosecond; kNever for an infinite duration.
  VirtualTime after(Seconds duration) const { return skiff::after(now_, duration); }

  // `name` is for messages: kebab-case.
  void on(EventType type, void* object, HandlerFunction function, std::string name);
  void on(EventType first, EventType last, EventHandler& handler, const std::string& name);
  template <auto Method, class T>
  void on(EventType type, T& object, std::string name) {
    on(
        type, &object,
        [](void* self, const Event& event) { (static_cast<T*>(self)->*Method)(event); },
        std::move(name));
  }

  // At `time` >= now(); an event at kNever is not kept and its handle names nothing.
  Handle schedule(VirtualTime time, Priority priority, EventType type, std::uint32_t target,
                  std::uint32_t arg = 0, std::uint16_t flags = 0);
  // False if the event has happened or was cancelled before.
  bool cancel(Handle handle) { return queue_.cancel(handle); }
  bool is_pending(Handle handle) const { return queue_.is_pending(handle); }

  // Dispatches the next event if there is one, not after `until`.
  bool step(VirtualTime until = kNever);
  // Until there are no events, none up to and including `until` (the clock then stands at `until`),
  // or somebody asked to stop.
  EngineStop run(VirtualTime until = kNever) {
    return run(until, [] { return false; });
  }
  // The same, and `stop()` is asked before each event.
  template <class Predicate>
  EngineStop run(VirtualTime until, Predicate&& stop) {
    begin_run();
    while (!stop_requested_ && !stop()) {
      if (!step(until)) return end_run(until);
    }
    return EngineStop::kRequested;
  }
  // Ends the running run() after the current event; for handlers.
  void request_stop() { stop_requested_ = true; }

  // More events than this at one nanosecond is a livelock: RunError naming the types. A world with
  // n devices that start together needs a few n.
  void set_livelock_limit(std::uint64_t events) { livelock_limit_ = events; }

  std::uint64_t events_processed() const { return processed_; }
  std::size_t events_pending() const { return queue_.size(); }
  void reserve(std::size_t events) { queue_.reserve(events); }
  Fingerprint& fingerprint() { return fingerprint_; }
  const Fingerprint& fingerprint() const { return fingerprint_; }

 private:
  struct Registration {
    void* object = nullptr;
    HandlerFunction function = nullptr;
    std::string name;
  };

  void begin_run();
  EngineStop end_run(VirtualTime until);
  void watch_for_livelock(const Event& event);
  std::string name_of(EventType type) const;

  EventQueue queue_;
  VirtualTime now_;
  std::vector<Registration> handlers_;  // by type
  Fingerprint fingerprint_;
  std::uint64_t processed_ = 0;
  std::uint64_t events_at_now_ = 0;
  std::uint64_t livelock_limit_ = 1'000'000;
  std::vector<std::uint64_t> suspects_;  // by type: the last events before the livelock limit
  bool dispatching_ = false;
  bool stop_requested_ = false;
};

}  // namespace skiff
