#include "sim/core/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "sim/core/random.h"

namespace skiff {
namespace {

class ParallelTest : public ::testing::Test {
 protected:
  ~ParallelTest() override { set_threads(0); }
};

TEST_F(ParallelTest, EveryIndexOnce) {
  for (const int count : {1, 2, 8}) {
    set_threads(count);
    EXPECT_EQ(threads(), count);
    for (const std::size_t n : {0u, 1u, 7u, 1000u}) {
      for (const std::size_t grain : {1u, 3u, 5000u}) {
        std::vector<std::atomic<int>> calls(n);
        parallel_for(
            n, [&](std::size_t i) { ++calls[i]; }, grain);
        for (const auto& c : calls) ASSERT_EQ(c, 1) << n << " by " << grain;
      }
    }
  }
}

TEST_F(ParallelTest, TheSameResultsOnAnyNumberOfThreads) {
  const auto work = [] {
    std::vector<double> results(500);
    parallel_for(results.size(), [&](std::size_t i) {
      Stream stream(1, "work", i);
      for (std::uint32_t k = stream.below(2000); k > 0; --k) results[i] += stream.uniform();
    });
    return results;
  };
  set_threads(1);
  const std::vector<double> alone = work();
  for (const int count : {2, 8}) {
    set_threads(count);
    EXPECT_EQ(work(), alone) << count;
  }
}

TEST_F(ParallelTest, RethrowsTheExceptionOfTheLowestIndexAfterAllHaveEnded) {
  for (const int count : {1, 2, 8}) {
    set_threads(count);
    for (int repeat = 0; repeat < 20; ++repeat) {
      std::atomic<int> calls = 0;
      try {
        parallel_for(100, [&](std::size_t i) {
          ++calls;
          if (i == 17) std::this_thread::sleep_for(std::chrono::microseconds(200));
          if (i % 20 == 17) throw std::runtime_error(std::to_string(i));
        });
        FAIL();
      } catch (const std::runtime_error& error) {
        EXPECT_STREQ(error.what(), "17");
      }
      EXPECT_EQ(calls, 100);
    }
  }
}

TEST_F(ParallelTest, MayBeNested) {
  set_threads(4);
  std::vector<std::vector<int>> table(10, std::vector<int>(10));
  parallel_for(10, [&](std::size_t i) {
    parallel_for(10, [&, i](std::size_t j) { table[i][j] = static_cast<int>(10 * i + j); });
  });
  for (std::size_t i = 0; i < 10; ++i) {
    for (std::size_t j = 0; j < 10; ++j) EXPECT_EQ(table[i][j], static_cast<int>(10 * i + j));
  }
}

TEST_F(ParallelTest, WorkersAtTheSameTimeHaveDifferentIndices) {
  set_threads(8);
  std::vector<std::atomic<bool>> busy(8);
  std::atomic<int> clashes = 0;
  parallel_for(400, [&](std::size_t) {
    const std::size_t me = worker_index();
    if (me >= busy.size() || busy[me].exchange(true)) {
      ++clashes;
      return;
    }
    std::this_thread::sleep_for(std::chrono::microseconds(50));
    busy[me] = false;
  });
  EXPECT_EQ(clashes, 0);
}

TEST_F(ParallelTest, ZeroThreadsMeansAllProcessors) {
  set_threads(0);
  EXPECT_EQ(threads(), static_cast<int>(std::max(1u, std::thread::hardware_concurrency())));
}

}  // namespace
}  // namespace skiff
