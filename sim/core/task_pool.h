// Tasks that run beside the event thread: submitted in order, awaited all together.
//
// Each task writes only what belongs to it. wait() runs what is left, on the calling thread too,
// and rethrows the exception of the task that was submitted first. Used by one thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace skiff {

class TaskPool {
 public:
  TaskPool();
  ~TaskPool();
  TaskPool(const TaskPool&) = delete;
  TaskPool& operator=(const TaskPool&) = delete;

  void submit(std::function<void()> task);
  void wait();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace skiff
