// Oracle 4 (one worker: M/M/1, M/D/1, M/G/1) and the first half of oracle 5 (M/M/2) in closed form:
// fixed seeds, two million jobs, means within four standard errors of 200 batches.
#include "devices/work_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <stdexcept>
#include <vector>

#include "sim/core/distributions.h"

namespace skiff {
namespace {

VirtualTime at(double s) { return {static_cast<std::int64_t>(s * 1e9)}; }

TEST(WorkQueue, ServesInTheOrderOfArrival) {
  WorkQueue queue;
  const WorkQueue::Service a = queue.take(at(1), Seconds(3));
  const WorkQueue::Service b = queue.take(at(2), Seconds(0.5));
  const WorkQueue::Service c = queue.take(at(10), Seconds(1));
  EXPECT_EQ(a.begin, at(1));
  EXPECT_EQ(a.end, at(4));
  EXPECT_EQ(b.begin, at(4));  // short as it is
  EXPECT_EQ(b.end, at(4.5));
  EXPECT_EQ(c.begin, at(10));
  EXPECT_EQ(queue.next_begin(at(10.5)), at(11));
  EXPECT_EQ(queue.next_begin(at(12)), at(12));
  EXPECT_EQ(queue.work_taken(), Seconds(4.5));
}

TEST(WorkQueue, TheWorkerThatIsFreeFirstTakesTheJob) {
  WorkQueue queue(2);
  EXPECT_EQ(queue.take(at(0), Seconds(5)).end, at(5));
  EXPECT_EQ(queue.take(at(0), Seconds(2)).end, at(2));
  const WorkQueue::Service third = queue.take(at(1), Seconds(1));
  EXPECT_EQ(third.begin, at(2));
  EXPECT_EQ(third.end, at(3));
  EXPECT_EQ(queue.take(at(1), Seconds(1)).begin, at(3));
}

TEST(WorkQueue, WorkOfNoTimeTakesNoTime) {
  WorkQueue queue;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(queue.take(at(7), Seconds(0)).end, at(7));
}

TEST(WorkQueue, RefusesWhatCannotBe) {
  EXPECT_THROW(WorkQueue(0), std::logic_error);
  WorkQueue queue;
  queue.take(at(2), Seconds(1));
  EXPECT_THROW(queue.take(at(1), Seconds(1)), std::logic_error);
  EXPECT_THROW(queue.take(at(3), Seconds(-1)), std::invalid_argument);
}

struct Estimate {
  double mean = 0, error = 0;
};

// Means of 200 batches are all but independent: a batch is a hundred relaxation times long.
Estimate by_batches(const std::vector<double>& values) {
  constexpr std::size_t kBatches = 200;
  const std::size_t length = values.size() / kBatches;
  std::vector<double> means(kBatches);
  Estimate e;
  for (std::size_t b = 0; b < kBatches; ++b) {
    for (std::size_t i = 0; i < length; ++i) means[b] += values[b * length + i];
    means[b] /= static_cast<double>(length);
    e.mean += means[b] / kBatches;
  }
  double square = 0;
  for (const double m : means) square += (m - e.mean) * (m - e.mean);
  e.error = std::sqrt(square / (kBatches - 1) / kBatches);
  return e;
}

struct Observed {
  Estimate wait, sojourn, delayed;
  double in_system = 0;  // the mean over time of jobs waiting or served
};

// Poisson arrivals; `law` draws the work of a job, mean 1 s.
Observed observe(double arrivals_per_second, const std::function<double(Stream&)>& law,
                 std::size_t workers = 1) {
  constexpr std::size_t kJobs = 2'000'000;
  Stream arrivals(2024, "test.arrivals"), work(2024, "test.work");
  WorkQueue queue(workers);
  std::vector<double> wait, sojourn, delayed;
  std::vector<VirtualTime> come, gone;
  double now = 0;
  for (std::size_t i = 0; i < kJobs; ++i) {
    now += exponential(arrivals, 1 / arrivals_per_second);
    const WorkQueue::Service s = queue.take(at(now), Seconds(law(work)));
    wait.push_back((s.begin - at(now)).value());
    sojourn.push_back((s.end - at(now)).value());
    delayed.push_back(s.begin > at(now) ? 1 : 0);
    come.push_back(at(now));
    gone.push_back(s.end);
  }
  // Counted along the clock, not by Little's law: jobs in the system, integrated.
  std::sort(gone.begin(), gone.end());
  double area = 0;
  VirtualTime last;
  for (std::size_t in = 0, out = 0; in < kJobs;) {
    const VirtualTime next = std::min(come[in], gone[out]);
    area += static_cast<double>(in - out) * (next - last).value();
    last = next;
    come[in] <= gone[out] ? ++in : ++out;
  }
  return {by_batches(wait), by_batches(sojourn), by_batches(delayed),
          area / to_seconds(last).value()};
}

void expect_near(const Estimate& e, double expected) {
  EXPECT_NEAR(e.mean, expected, 4 * e.error);
  EXPECT_LT(e.error, 0.03 * expected);  // so that the test can fail
}

double exponential_work(Stream& s) { return exponential(s, 1); }

// rho = 0.8: L = rho / (1 - rho) = 4, W = 1 / (1 - rho) = 5, Wq = 4.
TEST(WorkQueue, OracleFourMM1) {
  const Observed o = observe(0.8, exponential_work);
  expect_near(o.wait, 4);
  expect_near(o.sojourn, 5);
  expect_near(o.delayed, 0.8);
  EXPECT_NEAR(o.in_system, 4, 4 * o.sojourn.error);
}
// Half of the M/M/1 wait: Wq = 2, W = 3.
TEST(WorkQueue, OracleFourMD1) {
  const Observed o = observe(0.8, [](Stream&) { return 1.0; });
  expect_near(o.wait, 2);
  expect_near(o.sojourn, 3);
}
// Pollaczek-Khinchine: Wq = lambda E[S^2] / (2 (1 - rho)) with E[S^2] = e for mean 1, sigma 1.
TEST(WorkQueue, OracleFourMG1Lognormal) {
  const Observed o = observe(0.8, [](Stream& s) { return lognormal(s, std::exp(-0.5), 1); });
  expect_near(o.wait, 5.436564);
}
// Erlang C for c = 2, a = 1.5: P(wait) = 0.642857, Wq = 1.285714.
TEST(WorkQueue, OracleFiveMM2) {
  const Observed o = observe(1.5, exponential_work, 2);
  expect_near(o.delayed, 0.642857);
  expect_near(o.wait, 1.285714);
}

}  // namespace
}  // namespace skiff
