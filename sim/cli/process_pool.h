// Runs jobs in processes of their own: one that crashes or runs out of memory takes no other along.
//
// Jobs are forked, so they start from what the parent has loaded; the parent must not have started
// threads. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace skiff::cli {

struct PoolJobs {
  std::size_t count = 0;
  // In the child: does job i and returns its exit code. May call tell(fraction), 0..1.
  std::function<int(std::size_t i, const std::function<void(double)>& tell)> work;
  std::function<std::string(std::size_t i)> log_file;  // gets what the child prints
  // In the parent: job i ended with this exit code (128 + signal if it was killed).
  std::function<void(std::size_t i, int code)> ended;
  // In the parent, several times a second: how much of all is done, 0..1.
  std::function<void(double fraction)> progress;
};

// At most `at_once` at a time, in order. When was_interrupted(), starts no more, asks those at work
// to end by SIGTERM and waits for them.
void run_pool(const PoolJobs& jobs, std::size_t at_once);

}  // namespace skiff::cli
