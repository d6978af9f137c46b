#include "sim/core/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "sim/core/task_pool.h"

#ifndef SKIFF_PLAIN_THREADS
#include <tbb/blocked_range.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#include <memory>
#endif

namespace skiff {
namespace {

int processors() { return std::max(1u, std::thread::hardware_concurrency()); }
int& thread_count() {
  static int count = processors();
  return count;
}

// Keeps the exception of the lowest index, so that which one is rethrown does not depend on time.
class FirstError {
 public:
  void run(std::size_t i, const std::function<void(std::size_t)>& body) {
    try {
      body(i);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!error_ || i < index_) {
        index_ = i;
        error_ = std::current_exception();
      }
    }
  }
  void rethrow() {
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  }

 private:
  std::mutex mutex_;
  std::size_t index_ = 0;
  std::exception_ptr error_;
};

#ifndef SKIFF_PLAIN_THREADS
tbb::task_arena& arena() {
  static std::unique_ptr<tbb::task_arena> pool;
  static std::unique_ptr<tbb::global_control> limit;  // allows more workers than processors
  static int size = 0;
  if (size != thread_count()) {
    size = thread_count();
    limit = std::make_unique<tbb::global_control>(tbb::global_control::max_allowed_parallelism,
                                                  static_cast<std::size_t>(size));
    pool = std::make_unique<tbb::task_arena>(size);
  }
  return *pool;
}
#else
thread_local std::size_t plain_index = 0;
#endif

}  // namespace

void set_threads(int count) { thread_count() = count > 0 ? count : processors(); }
int threads() { return thread_count(); }

void parallel_for(std::size_t n, const std::function<void(std::size_t)>& body, std::size_t grain) {
  FirstError first;
  if (n <= grain || threads() == 1) {
    for (std::size_t i = 0; i < n; ++i) first.run(i, body);
    first.rethrow();
    return;
  }
#ifndef SKIFF_PLAIN_THREADS
  arena().execute([&] {
    tbb::parallel_for(
        tbb::blocked_range<std::size_t>(0, n, grain),
        [&](const tbb::blocked_range<std::size_t>& range) {
          for (std::size_t i = range.begin(); i != range.end(); ++i) first.run(i, body);
        },
        tbb::simple_partitioner());
  });
#else
  std::atomic<std::size_t> next{0};
  std::vector<std::thread> pool;
  for (int w = 0; w < threads(); ++w) {
    pool.emplace_back([&, w] {
      plain_index = static_cast<std::size_t>(w);
      for (std::size_t i = next.fetch_add(grain); i < n; i = next.fetch_add(grain)) {
        for (std::size_t j = i; j < std::min(n, i + grain); ++j) first.run(j, body);
      }
    });
  }
  for (std::thread& t : pool) t.join();
#endif
  first.rethrow();
}

std::size_t worker_index() {
#ifndef SKIFF_PLAIN_THREADS
  const int index = tbb::this_task_arena::current_thread_index();
  return index < 0 ? 0 : static_cast<std::size_t>(index);
#else
  return plain_index;
#endif
}

struct TaskPool::Impl {
  FirstError first;
  std::size_t submitted = 0;
#ifndef SKIFF_PLAIN_THREADS
  tbb::task_group group;
#else
  std::vector<std::thread> running;
#endif
};

TaskPool::TaskPool() : impl_(std::make_unique<Impl>()) {}

TaskPool::~TaskPool() {
#ifndef SKIFF_PLAIN_THREADS
  arena().execute([&] { impl_->group.wait(); });
#else
  for (std::thread& t : impl_->running) t.join();
#endif
}

void TaskPool::submit(std::function<void()> task) {
  const std::size_t number = impl_->submitted++;
  const auto run = [this, number, task = std::move(task)] {
    impl_->first.run(number, [&](std::size_t) { task(); });
  };
#ifndef SKIFF_PLAIN_THREADS
  arena().execute([&] { impl_->group.run(run); });
#else
  if (static_cast<int>(impl_->running.size()) >= threads()) {
    for (std::thread& t : impl_->running) t.join();
    impl_->running.clear();
  }
  impl_->running.emplace_back([run, number] {
    plain_index = number % static_cast<std::size_t>(threads());
    run();
  });
#endif
}

void TaskPool::wait() {
#ifndef SKIFF_PLAIN_THREADS
  arena().execute([&] { impl_->group.wait(); });
#else
  for (std::thread& t : impl_->running) t.join();
  impl_->running.clear();
#endif
  impl_->first.rethrow();
}

}  // namespace skiff
