// The future event list: a 4-ary heap with cancellation, in the total order (time, priority,
// sequence).
//
// The heap holds 24-byte entries; what an event says lies in a slab of slots, which are used again.
// Cancelling marks the slot; the entry is dropped when it surfaces, or by a compaction once the
// dead outnumber the living. Popping leaves a hole at the root that the next push fills: a handler
// that schedules one follow-up costs one sift instead of two. push and pop: O(log n); cancel: O(1)
// amortised. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/engine/event.h"

namespace skiff {

class EventQueue {
 public:
  // Sequence numbers count up from `first_sequence`.
  explicit EventQueue(std::uint64_t first_sequence = 0) : next_sequence_(first_sequence) {}

  Handle push(VirtualTime time, Priority priority, EventType type, std::uint32_t target,
              std::uint32_t arg, std::uint16_t flags = 0);

  // False if the event has happened or was cancelled before.
  bool cancel(Handle handle);
  bool is_pending(Handle handle) const;

  // Takes the first event if it is not after `limit`.
  bool pop(Event& out, VirtualTime limit = kNever);
  // The time of the first event; kNever if there is none.
  VirtualTime next_time();

  std::size_t size() const { return live_; }
  bool empty() const { return live_ == 0; }
  std::size_t cancelled() const { return dead_; }  // still in memory
  void reserve(std::size_t events);

 private:
  struct Entry {
    std::int64_t time;
    std::uint64_t key;
    std::uint32_t slot;
  };
  struct Slot {
    std::uint32_t target = 0;
    std::uint32_t arg = 0;  // of a free slot: the next free one
    EventType type = 0;
    std::uint16_t flags = 0;
    std::uint32_t gen = 0;  // odd while the event is pending
  };

  static bool before(const Entry& a, const Entry& b);
  std::uint32_t take_slot();
  void free_slot(std::uint32_t slot);
  void sift_up(std::size_t hole, Entry entry);
  void sift_down(std::size_t hole, Entry entry);
  const Entry* front();
  void compact();

  std::vector<Entry> heap_;
  std::vector<Slot> slots_;
  std::uint32_t first_free_ = Handle::kNone;
  std::uint64_t next_sequence_;
  std::size_t live_ = 0;
  std::size_t dead_ = 0;
  bool hole_at_root_ = false;  // heap_[0] was taken and not yet replaced
};

}  // namespace skiff
