// Facts of the partition schemes: who holds what, how unequal, and what is refused.
#include <gmock/gmock.h>

#include <cmath>
#include <functional>
#include <numeric>
#include <set>

#include "sim/core/distributions.h"
#include "tests/data/data_test.h"

namespace skiff::test {
namespace {

using ::testing::HasSubstr;

std::vector<std::int32_t> random_labels(std::size_t n, std::uint32_t classes) {
  Stream stream(5, "test.labels");
  std::vector<std::int32_t> labels(n);
  for (auto& label : labels) label = static_cast<std::int32_t>(stream.below(classes));
  return labels;
}

std::vector<std::int32_t> even_labels(std::size_t n, std::size_t classes) {
  std::vector<std::int32_t> labels(n);
  for (std::size_t i = 0; i < n; ++i) labels[i] = static_cast<std::int32_t>(i % classes);
  return labels;
}

ShardList split(const std::string& scheme, Settings settings,
                const std::vector<std::int32_t>& labels, int clients, std::uint64_t seed = 3) {
  return make<Partition>(scheme, settings)
      ->split({labels, {}, clients}, Stream(seed, "data.partition"))
      .shards;
}

void expect_disjoint(const ShardList& shards, std::size_t samples, bool complete) {
  std::vector<int> holders(samples, 0);
  for (int k = 0; k < shards.clients(); ++k) {
    const auto rows = shards.of(k);
    EXPECT_TRUE(std::is_sorted(rows.begin(), rows.end()));
    for (const std::uint32_t row : rows) ++holders.at(row);
  }
  EXPECT_LE(*std::max_element(holders.begin(), holders.end()), 1);
  if (complete) {
    EXPECT_EQ(*std::min_element(holders.begin(), holders.end()), 1);
  }
}

std::vector<std::int64_t> sizes_of(const ShardList& shards) {
  std::vector<std::int64_t> sizes;
  for (int k = 0; k < shards.clients(); ++k) sizes.push_back(shards.size(k));
  return sizes;
}

int classes_held(const ClassHistogram& histogram, int client) {
  int held = 0;
  for (int c = 0; c < static_cast<int>(histogram.labels.size()); ++c) {
    held += histogram.count(client, c) > 0;
  }
  return held;
}

struct Scheme {
  const char* name;
  std::vector<std::pair<const char*, std::string>> settings;
};

TEST(Partition, EverySchemeIsDisjointCompleteAndRepeatable) {
  const auto labels = random_labels(5000, 10);
  const std::vector<Scheme> schemes = {
      {"iid", {}},
      {"contiguous", {}},
      {"shards", {{"shards_per_client", "2"}}},
      {"classes", {{"classes", "3"}}},
      {"dirichlet", {{"alpha", "0.3"}}},
      {"dirichlet", {{"alpha", "0.3"}, {"balance", "false"}}},
      {"dirichlet-client", {{"alpha", "0.3"}}},
      {"dirichlet-client", {{"alpha", "0.3"}, {"sigma", "0.5"}}},
      {"quantity", {{"alpha", "2"}}},
      {"quantity", {{"sigma", "1"}}},
  };
  for (const Scheme& scheme : schemes) {
    SCOPED_TRACE(scheme.name);
    Node map;
    map.kind = Node::Kind::kMap;
    map.set("scheme", Node::scalar(scheme.name));
    for (const auto& [key, value] : scheme.settings) map.set(key, Node::scalar(value));
    const auto partition = Registry<Partition>::instance().make(map);
    const auto run = [&](std::uint64_t seed) {
      return partition->split({labels, {}, 50}, Stream(seed, "data.partition")).shards;
    };
    const ShardList shards = run(3);
    EXPECT_EQ(shards.clients(), 50);
    expect_disjoint(shards, labels.size(), true);
    EXPECT_EQ(shards.rows, run(3).rows);
    if (std::string(scheme.name) != "contiguous") {
      EXPECT_NE(shards.rows, run(4).rows);
    }
    const auto sizes = sizes_of(shards);
    EXPECT_GE(*std::min_element(sizes.begin(), sizes.end()), 1);
  }
}

TEST(Partition, IidGivesTheFirstClientsOneMoreAndEqualLabelShares) {
  const auto labels = random_labels(10007, 10);
  const ShardList shards = split("iid", {}, labels, 100);
  for (int k = 0; k < 100; ++k) EXPECT_EQ(shards.size(k), k < 7 ? 101 : 100);
  // Chi-square of the clients x classes table: 99 x 9 degrees of freedom, deviation 42.
  const ClassHistogram histogram = class_histogram(shards, labels);
  std::vector<double> total(10, 0);
  for (const auto label : labels) total[static_cast<std::size_t>(label)] += 1;
  double chi = 0;
  for (int k = 0; k < 100; ++k) {
    for (int c = 0; c < 10; ++c) {
      const double expected =
          static_cast<double>(shards.size(k)) * total[static_cast<std::size_t>(c)] / 10007;
      const double off = static_cast<double>(histogram.count(k, c)) - expected;
      chi += off * off / expected;
    }
  }
  EXPECT_NEAR(chi, 891, 4 * 42);
}

TEST(Partition, ContiguousBlocksGiveTheRestToTheLast) {
  const ShardList shards = split("contiguous", {}, even_labels(32561, 2), 10);
  for (int k = 0; k < 10; ++k) {
    EXPECT_EQ(shards.size(k), k < 9 ? 3256 : 3257);
    EXPECT_EQ(shards.of(k).front(), 3256u * static_cast<unsigned>(k));
  }
}

TEST(Partition, ShardsAreRunsOfTheSortedLabels) {
  const auto labels = random_labels(6000, 10);
  const ShardList shards = split("shards", {{"shards_per_client", "2"}}, labels, 100);
  const ClassHistogram histogram = class_histogram(shards, labels);
  // Where each row stands in the stable order by label.
  std::vector<std::uint32_t> order(labels.size()), rank(labels.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return labels[a] < labels[b]; });
  for (std::uint32_t i = 0; i < order.size(); ++i) rank[order[i]] = i;
  int two_at_most = 0;
  for (int k = 0; k < 100; ++k) {
    EXPECT_EQ(shards.size(k), 60);
    std::map<std::uint32_t, int> held;
    for (const std::uint32_t row : shards.of(k)) ++held[rank[row] / 30];
    EXPECT_EQ(held.size(), 2u);
    for (const auto& [shard, rows] : held) EXPECT_EQ(rows, 30);
    EXPECT_LE(classes_held(histogram, k), 4);
    two_at_most += classes_held(histogram, k) <= 2;
  }
  EXPECT_GE(two_at_most, 80);
}

TEST(Partition, ShardsMayDropTheTail) {
  const auto labels = random_labels(1007, 10);
  const ShardList shards =
      split("shards", {{"shards_per_client", "2"}, {"drop_tail", "true"}}, labels, 10);
  expect_disjoint(shards, labels.size(), false);
  for (int k = 0; k < 10; ++k) EXPECT_EQ(shards.size(k), 100);
}

TEST(Partition, ClassesDealsEachClassEvenlyToItsHolders) {
  const auto labels = random_labels(9000, 10);
  const ShardList shards = split("classes", {{"classes", "2"}}, labels, 30);
  expect_disjoint(shards, labels.size(), true);
  const ClassHistogram histogram = class_histogram(shards, labels);
  for (int k = 0; k < 30; ++k) {
    EXPECT_EQ(classes_held(histogram, k), 2);
    EXPECT_GT(histogram.count(k, k % 10), 0);
  }
  for (int c = 0; c < 10; ++c) {
    std::int64_t least = 9000, most = 0;
    for (int k = 0; k < 30; ++k) {
      const std::int64_t count = histogram.count(k, c);
      if (count > 0) least = std::min(least, count), most = std::max(most, count);
    }
    EXPECT_LE(most - least, 1);
  }
}

TEST(Partition, DirichletSharesHaveTheLawsMeanAndVariance) {
  // 400 classes of 500: shares of K = 10 clients with mean 1/K, variance (1/K)(1-1/K)/(K a + 1).
  const auto labels = even_labels(200000, 400);
  for (const double alpha : {0.3, 2.0}) {
    const ShardList shards =
        split("dirichlet", {{"alpha", std::to_string(alpha)}, {"balance", "false"}}, labels, 10);
    const ClassHistogram histogram = class_histogram(shards, labels);
    double mean = 0, square = 0;
    for (const std::int64_t count : histogram.counts) {
      const double share = static_cast<double>(count) / 500;
      mean += share / 4000;
      square += share * share / 4000;
    }
    EXPECT_NEAR(mean, 0.1, 1e-12);
    const double variance = 0.1 * 0.9 / (10 * alpha + 1);
    EXPECT_NEAR(square - mean * mean, variance, 0.08 * variance);
  }
}

TEST(Partition, DirichletBalanceStopsClientsAtTheirEvenShare) {
  const auto labels = even_labels(20000, 10);
  const ShardList shards = split("dirichlet", {{"alpha", "0.5"}}, labels, 20);
  for (int k = 0; k < 20; ++k) EXPECT_LT(shards.size(k), 1000 + 2000);
  const ClassHistogram histogram = class_histogram(shards, labels);
  for (int k = 0; k < 20; ++k) {  // once over n / K, nothing of the classes after
    std::int64_t held = 0;
    for (int c = 0; c < 10; ++c) {
      if (held >= 1000) {
        EXPECT_EQ(histogram.count(k, c), 0);
      }
      held += histogram.count(k, c);
    }
  }
}

TEST(Partition, DirichletHonoursMinSamples) {
  const auto labels = even_labels(20000, 10);
  const ShardList shards =
      split("dirichlet", {{"alpha", "0.5"}, {"min_samples", "100"}}, labels, 20);
  for (int k = 0; k < 20; ++k) EXPECT_GE(shards.size(k), 100);
}

double mean_variance_of_shares(const ShardList& shards, const std::vector<std::int32_t>& labels) {
  const ClassHistogram histogram = class_histogram(shards, labels);
  const auto classes = static_cast<int>(histogram.labels.size());
  double square = 0;
  for (int k = 0; k < shards.clients(); ++k) {
    for (int c = 0; c < classes; ++c) {
      const double share =
          static_cast<double>(histogram.count(k, c)) / static_cast<double>(shards.size(k));
      square += (share - 1.0 / classes) * (share - 1.0 / classes);
    }
  }
  return square / (shards.clients() * classes);
}

TEST(Partition, DirichletClientHasEqualSizesAndTheLawsVariance) {
  const auto labels = even_labels(60000, 10);
  for (const double alpha : {10.0, 100.0}) {
    const ShardList shards =
        split("dirichlet-client", {{"alpha", std::to_string(alpha)}}, labels, 150);
    for (int k = 0; k < 150; ++k) EXPECT_EQ(shards.size(k), 400);
    // Dir(alpha p): p (1 - p) / (alpha + 1); then 400 draws from it.
    const double law = 0.09 / (alpha + 1) + 0.09 * alpha / (alpha + 1) / 400;
    EXPECT_NEAR(mean_variance_of_shares(shards, labels), law, 0.15 * law);
  }
}

TEST(Partition, DirichletClientReachesBothExtremes) {
  const auto labels = even_labels(10000, 10);
  const ShardList skewed = split("dirichlet-client", {{"alpha", "0.001"}}, labels, 100);
  const ClassHistogram histogram = class_histogram(skewed, labels);
  double own = 0;  // mean share of a client's main class; it cannot be 1, classes run out
  for (int k = 0; k < 100; ++k) {
    std::int64_t most = 0;
    for (int c = 0; c < 10; ++c) most = std::max(most, histogram.count(k, c));
    own += static_cast<double>(most) / 100 / 100;
  }
  EXPECT_GT(own, 0.8);
  const ShardList even = split("dirichlet-client", {{"alpha", "1e6"}}, labels, 100);
  EXPECT_LT(mean_variance_of_shares(even, labels), 1.3 * 0.09 / 100);
}

TEST(Partition, QuantityFollowsItsLaws) {
  const auto labels = even_labels(400000, 2);
  const auto dirichlet = sizes_of(split("quantity", {{"alpha", "3"}}, labels, 400));
  double square = 0;
  for (const auto size : dirichlet)
    square += std::pow(static_cast<double>(size) / 1000 - 1, 2) / 400;
  EXPECT_NEAR(square, 1 / 3.0, 0.08);  // K^2 var(p) = (1 - 1/K) K^2 / K / (K a + 1)
  const auto lognormal = sizes_of(split("quantity", {{"sigma", "0.8"}}, labels, 400));
  double mean_log = 0, square_log = 0;
  for (const auto size : lognormal) mean_log += std::log(static_cast<double>(size)) / 400;
  for (const auto size : lognormal) {
    square_log += std::pow(std::log(static_cast<double>(size)) - mean_log, 2) / 400;
  }
  EXPECT_NEAR(std::sqrt(square_log), 0.8, 0.08);
}

TEST(Partition, LognormalSizesNeverFallBelowTheLeast) {
  const Stream stream(1, "p");
  const auto partition = make<Partition>("quantity", {{"sigma", "2"}, {"min_samples", "5"}});
  const auto sizes = partition->sizes(20000, 1000, stream);
  EXPECT_EQ(*std::min_element(sizes.begin(), sizes.end()), 5);
  EXPECT_GT(*std::max_element(sizes.begin(), sizes.end()), 200);
  EXPECT_EQ(std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0}), 20000);
  EXPECT_THROW(partition->sizes(4999, 1000, stream), std::invalid_argument);
}

