// One link shared max-min fairly by flows that are each capped: the server's access link.
//
// Every flow gets min(cap, theta), theta such that the sum is the capacity: the fluid limit of fair
// sharing (Bertsekas and Gallager, Data Networks, section 6.5.2). Flows at their cap finish at a
// known time. The others all get theta and finish at a known value of virtual time V, dV/dt = theta
// (Parekh and Gallager 1993): no flow's remainder is ever touched when others come and go. Flows
// change between the two classes when theta passes their cap. Capacities and caps are whole bits
// per second, so that membership is decided exactly. O(log n) an event, plus the class changes.
//
// The link is passive: it completes flows at their exact (real-valued) times inside, and gives them
// out at the next whole nanosecond. Whoever drives it posts one event at next_completion(), pops
// until there is no more, and posts again after every call. Times must not go back. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "devices/indexed_heap.h"
#include "sim/core/time.h"
#include "sim/core/units.h"

namespace skiff {

class SharedLink {
 public:
  using Flow = std::uint32_t;  // valid until it is popped or aborted; numbers are used again
  static constexpr std::int64_t kUncapped = INT64_MAX;  // a flow that only the link limits

  struct Completion {
    std::uint64_t tag = 0;
    Flow flow = 0;
    VirtualTime time;    // rounded up
    double exact_s = 0;  // not rounded
  };

  // Without a capacity flows are independent; then each needs a cap.
  explicit SharedLink(std::optional<std::int64_t> capacity_bps = std::nullopt);

  // `tag` comes back with the completion.
  Flow start(std::uint64_t tag, Bytes bytes, std::int64_t cap_bps, VirtualTime now);
  // Ends it early; answers the bytes that went through, rounded down.
  Bytes abort(Flow flow, VirtualTime now);
  // A flow that is complete by `now` stays so.
  void set_cap(Flow flow, std::int64_t cap_bps, VirtualTime now);
  void set_capacity(std::optional<std::int64_t> capacity_bps, VirtualTime now);

  VirtualTime next_completion() const;  // kNever if none is to come at the present rates
  // Takes the earliest flow that is complete by `now`.
  bool pop(VirtualTime now, Completion& out);

  std::size_t active() const { return active_; }  // flows not complete
  double rate_bps(Flow flow, VirtualTime now);    // at `now`; 0 if complete
  Bytes transferred(Flow flow, VirtualTime now);  // rounded down

 private:
  __extension__ using Wide = __int128;  // sums and products of bit rates
  enum class Class : std::uint8_t { kFree, kCapped, kShared, kComplete };
  struct Record {
    std::uint64_t tag = 0;
    std::uint64_t sequence = 0;
    double size = 0;    // nanobits: bits x 1e9, so that size / (bit/s) is in ns
    double finish = 0;  // capped: ns since the epoch; shared: value of V
    double left = 0;    // of a stalled flow, cap 0: what remains
    std::int64_t cap = 0;
    Class in = Class::kFree;
  };
  struct Next {
    double time;  // ns since the epoch
    Flow flow;
  };

  std::optional<Next> next() const;
  void advance(VirtualTime now);
  void move_clock(double to);
  void complete(Flow flow);
  void rebalance();
  Class fitting(std::int64_t cap) const;  // at the present theta
  void put_in(Flow flow, Class in, double left);
  double take_out(Flow flow);  // answers what remains
  void move(Flow flow, Class to) { put_in(flow, to, take_out(flow)); }
  double remaining(const Record& record) const;
  Record& running(Flow flow);
  void release(Flow flow);
  VirtualTime rounded_up(double time) const;

  std::optional<std::int64_t> capacity_;
  Wide capped_sum_ = 0;        // of the caps of the capped class
  double theta_ = 0;           // bit/s; 0 while nobody shares
  std::int64_t epoch_ns_ = 0;  // clock_ and virtual_ start again when the link falls idle
  double clock_ = 0;           // ns since the epoch
  double virtual_ = 0;         // V, nanobits a flow since the epoch
  std::uint64_t next_sequence_ = 0;
  std::size_t active_ = 0;
  std::vector<Record> records_;
  std::vector<Flow> free_;
  IndexedHeap<double> capped_by_finish_, shared_by_finish_;
  IndexedHeap<std::int64_t> capped_by_cap_;  // of -cap: the largest first
  IndexedHeap<std::int64_t> shared_by_cap_;
  std::vector<std::uint32_t> finish_position_, cap_position_;
  std::deque<Completion> complete_;
};

}  // namespace skiff
