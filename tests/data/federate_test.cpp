// From loaded samples to a federation: what is held out, what each client keeps.
#include <gmock/gmock.h>

#include <numeric>
#include <set>

#include "tests/data/data_test.h"

namespace skiff::test {
namespace {

using ::testing::HasSubstr;

// n rows whose only feature is their number; label = number mod 3.
LoadedData numbered(int n, bool owners) {
  LoadedData data;
  data.shape = classification_shape(1, 3);
  data.train = Samples(static_cast<std::size_t>(n), 1);
  for (int i = 0; i < n; ++i) {
    data.train.row(i)[0] = static_cast<float>(i);
    data.train.labels[static_cast<std::size_t>(i)] = i % 3;
    if (owners) data.train_owner.push_back(i % 4);
  }
  if (owners) data.owners = {"a", "b", "c", "d"};
  return data;
}

TEST(Federate, HoldsOutTestAndServerRowsOnceEach) {
  const auto partition = make<Partition>("contiguous");
  const DatasetPtr data = federate(numbered(1000, false), *partition, {10, 0.2, 50}, 1);
  EXPECT_EQ(data->test.rows(), 200);
  EXPECT_EQ(data->server.rows(), 50);
  EXPECT_EQ(data->train.rows(), 750);
  EXPECT_EQ(data->clients(), 10);
  std::set<float> all;
  for (const Samples* part : {&data->train, &data->test, &data->server}) {
    EXPECT_TRUE(std::is_sorted(part->features.begin(), part->features.end()));
    for (int i = 0; i < part->rows(); ++i) {
      all.insert(part->row(i)[0]);
      EXPECT_EQ(part->labels[static_cast<std::size_t>(i)], static_cast<int>(part->row(i)[0]) % 3);
    }
  }
  EXPECT_EQ(all.size(), 1000u);
}

TEST(Federate, WithoutHoldingOutKeepsEverything) {
  const auto partition = make<Partition>("contiguous");
  const DatasetPtr data = federate(numbered(100, false), *partition, {3, 0, 0}, 1);
  EXPECT_EQ(data->train.rows(), 100);
  EXPECT_EQ(data->test.rows(), 0);
  EXPECT_EQ(data->samples_of(0), 33);
  EXPECT_EQ(data->samples_of(2), 34);
  EXPECT_EQ(data->rows_of(1).front(), 33u);
}

TEST(Federate, KeepsTheSourcesOwnTestSet) {
  LoadedData loaded = numbered(100, false);
  loaded.test = numbered(7, false).train;
  loaded.has_test = true;
  const DatasetPtr data = federate(std::move(loaded), *make<Partition>("iid"), {4, 0.5, 0}, 1);
  EXPECT_EQ(data->train.rows(), 100);
  EXPECT_EQ(data->test.rows(), 7);
}

TEST(Federate, NaturalClientsKeepNamesAndOwnTestRows) {
  const auto partition = make<Partition>("natural");
  const DatasetPtr data = federate(numbered(400, true), *partition, {0, 0.1, 0}, 1);
  ASSERT_EQ(data->clients(), 4);
  EXPECT_EQ(data->names, (std::vector<std::string>{"a", "b", "c", "d"}));
  for (int k = 0; k < 4; ++k) {
    EXPECT_EQ(data->samples_of(k), 90);
    EXPECT_EQ(data->test_rows_of(k).size(), 10u);
    for (const auto row : data->rows_of(k)) {
      EXPECT_EQ(static_cast<int>(data->train.row(static_cast<int>(row))[0]) % 4, k);
    }
    for (const auto row : data->test_rows_of(k)) {
      EXPECT_EQ(static_cast<int>(data->test.row(static_cast<int>(row))[0]) % 4, k);
    }
  }
  const DatasetPtr two = federate(numbered(400, true), *partition, {2, 0.1, 0}, 1);
  EXPECT_EQ(two->clients(), 2);
  EXPECT_EQ(two->names.size(), 2u);
  EXPECT_EQ(two->own_tests.clients(), 2);
}

TEST(Federate, OtherPartitionsOfNaturalDataHaveNoOwnTests) {
  const DatasetPtr data = federate(numbered(400, true), *make<Partition>("iid"), {5, 0.1, 0}, 1);
  EXPECT_TRUE(data->names.empty());
  EXPECT_TRUE(data->test_rows_of(0).empty());
  EXPECT_EQ(data->test.rows(), 40);
}

TEST(Federate, TimingOnlyHasSizesForAMillionClients) {
  const auto source = make<DataSource>("none", {{"samples_per_client", "80"}, {"features", "60"}});
  EXPECT_TRUE(source->timing_only());
  const DatasetPtr data = load_dataset(
      "none", *source, *make<Partition>("quantity", {{"sigma", "1"}}), {1000000, 0.1, 0}, 1);
  EXPECT_TRUE(data->timing_only);
  EXPECT_EQ(data->source, "none");
  EXPECT_EQ(data->clients(), 1000000);
  EXPECT_EQ(data->shards.begin.back(), 80000000);
  EXPECT_EQ(data->shape.width, 60);
  EXPECT_TRUE(data->rows_of(17).empty());
}

TEST(Federate, SyntheticSplitsEachUserNinetyToTen) {
  const auto source = make<DataSource>("synthetic", {{"alpha", "1"}, {"beta", "1"}});
  const DatasetPtr data =
      load_dataset("synthetic", *source, *make<Partition>("natural"), {30, 0.1, 0}, 4);
  ASSERT_EQ(data->clients(), 30);
  for (int k = 0; k < 30; ++k) {
    const std::int64_t n =
        data->samples_of(k) + static_cast<std::int64_t>(data->test_rows_of(k).size());
    EXPECT_EQ(data->samples_of(k), 9 * n / 10);
  }
}

TEST(Federate, RefusesWhatLeavesNothing) {
  const auto partition = make<Partition>("iid");
  const auto refusal = [&](LoadedData data, DataOptions options) -> std::string {
    try {
      federate(std::move(data), *partition, options, 1);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "nothing was refused";
  };
  EXPECT_THAT(refusal(numbered(100, false), {10, 0, 100}), HasSubstr("none would be left"));
  EXPECT_THAT(refusal(numbered(10, false), {10, 0.2, 0}), HasSubstr("10 clients, but only 8"));
}

TEST(Federate, RowsBeginOnCacheLines) {
  const DatasetPtr data =
      load_dataset("glyphs", *make<DataSource>("glyphs"), *make<Partition>("iid"), {2, 0.1, 0}, 1);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(data->train.row(0)) % 64, 0u);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(data->train.row(7)) % 32, 0u);
}

}  // namespace
}  // namespace skiff::test
