// What is scheduled: a small POD that says when, in which order among equals, for whom, and what.
//
// Order is (time, priority, sequence). The priority fixes what a tie means: an upload that is
// complete exactly at the deadline counts, because flows (0) come before deadlines (40).
#pragma once

#include <cstdint>
#include <limits>
#include <type_traits>

#include "sim/core/time.h"

namespace skiff {

// Lower first among events of the same nanosecond. Values between these may be used for finer
// order within a class.
enum class Priority : std::uint8_t {
  kFlowCompletion = 0,   // a transfer or link event
  kDeviceState = 10,     // battery, availability, heat
  kDeviceJob = 20,       // a phase of a device's job begins or ends
  kServerProtocol = 30,  // the server acts on what has arrived
  kDeadline = 40,        // the server stops waiting
  kCheckpoint = 50,      // checkpoint, trace sample
  kStop = 60,            // the end of the run
};

using EventType = std::uint16_t;

struct Event {
  std::int64_t time = 0;     // ns
  std::uint64_t key = 0;     // priority : 8 | sequence : 56
  std::uint32_t target = 0;  // a device, a link, an attempt: as the type says
  EventType type = 0;
  std::uint16_t flags = 0;
  std::uint32_t arg = 0;
  std::uint32_t gen = 0;  // of the handle that schedule() gave

  VirtualTime at() const { return {time}; }
  Priority priority() const { return static_cast<Priority>(key >> 56); }
  std::uint64_t sequence() const { return key & kMaxSequence; }

  static constexpr std::uint64_t kMaxSequence = (std::uint64_t{1} << 56) - 1;
};
static_assert(sizeof(Event) == 32 && std::is_trivially_copyable_v<Event>);

// Names one scheduled event, to cancel it. Stays harmless after the event has happened. A
// default-made handle names nothing.
struct Handle {
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
  std::uint32_t slot = kNone;
  std::uint32_t gen = 0;

  explicit operator bool() const { return slot != kNone; }
  bool operator==(const Handle&) const = default;
};

}  // namespace skiff
