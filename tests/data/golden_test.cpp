// The public data sets, against figures that were computed independently from the official files.
#include <gmock/gmock.h>

#include <cmath>
#include <numeric>

#include "tests/data/data_test.h"

namespace skiff::test {
namespace {

using ::testing::ElementsAre;

#define SKIFF_NEED(name)                                                                    \
  const std::string path = real_data(name);                                                 \
  if (path.empty()) {                                                                       \
    GTEST_SKIP() << (name) << " is not in the data folder ($SKIFF_DATA or ../shared/data)"; \
  }

std::vector<int> label_counts(const Samples& samples, int classes) {
  std::vector<int> counts(static_cast<std::size_t>(classes));
  for (const std::int32_t label : samples.labels) ++counts.at(static_cast<std::size_t>(label));
  return counts;
}

TEST(GoldenData, MnistHasTheOfficialPixelsAndLabels) {
  SKIFF_NEED("mnist");
  const LoadedData data = load("mnist", {{"path", path}});
  ASSERT_EQ(data.train.rows(), 60000);
  ASSERT_EQ(data.test.rows(), 10000);
  EXPECT_EQ(data.shape, (TaskShape{TaskKind::kClassification, 784, 10, 1, 28, 28}));
  EXPECT_THAT(label_counts(data.train, 10),
              ElementsAre(5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949));
  double sum = 0, squares = 0;
  for (const float x : data.train.features) {
    sum += static_cast<double>(std::lround(x * 255.0f));
    squares += static_cast<double>(x) * static_cast<double>(x);
  }
  EXPECT_EQ(sum, 1567298545.0);
  const double mean = sum / 255 / 47040000.0;
  EXPECT_NEAR(mean, 0.13066048, 1e-8);
  EXPECT_NEAR(std::sqrt(squares / 47040000.0 - mean * mean), 0.30810780, 1e-7);
  EXPECT_EQ(data.train.labels[0], 5);
  EXPECT_EQ(data.test.labels[0], 7);
}

void expect_channel_means(const Samples& samples, std::array<double, 3> means) {
  for (int channel = 0; channel < 3; ++channel) {
    double sum = 0;
    for (int i = 0; i < samples.rows(); ++i) {
      const float* plane = samples.row(i) + channel * 1024;
      sum = std::accumulate(plane, plane + 1024, sum);
    }
    EXPECT_NEAR(sum / (1024.0 * samples.rows()), means[static_cast<std::size_t>(channel)], 1e-6);
  }
}

TEST(GoldenData, Cifar10BatchesHaveTheOfficialOrderAndColours) {
  SKIFF_NEED("cifar10");
  LoadedData data;
  try {
    data = load("cifar-10", {{"path", path}});
  } catch (const DataError& error) {
    if (std::string(error.what()).find("program xz is not installed") == std::string::npos) throw;
    GTEST_SKIP() << error.what();
  }
  ASSERT_EQ(data.train.rows() % 10000, 0);
  ASSERT_EQ(data.test.rows(), 1000);
  data.train.labels.resize(10000);
  EXPECT_THAT(std::vector<int>(data.train.labels.begin(), data.train.labels.begin() + 10),
              ElementsAre(6, 9, 9, 4, 1, 1, 2, 7, 8, 3));
  EXPECT_THAT(label_counts(data.train, 10),
              ElementsAre(1005, 974, 1032, 1016, 999, 937, 1030, 1001, 1025, 981));
  expect_channel_means(data.train, {0.493458, 0.483375, 0.447179});
  const float* first = data.train.row(0);
  EXPECT_EQ(std::lround(first[0] * 255), 59);
  EXPECT_EQ(std::lround(first[1024] * 255), 62);
  EXPECT_EQ(std::lround(first[2048] * 255), 63);
  EXPECT_THAT(label_counts(data.test, 10),
              ElementsAre(103, 89, 100, 103, 90, 86, 112, 102, 106, 109));
  expect_channel_means(data.test, {0.496745, 0.486664, 0.451029});
}

struct LibsvmFacts {
  const char* file;
  int rows, width, negative;
  std::int64_t nonzero;
  double greatest_square;  // of a row's norm
};

class GoldenLibsvm : public ::testing::TestWithParam<LibsvmFacts> {};

TEST_P(GoldenLibsvm, HasTheKnownSizes) {
  const LibsvmFacts& facts = GetParam();
  SKIFF_NEED(std::string("libsvm/") + facts.file);
  const LoadedData data = load("libsvm", {{"path", path}});
  EXPECT_EQ(data.train.rows(), facts.rows);
  EXPECT_EQ(data.shape.width, facts.width);
  EXPECT_EQ(data.shape.kind, TaskKind::kBinaryLogistic);
  EXPECT_FALSE(data.has_test);
  const auto& labels = data.train.labels;
  EXPECT_EQ(std::count(labels.begin(), labels.end(), -1), facts.negative);
  EXPECT_EQ(std::count(labels.begin(), labels.end(), 1), facts.rows - facts.negative);
  std::int64_t nonzero = 0;
  double greatest = 0;
  for (int i = 0; i < data.train.rows(); ++i) {
    double square = 0;
    for (int j = 0; j < data.train.width; ++j) {
      const double x = static_cast<double>(data.train.row(i)[j]);
      nonzero += x != 0;
      square += x * x;
    }
    greatest = std::max(greatest, square);
  }
  EXPECT_EQ(nonzero, facts.nonzero);
  EXPECT_NEAR(greatest, facts.greatest_square, 1e-6);
}

INSTANTIATE_TEST_SUITE_P(
    Files, GoldenLibsvm,
    ::testing::Values(LibsvmFacts{"a9a.txt", 32561, 123, 24720, 451592, 14},
                      LibsvmFacts{"mushrooms.txt", 8124, 112, 3916, 170604, 21},
                      LibsvmFacts{"phishing.txt", 11055, 68, 4898, 331650, 0.999954}),
    [](const auto& instance) {
      const std::string name = instance.param.file;
      return name.substr(0, name.find('.'));
    });

TEST(GoldenData, LeafSyntheticFilesHaveTheirUsersAndSamples) {
  const std::vector<std::pair<std::string, int>> files = {
      {"0_0", 897}, {"1_1", 1084}, {"iid", 805}};
  for (const auto& [name, rows] : files) {
    SKIFF_NEED("leaf_json/fedprox_synthetic_" + name + "_mytest.json");
    const LoadedData data = load("leaf", {{"path", path}});
    EXPECT_EQ(data.train.rows(), rows);
    EXPECT_EQ(data.train.width, 60);
    EXPECT_EQ(data.shape.classes, 10);
    EXPECT_EQ(data.owners.size(), 30u);
  }
  const LoadedData data =
      load("leaf", {{"path", real_data("leaf_json/fedprox_synthetic_0_0_mytest.json")}});
  const auto user = std::find(data.owners.begin(), data.owners.end(), "f_00005");
  ASSERT_NE(user, data.owners.end());
  const auto owner = static_cast<std::int32_t>(user - data.owners.begin());
  EXPECT_EQ(std::count(data.train_owner.begin(), data.train_owner.end(), owner), 163);
  EXPECT_EQ(data.owners.front(), "f_00013");  // user_data's own order
  EXPECT_NEAR(data.train.row(0)[0], -1.478235352656469, 1e-6);
  EXPECT_EQ(data.train.labels[0], 9);
}

TEST(GoldenData, TffEmnistLayoutIsRead) {
  SKIFF_NEED("tff_h5/fed_emnist_layout_fixture.h5");
  const LoadedData data = load("tff", {{"path", path}});
  EXPECT_EQ(data.train.rows(), 200);
  EXPECT_EQ(data.shape, (TaskShape{TaskKind::kClassification, 784, 10, 1, 28, 28}));
  ASSERT_EQ(data.owners.size(), 10u);
  EXPECT_EQ(data.owners[0], "f0000_00");
  EXPECT_EQ(data.owners[1], "f0001_07");
  for (std::int32_t owner = 0; owner < 10; ++owner) {
    EXPECT_EQ(std::count(data.train_owner.begin(), data.train_owner.end(), owner), 20);
  }
  EXPECT_EQ(data.train.row(0)[0], 1.0f);  // 1.0 = background
}

}  // namespace
}  // namespace skiff::test