TEST(Partition, NaturalKeepsUsersWithEnoughSamplesUpToALimit) {
  const std::vector<std::int32_t> owners = {2, 0, 2, -1, 1, 2, 0, 3, 3, 3};
  const std::vector<std::int32_t> labels(owners.size(), 0);
  const auto partition = make<Partition>("natural", {{"min_samples", "2"}});
  const PartitionResult all = partition->split({labels, owners, 0}, Stream(1, "p"));
  EXPECT_EQ(all.owner_of_client, (std::vector<std::int32_t>{0, 2, 3}));
  EXPECT_EQ(all.shards.rows, (std::vector<std::uint32_t>{1, 6, 0, 2, 5, 7, 8, 9}));
  const PartitionResult two = partition->split({labels, owners, 2}, Stream(1, "p"));
  EXPECT_EQ(two.shards.clients(), 2);
  EXPECT_EQ(two.shards.rows.size(), two.owner_of_client[0] == 0 && two.owner_of_client[1] == 2
                                        ? 5u
                                        : (two.owner_of_client[0] == 0 ? 5u : 6u));
}

TEST(Partition, SizesAloneServeTimingOnlyRuns) {
  const Stream stream(1, "p");
  EXPECT_EQ(make<Partition>("iid")->sizes(10, 3, stream), (std::vector<std::int64_t>{4, 3, 3}));
  EXPECT_EQ(make<Partition>("contiguous")->sizes(10, 3, stream),
            (std::vector<std::int64_t>{3, 3, 4}));
  const auto sizes = make<Partition>("quantity", {{"sigma", "1"}})->sizes(100000, 1000, stream);
  EXPECT_EQ(std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0}), 100000);
  EXPECT_THROW(make<Partition>("shards", {{"shards_per_client", "2"}})->sizes(10, 2, stream),
               std::invalid_argument);
}

