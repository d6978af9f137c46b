#include "sim/core/task_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "sim/core/parallel.h"

namespace skiff {
namespace {

class TaskPoolTest : public ::testing::TestWithParam<int> {
 protected:
  TaskPoolTest() { set_threads(GetParam()); }
  ~TaskPoolTest() override { set_threads(0); }
};
INSTANTIATE_TEST_SUITE_P(Threads, TaskPoolTest, ::testing::Values(1, 2, 8));

TEST_P(TaskPoolTest, WaitEndsWhenEveryTaskHas) {
  TaskPool pool;
  std::vector<int> results(200);
  for (std::size_t i = 0; i < results.size(); ++i) {
    pool.submit([&results, i] { results[i] = static_cast<int>(i) + 1; });
  }
  pool.wait();
  for (std::size_t i = 0; i < results.size(); ++i) EXPECT_EQ(results[i], static_cast<int>(i) + 1);
}

TEST_P(TaskPoolTest, MayBeUsedAgainAfterWaiting) {
  TaskPool pool;
  std::atomic<int> calls = 0;
  pool.wait();
  for (int wave = 1; wave <= 3; ++wave) {
    for (int i = 0; i < 10; ++i) pool.submit([&] { ++calls; });
    pool.wait();
    EXPECT_EQ(calls, 10 * wave);
  }
}

TEST_P(TaskPoolTest, RethrowsTheExceptionOfTheTaskSubmittedFirst) {
  TaskPool pool;
  for (int i = 0; i < 20; ++i) {
    pool.submit([i] {
      if (i == 5) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      if (i >= 5) throw std::runtime_error(std::to_string(i));
    });
  }
  try {
    pool.wait();
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "5");
  }
}

TEST_P(TaskPoolTest, AnErrorIsThrownOnce) {
  TaskPool pool;
  pool.submit([] { throw std::runtime_error("first wave"); });
  EXPECT_THROW(pool.wait(), std::runtime_error);
  pool.submit([] {});
  EXPECT_NO_THROW(pool.wait());
}

TEST_P(TaskPoolTest, TheDestructorWaits) {
  std::atomic<int> calls = 0;
  {
    TaskPool pool;
    for (int i = 0; i < 20; ++i) pool.submit([&] { ++calls; });
  }
  EXPECT_EQ(calls, 20);
}

TEST_P(TaskPoolTest, TasksMayUseParallelFor) {
  TaskPool pool;
  std::atomic<int> calls = 0;
  for (int i = 0; i < 4; ++i) {
    pool.submit([&] { parallel_for(50, [&](std::size_t) { ++calls; }); });
  }
  pool.wait();
  EXPECT_EQ(calls, 200);
}

}  // namespace
}  // namespace skiff
