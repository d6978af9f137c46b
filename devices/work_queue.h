// Jobs served in the order of arrival by one or more equal workers: the server's own processors.
//
// G/G/c with one line and no interruption, first come, first served (Kleinrock, Queueing Systems
// I, 1975). As nothing overtakes, a job's begin and end are known when it arrives: the worker that
// is free first takes it. With one worker this is Lindley's recursion, begin_n = max(arrival_n,
// end_{n-1}) (Proc. Cambridge Phil. Soc. 48, 1952). Times are whole nanoseconds, ends rounded up.
// A queue is a plain value; arrivals must not go back in time. O(log c) a job. One thread.
#pragma once

#include <cstddef>
#include <vector>

#include "sim/core/time.h"
#include "sim/core/units.h"

namespace skiff {

class WorkQueue {
 public:
  struct Service {
    VirtualTime begin;  // of the work itself: it waited from its arrival until then
    VirtualTime end;
  };

  explicit WorkQueue(std::size_t workers = 1);

  // `work`: the time that the job keeps one worker; 0 s is served at once if a worker is free.
  Service take(VirtualTime arrival, Seconds work);
  // When a job that arrives now would begin.
  VirtualTime next_begin(VirtualTime now) const;
  // The time that all workers have been kept so far, jobs that are still waiting included.
  Seconds work_taken() const { return work_taken_; }

 private:
  std::vector<VirtualTime> free_at_;  // a heap by worker, the earliest on top
  VirtualTime last_arrival_;
  Seconds work_taken_;
};

}  // namespace skiff
