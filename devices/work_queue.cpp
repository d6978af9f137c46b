#include "devices/work_queue.h"

#include <algorithm>
#include <functional>

#include "sim/core/error.h"

namespace skiff {

WorkQueue::WorkQueue(std::size_t workers) : free_at_(workers) {
  SKIFF_CHECK(workers > 0, "somebody must do the work");
}

VirtualTime WorkQueue::next_begin(VirtualTime now) const { return std::max(now, free_at_.front()); }

WorkQueue::Service WorkQueue::take(VirtualTime arrival, Seconds work) {
  SKIFF_CHECK(arrival >= last_arrival_, "a queue cannot go back in time");
  last_arrival_ = arrival;
  const VirtualTime begin = next_begin(arrival);
  const VirtualTime end = after(begin, work);
  std::pop_heap(free_at_.begin(), free_at_.end(), std::greater<>());
  free_at_.back() = end;
  std::push_heap(free_at_.begin(), free_at_.end(), std::greater<>());
  work_taken_ += work;
  return {begin, end};
}

}  // namespace skiff