std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::invalid_argument& error) {
    return error.what();
  } catch (const ScenarioError& error) {
    return error.what();
  }
  return "nothing was refused";
}

TEST(Partition, ImpossibleRequestsAreRefusedWithTheirReason) {
  const auto labels = even_labels(1000, 10);
  const auto refused = [&](const std::string& scheme, Settings settings, int clients) {
    return refusal([&] { split(scheme, settings, labels, clients); });
  };
  EXPECT_THAT(refused("iid", {}, 1001), HasSubstr("1001 clients, but only 1000 training samples"));
  EXPECT_THAT(refused("iid", {}, 0), HasSubstr("number of clients is not given"));
  EXPECT_THAT(refused("contiguous", {}, 2000), HasSubstr("every client needs one"));
  EXPECT_THAT(refused("shards", {{"shards_per_client", "2"}}, 7),
              HasSubstr("1000 training samples do not divide into 14 equal shards"));
  EXPECT_THAT(refused("shards", {{"shards_per_client", "20"}}, 100), HasSubstr("more shards than"));
  EXPECT_THAT(refused("classes", {{"classes", "11"}}, 10), HasSubstr("but the data has 10"));
  EXPECT_THAT(refused("classes", {{"classes", "3"}}, 900), HasSubstr("take fewer clients"));
  EXPECT_THAT(refused("dirichlet", {{"alpha", "0.001"}, {"min_samples", "9"}}, 100),
              HasSubstr("none of 1000 draws gave every client min_samples (9)"));
  EXPECT_THAT(refused("quantity", {{"alpha", "0.01"}}, 500), HasSubstr("larger alpha"));
  EXPECT_THAT(refused("quantity", {}, 10), HasSubstr("needs one of alpha"));
  EXPECT_THAT(refused("quantity", {{"alpha", "1"}, {"sigma", "1"}}, 10), HasSubstr("needs one of"));
  EXPECT_THAT(refused("dirichlet", {{"alpha", "0"}}, 10), HasSubstr("0 is not above 0"));
  EXPECT_THAT(refused("natural", {}, 10), HasSubstr("does not say who each sample belongs to"));
  EXPECT_THAT(refused("iid", {{"alpha", "1"}}, 10), HasSubstr("belongs to"));
}

}  // namespace
}  // namespace skiff::test
