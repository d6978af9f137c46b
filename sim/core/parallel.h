// The one way in which skiff uses threads: independent tasks by index, results by index.
//
// parallel_for(n, body) calls body(i) once for every i in 0..n-1, from several threads, in any
// order; body(i) may write only what belongs to i. Reductions are done afterwards by the caller, in
// index order, so results do not depend on the number of threads. If bodies throw, the exception
// of the lowest index is rethrown after all have ended.
#pragma once

#include <cstddef>
#include <functional>

namespace skiff {

// Runs `body` on a pool of `threads()` TBB workers, in chunks of `grain` consecutive indices.
// (Under thread sanitizer plain std::thread is used: a stock oneTBB is not instrumented.)
void parallel_for(std::size_t n, const std::function<void(std::size_t)>& body,
                  std::size_t grain = 1);

// How many threads parallel_for may use, for this process; 0 = as many as there are processors.
void set_threads(int count);
int threads();

// The index of the calling worker within the pool, 0..threads()-1: for scratch memory that is
// never read before it was written.
std::size_t worker_index();

}  // namespace skiff
