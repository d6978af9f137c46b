// Every partition, with every good value of each of its parameters.

#include <cstdint>
#include <numeric>
#include <optional>
#include <set>
#include <stdexcept>

#include "algorithms/data/partition.h"
#include "tests/contract/contract_test.h"

namespace skiff::testing {
namespace {

constexpr int kRows = 1200, kClients = 12;

struct Rows {
  std::vector<std::int32_t> labels = std::vector<std::int32_t>(kRows);
  std::vector<std::int32_t> owners = std::vector<std::int32_t>(kRows);
  Rows() {
    Stream s(1, "partition contract");
    for (std::int32_t& l : labels) l = static_cast<std::int32_t>(s.below(10));
    for (std::int32_t& o : owners) o = static_cast<std::int32_t>(s.below(kClients));
  }
  PartitionTask task(int clients = kClients) const { return {labels, owners, clients}; }
};

Stream stream() { return {9, "partition contract"}; }

// Empty where the scheme says that this cannot be done.
std::optional<PartitionResult> split(const Partition& partition, const PartitionTask& task) {
  try {
    return partition.split(task, stream());
  } catch (const std::invalid_argument& refusal) {
    EXPECT_NE(std::string(refusal.what()), "");
    return std::nullopt;
  }
}

class PartitionContract : public ::testing::Test {
 protected:
  template <class Test>
  static void for_partitions(Test test) {
    for (const Variant<Partition>& v : all_variants<Partition>()) {
      SCOPED_TRACE(v.text);
      test(v);
    }
  }
  Rows rows_;
};

TEST_F(PartitionContract, NoRowIsHeldTwiceAndEveryClientHoldsRows) {
  for_partitions([this](const Variant<Partition>& v) {
    const auto result = split(*v.object, rows_.task());
    if (!result) return;
    const ShardList& shards = result->shards;
    EXPECT_EQ(shards.clients(), kClients);
    std::set<std::uint32_t> held(shards.rows.begin(), shards.rows.end());
    EXPECT_EQ(held.size(), shards.rows.size());
    EXPECT_LT(*held.rbegin(), static_cast<std::uint32_t>(kRows));
    EXPECT_EQ(shards.begin.front(), 0);
    EXPECT_EQ(shards.begin.back(), static_cast<std::int64_t>(shards.rows.size()));
    for (int k = 0; k < kClients; ++k) EXPECT_GT(shards.size(k), 0) << k;
  });
}

TEST_F(PartitionContract, TheLeastParametersGiveEveryRowToSomebody) {
  for (const auto& [name, entry] : Registry<Partition>::instance().entries()) {
    if (entry.about.planned) continue;
    SCOPED_TRACE(name);
    const auto partition = Registry<Partition>::instance().make(least_map<Partition>(entry));
    EXPECT_EQ(partition->split(rows_.task(), stream()).shards.rows.size(), std::size_t{kRows});
  }
}

TEST_F(PartitionContract, TheSameStreamGivesTheSameShards) {
  for_partitions([this](const Variant<Partition>& v) {
    const auto a = split(*v.object, rows_.task()), b = split(*v.object, rows_.task());
    ASSERT_EQ(a.has_value(), b.has_value());
    if (!a) return;
    EXPECT_EQ(a->shards.rows, b->shards.rows);
    EXPECT_EQ(a->shards.begin, b->shards.begin);
  });
}

TEST_F(PartitionContract, SizesAloneEqualThoseOfTheSplit) {
  for_partitions([this](const Variant<Partition>& v) {
    std::vector<std::int64_t> sizes;
    try {
      sizes = v.object->sizes(kRows, kClients, stream());
    } catch (const std::invalid_argument&) {
      return;  // looks at labels or owners
    }
    const auto result = split(*v.object, rows_.task());
    ASSERT_TRUE(result.has_value());
    for (int k = 0; k < kClients; ++k) {
      EXPECT_EQ(sizes[static_cast<std::size_t>(k)], result->shards.size(k)) << k;
    }
  });
}

TEST_F(PartitionContract, MoreClientsThanRowsAreRefusedOrLimited) {
  for_partitions([this](const Variant<Partition>& v) {
    const auto result = split(*v.object, rows_.task(kRows + 1));
    if (result) {
      EXPECT_LE(result->shards.clients(), kRows);
    }
  });
}

}  // namespace
}  // namespace skiff::testing
