#include "devices/shared_link.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "sim/core/distributions.h"

namespace skiff {
namespace {

constexpr std::int64_t kMbps = 1'000'000;
constexpr VirtualTime kStart{0};

VirtualTime seconds(double s) { return {static_cast<std::int64_t>(s * 1e9)}; }

std::vector<SharedLink::Completion> drain(SharedLink& link) {
  std::vector<SharedLink::Completion> all;
  SharedLink::Completion done;
  while (link.next_completion() != kNever) {
    const VirtualTime at = link.next_completion();
    while (link.pop(at, done)) all.push_back(done);
  }
  return all;
}

std::vector<double> rates(std::int64_t capacity, const std::vector<std::int64_t>& caps) {
  SharedLink link(capacity);
  std::vector<SharedLink::Flow> flows;
  for (const std::int64_t cap : caps) flows.push_back(link.start(0, Bytes(1000), cap, kStart));
  std::vector<double> rates;
  for (const SharedLink::Flow flow : flows) rates.push_back(link.rate_bps(flow, kStart));
  return rates;
}

TEST(SharedLink, GivesEveryFlowItsCapOrTheWaterLevel) {
  EXPECT_EQ(rates(10, {1, 2, 8, 20}), (std::vector<double>{1, 2, 3.5, 3.5}));
  EXPECT_EQ(rates(100, {10, 20, 30, 40, 50}),
            (std::vector<double>{10, 20, 70.0 / 3, 70.0 / 3, 70.0 / 3}));
  EXPECT_EQ(rates(150, {10, 20, 30, 40, 50}), (std::vector<double>{10, 20, 30, 40, 50}));
}

TEST(SharedLink, FourUploadsShareTenMegabytesPerSecond) {
  SharedLink link(80 * kMbps);
  for (const std::uint64_t mb : {10, 20, 30, 40}) {
    link.start(mb, Bytes(static_cast<std::int64_t>(mb) * 1'000'000), SharedLink::kUncapped, kStart);
  }
  const auto done = drain(link);
  ASSERT_EQ(done.size(), 4u);
  const std::array expected{4, 7, 9, 10};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(done[i].tag, (i + 1) * 10);
    EXPECT_EQ(done[i].time, seconds(expected[i]));
  }
}

// T_k = (sum_{j <= k} s_j + (n - k) s_k) / C.
TEST(SharedLink, SimultaneousFlowsFollowTheClosedForm) {
  Stream stream(11, "test.sizes");
  std::vector<std::int64_t> sizes(200);
  for (std::int64_t& s : sizes) s = 1 + stream.below(50'000'000);
  SharedLink link(1'000 * kMbps);
  for (const std::int64_t s : sizes) link.start(0, Bytes(s), SharedLink::kUncapped, kStart);
  std::sort(sizes.begin(), sizes.end());
  const auto done = drain(link);
  double sum = 0;
  for (std::size_t k = 0; k < sizes.size(); ++k) {
    sum += static_cast<double>(sizes[k]);
    const double rest = static_cast<double>(sizes.size() - 1 - k) * static_cast<double>(sizes[k]);
    const double expected = (sum + rest) / 125e6;
    EXPECT_NEAR(done[k].exact_s, expected, 1e-12 * expected);
  }
}

TEST(SharedLink, WithoutCapacityFlowsAreIndependent) {
  SharedLink link;
  link.start(1, Bytes(1'000'000), 8 * kMbps, kStart);
  link.start(2, Bytes(1'000'000), 16 * kMbps, kStart);
  const auto done = drain(link);
  ASSERT_EQ(done.size(), 2u);
  EXPECT_EQ(done[0].tag, 2u);
  EXPECT_EQ(done[0].time, seconds(0.5));
  EXPECT_EQ(done[1].time, seconds(1));
}

TEST(SharedLink, AbortGivesBackWhatWentThrough) {
  SharedLink link(8 * kMbps);
  const auto a = link.start(1, Bytes(1'000'000), SharedLink::kUncapped, kStart);
  link.start(2, Bytes(1'000'000), SharedLink::kUncapped, kStart);
  EXPECT_EQ(link.transferred(a, seconds(1)), Bytes(500'000));
  EXPECT_EQ(link.abort(a, seconds(1)), Bytes(500'000));
  const auto done = drain(link);  // the other now has the link for itself
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0].time, seconds(1.5));
}

TEST(SharedLink, AFlowThatIsCompleteCannotLoseBytes) {
  SharedLink link(8 * kMbps);
  const auto a = link.start(1, Bytes(1'000'000), SharedLink::kUncapped, kStart);
  EXPECT_EQ(link.abort(a, seconds(3)), Bytes(1'000'000));
  EXPECT_EQ(link.next_completion(), kNever);
  EXPECT_EQ(link.active(), 0u);
}

TEST(SharedLink, CapsAndCapacityMayChange) {
  SharedLink link(16 * kMbps);
  const auto a = link.start(1, Bytes(4'000'000), 8 * kMbps, kStart);
  link.start(2, Bytes(4'000'000), 8 * kMbps, kStart);
  link.set_cap(a, 0, seconds(1));  // the device loses its link
  EXPECT_EQ(link.rate_bps(a, seconds(1)), 0);
  link.set_capacity(4 * kMbps, seconds(2));
  link.set_cap(a, 8 * kMbps, seconds(3));  // 1 MB of a is through, 2.5 MB of b
  EXPECT_EQ(link.rate_bps(a, seconds(3)), 2e6);
  EXPECT_EQ(link.transferred(a, seconds(3)), Bytes(1'000'000));
  const auto done = drain(link);
  ASSERT_EQ(done.size(), 2u);
  EXPECT_EQ(done[0].tag, 2u);
  EXPECT_EQ(done[0].time, seconds(9));   // 1.5 MB at 2 Mbps
  EXPECT_EQ(done[1].time, seconds(12));  // 1.5 MB more at 4 Mbps
}

TEST(SharedLink, AStalledLinkNeverCompletes) {
  SharedLink link(0);
  link.start(1, Bytes(1), SharedLink::kUncapped, kStart);
  link.start(2, Bytes(0), SharedLink::kUncapped, kStart);  // nothing to send
  SharedLink::Completion done;
  ASSERT_TRUE(link.pop(kStart, done));
  EXPECT_EQ(done.tag, 2u);
  EXPECT_EQ(link.next_completion(), kNever);
}

TEST(SharedLink, EqualFlowsCompleteInTheOrderTheyStarted) {
  SharedLink link(7 * kMbps);
  for (std::uint64_t i = 0; i < 50; ++i) {
    link.start(i, Bytes(12'345), SharedLink::kUncapped, kStart);
  }
  const auto done = drain(link);
  for (std::uint64_t i = 0; i < 50; ++i) EXPECT_EQ(done[i].tag, i);
}

// --- Against brute force: progressive filling at every event, in long double --------------------

struct Load {
  std::int64_t capacity;
  struct Job {
    std::int64_t bytes, cap, start_ns;
  };
  std::vector<Job> jobs;
};

struct Fluid {
  std::size_t job;
  long double bits;
  long double rate;
};

void fill_progressively(std::vector<Fluid>& flows, const Load& load) {
  std::vector<Fluid*> open;
  for (Fluid& f : flows) open.push_back(&f);
  long double left = static_cast<long double>(load.capacity);
  while (!open.empty()) {
    const long double level = left / static_cast<long double>(open.size());
    const auto capped = std::partition(open.begin(), open.end(), [&](const Fluid* f) {
      return static_cast<long double>(load.jobs[f->job].cap) > level;
    });
    if (capped == open.end()) {
      for (Fluid* f : open) f->rate = level;
      return;
    }
    for (auto it = capped; it != open.end(); ++it) {
      (*it)->rate = static_cast<long double>(load.jobs[(*it)->job].cap);
      left -= (*it)->rate;
    }
    open.erase(capped, open.end());
  }
}

// Completions (job, seconds) in order. Jobs are sorted by start.
std::vector<std::pair<std::size_t, double>> brute_force(const Load& load) {
  std::vector<std::pair<std::size_t, double>> done;
  std::vector<Fluid> flows;
  long double now = 0;
  for (std::size_t next = 0; next < load.jobs.size() || !flows.empty();) {
    fill_progressively(flows, load);
    long double until = INFINITY;
    std::size_t first = 0;
    for (std::size_t i = 0; i < flows.size(); ++i) {
      const long double t = now + flows[i].bits / flows[i].rate;
      if (t < until) until = t, first = i;
    }
    const bool arrival = next < load.jobs.size() &&
                         static_cast<long double>(load.jobs[next].start_ns) * 1e-9L <= until;
    if (arrival) until = static_cast<long double>(load.jobs[next].start_ns) * 1e-9L;
    for (Fluid& f : flows) f.bits -= f.rate * (until - now);
    now = until;
    if (arrival) {
      flows.push_back({next, static_cast<long double>(load.jobs[next].bytes) * 8, 0});
      ++next;
    } else {
      done.emplace_back(flows[first].job, static_cast<double>(now));
      flows.erase(flows.begin() + static_cast<std::ptrdiff_t>(first));
    }
  }
  return done;
}

std::vector<std::pair<std::size_t, double>> by_link(const Load& load) {
  SharedLink link(load.capacity);
  std::vector<std::pair<std::size_t, double>> done;
  SharedLink::Completion completion;
  for (std::size_t i = 0; i < load.jobs.size(); ++i) {
    const VirtualTime at{load.jobs[i].start_ns};
    while (link.pop(at, completion)) done.emplace_back(completion.tag, completion.exact_s);
    link.start(i, Bytes(load.jobs[i].bytes), load.jobs[i].cap, at);
  }
  for (const auto& c : drain(link)) done.emplace_back(c.tag, c.exact_s);
  return done;
}

Load random_load(std::uint64_t n) {
  Stream s(5, "test.load", n);
  Load load;
  load.capacity = 1'000'000 + s.below(2'000'000'000);
  const std::uint32_t jobs = 2 + s.below(400);
  const double spread = 3 * s.uniform();
  const double gap_s = s.uniform() * 0.2;
  double at = 0;
  for (std::uint32_t i = 0; i < jobs; ++i) {
    at += s.below(4) == 0 ? 0 : exponential(s, gap_s + 1e-3);
    const auto cap = static_cast<std::int64_t>(lognormal(s, 2e7, spread)) + 1;
    const auto bytes = static_cast<std::int64_t>(lognormal(s, 1e6, spread)) + 1;
    load.jobs.push_back({bytes, s.below(5) == 0 ? SharedLink::kUncapped : cap,
                         static_cast<std::int64_t>(at * 1e9)});
  }
  return load;
}

TEST(SharedLink, EqualsProgressiveFillingOnRandomLoads) {
  std::size_t completions = 0;
  double worst = 0;
  for (std::uint64_t n = 0; n < 150; ++n) {
    const Load load = random_load(n);
    const auto expected = brute_force(load);
    const auto found = by_link(load);
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      ASSERT_EQ(found[i].first, expected[i].first) << "load " << n << ", completion " << i;
      const double error = std::abs(found[i].second - expected[i].second) / expected[i].second;
      worst = std::max(worst, error);
    }
    completions += found.size();
  }
  EXPECT_GT(completions, 20'000u);
  EXPECT_LT(worst, 1e-12);
}

// Optimality: each flow is at its cap, or the link is full and no flow has more.
TEST(SharedLink, RatesSatisfyTheConditionsOfMaxMinFairness) {
  for (std::uint64_t n = 0; n < 200; ++n) {
    Stream s(9, "test.kkt", n);
    const std::int64_t capacity = 1'000 + s.below(1'000'000);
    SharedLink link(capacity);
    std::map<SharedLink::Flow, std::int64_t> caps;
    for (std::uint32_t i = 0, count = 1 + s.below(60); i < count; ++i) {
      const std::int64_t cap = 1 + s.below(100'000);
      caps[link.start(i, Bytes(1'000'000'000), cap, kStart)] = cap;
      if (i % 5 == 4) {
        link.abort(caps.begin()->first, kStart);
        caps.erase(caps.begin());
      }
    }
    double sum = 0;
    double most = 0;
    for (const auto& [flow, cap] : caps) {
      sum += link.rate_bps(flow, kStart);
      most = std::max(most, link.rate_bps(flow, kStart));
    }
    EXPECT_LE(sum, static_cast<double>(capacity) * (1 + 1e-12));
    for (const auto& [flow, cap] : caps) {
      const double rate = link.rate_bps(flow, kStart);
      EXPECT_LE(rate, static_cast<double>(cap));
      if (rate < static_cast<double>(cap)) {
        EXPECT_NEAR(sum, static_cast<double>(capacity), 1e-9 * sum);
        EXPECT_EQ(rate, most);
      }
    }
  }
}

TEST(SharedLink, TwiceTheRatesHalveEveryTimeExactly) {
  Load load = random_load(3);
  for (auto& job : load.jobs) {
    job.start_ns *= 2;
    if (job.cap == SharedLink::kUncapped) job.cap = 1 << 30;
  }
  Load fast = load;
  fast.capacity *= 2;
  for (auto& job : fast.jobs) job.cap *= 2, job.start_ns /= 2;
  const auto slow_done = by_link(load);
  const auto fast_done = by_link(fast);
  for (std::size_t i = 0; i < slow_done.size(); ++i) {
    EXPECT_EQ(slow_done[i].first, fast_done[i].first);
    EXPECT_NEAR(slow_done[i].second, 2 * fast_done[i].second, 1e-15 * slow_done[i].second);
  }
}

// M/G/1 processor sharing: E[T | x] = x / (C (1 - rho)) for any law of sizes. The mean of T / x is
// checked over batches, since neighbours are dependent.
template <class Draw>
void expect_insensitive(const char* law, Draw&& draw) {
  constexpr double kRho = 0.8;
  constexpr double kMean = 1e6;  // bytes; the link carries one mean job a second
  constexpr int kBatches = 100;
  constexpr int kJobs = 3'000;  // a batch
  SharedLink link(8'000'000);
  Stream stream(2, law);
  std::vector<double> start_s, size;
  std::vector<double> slowdown(kBatches, 0.0);
  const auto take = [&](const SharedLink::Completion& c) {
    if (c.tag < kJobs) return;  // the first batch warms up
    const double t = (c.exact_s - start_s[c.tag]) / (size[c.tag] / 1e6);
    slowdown[c.tag / kJobs - 1] += t / kJobs;
  };
  double at = 0;
  SharedLink::Completion done;
  for (std::uint64_t i = 0; i < (kBatches + 1) * kJobs; ++i) {
    at += exponential(stream, 1 / kRho);
    const VirtualTime now = seconds(at);
    while (link.pop(now, done)) take(done);
    const auto bytes = static_cast<std::int64_t>(std::ceil(draw(stream) * kMean));
    start_s.push_back(to_seconds(now).value());
    size.push_back(static_cast<double>(bytes));
    link.start(i, Bytes(bytes), SharedLink::kUncapped, now);
  }
  for (const auto& c : drain(link)) take(c);
  const double mean = std::accumulate(slowdown.begin(), slowdown.end(), 0.0) / kBatches;
  double squares = 0;
  for (const double x : slowdown) squares += (x - mean) * (x - mean);
  const double error = std::sqrt(squares / (kBatches - 1) / kBatches);
  EXPECT_NEAR(mean, 1 / (1 - kRho), 4 * error) << law;
  EXPECT_LT(error, 0.1) << law;
}

TEST(SharedLink, ProcessorSharingIsInsensitiveToTheLawOfSizes) {
  expect_insensitive("exponential", [](Stream& s) { return exponential(s, 1); });
  expect_insensitive("deterministic", [](Stream&) { return 1.0; });
  expect_insensitive("lognormal", [](Stream& s) { return lognormal(s, std::exp(-0.5), 1); });
}

}  // namespace
}  // namespace skiff
