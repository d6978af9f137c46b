// The generators: the same bits for ever, the laws that they claim, and a difficulty that leaves
// room between a linear model and a small network.
#include <gmock/gmock.h>

#include <cmath>
#include <numeric>
#include <set>

#include "algorithms/kernels/reduce.h"
#include "sim/core/distributions.h"
#include "sim/core/parallel.h"
#include "tests/data/data_test.h"

namespace skiff::test {
namespace {

DataOptions clients(int count, double test_fraction = 0.1, int server_samples = 0) {
  return {count, test_fraction, server_samples};
}

TEST(Generators, HaveTheSameBitsForEver) {
  const auto hash = [](const LoadedData& data) {
    return mix64(hash_of(data.train.features) ^ mix64(hash_of(data.train.labels))) ^
           hash_of(data.test.features);
  };
  EXPECT_EQ(hash(load("glyphs", {}, clients(20), 7)), 16526635542045878469u);
  EXPECT_EQ(hash(load("gaussian-mixture", {{"shift", "1"}}, clients(20), 7)), 2805941269918984930u);
  EXPECT_EQ(hash(load("synthetic", {{"alpha", "1"}, {"beta", "1"}}, clients(5), 7)),
            13543053059337139352u);
  EXPECT_EQ(hash(load("leaf-synthetic", {}, clients(10), 7)), 16162973066740658251u);
}

TEST(Generators, DoNotDependOnThreads) {
  const int before = threads();
  set_threads(1);
  const LoadedData one = load("glyphs", {}, clients(9), 3);
  set_threads(4);
  const LoadedData four = load("glyphs", {}, clients(9), 3);
  set_threads(before);
  EXPECT_EQ(one.train.features, four.train.features);
  EXPECT_EQ(one.train.labels, four.train.labels);
}

TEST(Generators, AClientDoesNotDependOnHowManyThereAre) {
  const Settings ab = {{"alpha", "0.5"}, {"beta", "0.5"}};
  for (const auto& [source, settings] : std::vector<std::pair<std::string, Settings>>{
           {"glyphs", {}}, {"gaussian-mixture", {}}, {"synthetic", ab}, {"leaf-synthetic", {}}}) {
    const LoadedData few = load(source, settings, clients(3), 5);
    const LoadedData many = load(source, settings, clients(6), 5);
    ASSERT_LT(few.train.features.size(), many.train.features.size());
    EXPECT_TRUE(std::equal(few.train.features.begin(), few.train.features.end(),
                           many.train.features.begin()))
        << source;
  }
}

TEST(Generators, MakeTheSizesThatWereAskedFor) {
  for (const char* source : {"glyphs", "gaussian-mixture"}) {
    const LoadedData data = load(source, {{"samples_per_client", "30"}}, clients(10, 0.25, 17));
    EXPECT_EQ(data.train.rows(), 300);
    EXPECT_EQ(data.test.rows(), 75);
    EXPECT_EQ(data.server.rows(), 17);
    EXPECT_EQ(data.owners.size(), 10u);
    EXPECT_EQ(data.train_owner[29], 0);
    EXPECT_EQ(data.train_owner[30], 1);
    EXPECT_THROW(load(source, {}, clients(0)), std::invalid_argument);
    EXPECT_THROW(load(source, {{"samples_per_client", "1000000"}}, clients(1000000)),
                 std::invalid_argument);
  }
}

TEST(Glyphs, PixelsAreLevelsAndDigitsAreUniform) {
  const LoadedData data = load("glyphs", {}, clients(50));
  EXPECT_EQ(data.shape, (TaskShape{TaskKind::kClassification, 784, 10, 1, 28, 28}));
  for (const float x : data.train.features) {
    ASSERT_GE(x, 0.0f);
    ASSERT_LE(x, 1.0f);
    ASSERT_NEAR(x * 255.0f, std::round(x * 255.0f), 1e-4f);
  }
  std::vector<int> counts(10, 0);
  for (const auto label : data.train.labels) ++counts[static_cast<std::size_t>(label)];
  for (const int count : counts) EXPECT_NEAR(count, 500, 90);
}

TEST(Glyphs, WritersDifferMoreThanTheirOwnImages) {
  // Analysis of variance of the mean level of an image: 40 writers of 100 images each.
  const LoadedData data = load("glyphs", {}, clients(40));
  std::vector<double> mean(40, 0);
  double all = 0, between = 0, within = 0;
  std::vector<double> level(4000);
  for (int i = 0; i < 4000; ++i) {
    level[static_cast<std::size_t>(i)] = kernels::sum_double({data.train.row(i), 784}) / 784;
    mean[static_cast<std::size_t>(i / 100)] += level[static_cast<std::size_t>(i)] / 100;
  }
  all = std::accumulate(mean.begin(), mean.end(), 0.0) / 40;
  for (std::size_t i = 0; i < 4000; ++i) within += std::pow(level[i] - mean[i / 100], 2);
  for (const double m : mean) between += 100 * (m - all) * (m - all);
  EXPECT_GT((between / 39) / (within / 3960), 50);  // F of equal styles would be 1
}

// One hidden layer of ReLUs (or none: logistic regression), plain SGD on single samples.
class TinyNet {
 public:
  TinyNet(int inputs, int hidden, int classes, std::uint64_t seed)
      : inputs_(inputs), hidden_(hidden), classes_(classes) {
    Stream stream(seed, "test.net");
    const int features = hidden > 0 ? hidden : inputs;
    first_ = random(stream, hidden, inputs);
    last_ = random(stream, classes, features);
  }

  void train(const Samples& samples, int epochs, float rate) {
    Stream stream(1, "test.order");
    std::vector<int> order(samples.labels.size());
    std::iota(order.begin(), order.end(), 0);
    for (int epoch = 0; epoch < epochs; ++epoch) {
      shuffle(stream, std::span(order));
      for (const int i : order)
        step(samples.row(i), samples.labels[static_cast<std::size_t>(i)], rate);
      rate *= 0.7f;
    }
  }

  double accuracy(const Samples& samples) {
    int right = 0;
    for (int i = 0; i < samples.rows(); ++i) {
      forward(samples.row(i));
      const auto best = std::max_element(logits_.begin(), logits_.end()) - logits_.begin();
      right += best == samples.labels[static_cast<std::size_t>(i)];
    }
    return static_cast<double>(right) / samples.rows();
  }

 private:
  using Rows = std::vector<std::vector<float>>;
  static Rows random(Stream& stream, int rows, int cols) {
    Rows w(static_cast<std::size_t>(rows), std::vector<float>(static_cast<std::size_t>(cols)));
    const double bound = 1 / std::sqrt(static_cast<double>(cols));
    for (auto& row : w) {
      for (float& x : row) x = static_cast<float>((2 * stream.uniform() - 1) * bound);
    }
    return w;
  }
  std::span<const float> features(const float* x) const {
    return hidden_ > 0 ? std::span<const float>(activation_)
                       : std::span<const float>(x, static_cast<std::size_t>(inputs_));
  }
  void forward(const float* x) {
    activation_.clear();
    for (const auto& row : first_) {
      activation_.push_back(
          std::max(0.0f, kernels::dot16(row, {x, static_cast<std::size_t>(inputs_)})));
    }
    logits_.clear();
    for (const auto& row : last_) logits_.push_back(kernels::dot16(row, features(x)));
  }
  void step(const float* x, int label, float rate) {
    forward(x);
    const float top = *std::max_element(logits_.begin(), logits_.end());
    float sum = 0;
    for (float& z : logits_) sum += z = std::exp(z - top);
    std::vector<float> back(activation_.size(), 0.0f);
    for (int c = 0; c < classes_; ++c) {
      const auto at = static_cast<std::size_t>(c);
      const float error = logits_[at] / sum - (c == label ? 1.0f : 0.0f);
      kernels::axpy(std::span<float>(back), error,
                    std::span<const float>(last_[at]).first(back.size()));
      kernels::axpy(std::span<float>(last_[at]), -rate * error, features(x));
    }
    for (std::size_t h = 0; h < activation_.size(); ++h) {
      if (activation_[h] <= 0) continue;
      kernels::axpy(std::span<float>(first_[h]), -rate * back[h],
                    std::span<const float>(x, static_cast<std::size_t>(inputs_)));
    }
  }

  int inputs_, hidden_, classes_;
  Rows first_, last_;
  std::vector<float> activation_, logits_;
};

TEST(Glyphs, ALinearModelStaysClearlyBelowANetwork) {
  const LoadedData data = load("glyphs", {}, clients(60, 1.0 / 6), 7);
  TinyNet linear(784, 0, 10, 1), network(784, 64, 10, 1);
  linear.train(data.train, 4, 0.01f);
  network.train(data.train, 4, 0.02f);
  const double below = linear.accuracy(data.test), above = network.accuracy(data.test);
  EXPECT_GT(below, 0.70);
  EXPECT_LT(below, 0.87);
  EXPECT_GT(above, below + 0.05);
  EXPECT_LT(above, 0.97);  // not saturated with 6,000 images
}

TEST(GaussianMixture, NearestCentreErrsAsSeparationSays) {
  // Two classes, centres s apart: the Bayes error is Phi(-|mu_1 - mu_0| / 2).
  const LoadedData data = load(
      "gaussian-mixture",
      {{"classes", "2"}, {"features", "400"}, {"separation", "2"}, {"samples_per_client", "2000"}},
      clients(20, 0));
  std::vector<std::vector<double>> mean(2, std::vector<double>(400, 0));
  std::vector<int> count(2, 0);
  for (int i = 0; i < data.train.rows(); ++i) {
    const auto c = static_cast<std::size_t>(data.train.labels[static_cast<std::size_t>(i)]);
    ++count[c];
    for (std::size_t j = 0; j < 400; ++j) mean[c][j] += static_cast<double>(data.train.row(i)[j]);
  }
  double distance = 0;
  for (std::size_t j = 0; j < 400; ++j) {
    mean[0][j] /= count[0], mean[1][j] /= count[1];
    distance += std::pow(mean[1][j] - mean[0][j], 2);
  }
  distance = std::sqrt(distance);
  EXPECT_NEAR(distance, 2, 0.25);  // chi of 400 degrees
  int wrong = 0;
  for (int i = 0; i < data.train.rows(); ++i) {
    double side = 0;
    for (std::size_t j = 0; j < 400; ++j) {
      side += (mean[1][j] - mean[0][j]) *
              (static_cast<double>(data.train.row(i)[j]) - (mean[0][j] + mean[1][j]) / 2);
    }
    wrong += (side > 0) != (data.train.labels[static_cast<std::size_t>(i)] == 1);
  }
  EXPECT_NEAR(wrong / 40000.0, 0.5 * std::erfc(distance / 2 / std::sqrt(2.0)), 0.01);
}

TEST(GaussianMixture, ShiftMovesEachClientOnItsOwn) {
  const Settings settings = {
      {"separation", "0"}, {"shift", "5"}, {"features", "50"}, {"samples_per_client", "500"}};
  const LoadedData data = load("gaussian-mixture", settings, clients(40, 0));
  double square = 0;
  for (int k = 0; k < 40; ++k) {
    for (int j = 0; j < 50; ++j) {
      double mean = 0;
      for (int i = 0; i < 500; ++i)
        mean += static_cast<double>(data.train.row(500 * k + i)[j]) / 500;
      square += mean * mean / 40;
    }
  }
  EXPECT_NEAR(std::sqrt(square), 5, 0.3);
}

std::vector<std::int64_t> owner_sizes(const LoadedData& data) {
  std::vector<std::int64_t> sizes(data.owners.size(), 0);
  for (const auto owner : data.train_owner) ++sizes[static_cast<std::size_t>(owner)];
  return sizes;
}

TEST(Synthetic, SizesFollowTheLognormalLaw) {
  const LoadedData data = load("synthetic", {{"alpha", "0"}, {"beta", "0"}}, clients(300));
  auto sizes = owner_sizes(data);
  std::sort(sizes.begin(), sizes.end());
  EXPECT_GE(sizes.front(), 50);
  EXPECT_NEAR(static_cast<double>(sizes[150]), 50 + std::exp(4.0), 15);  // the median
  EXPECT_NEAR(std::log(static_cast<double>(sizes[252] - 50)), 6, 0.35);  // one deviation above
}

TEST(Synthetic, FeaturesHaveTheLawsMoments) {
  const LoadedData data = load(
      "synthetic", {{"alpha", "1"}, {"beta", "1"}, {"samples_per_client", "400"}}, clients(60));
  // Within a client: deviation j^-0.6. Between clients: v ~ N(B, 1), B ~ N(0, 1): variance 2.
  for (const int j : {0, 9, 59}) {
    double within = 0, between = 0;
    for (int k = 0; k < 60; ++k) {
      double sum = 0, square = 0;
      for (int i = 0; i < 400; ++i) {
        const double x = static_cast<double>(data.train.row(400 * k + i)[j]);
        sum += x, square += x * x;
      }
      within += (square - sum * sum / 400) / 399 / 60;
      between += sum * sum / 160000 / 60;
    }
    EXPECT_NEAR(std::sqrt(within), std::pow(j + 1, -0.6), 0.02 * std::pow(j + 1, -0.6));
    EXPECT_NEAR(between, 2, 1.2);
  }
}

TEST(Synthetic, IidClientsShareOneModelAndAlphaSkewsLabels) {
  // Share of a client's most frequent class, averaged: grows from iid to (0, 0) to (1, 1).
  const auto main_share = [](Settings settings) {
    const LoadedData data = load("synthetic", settings, clients(100), 2);
    double share = 0;
    for (int k = 0; k < 100; ++k) {
      std::vector<int> counts(10, 0);
      for (int i = 0; i < 200; ++i) {
        ++counts[static_cast<std::size_t>(
            data.train.labels[static_cast<std::size_t>(200 * k + i)])];
      }
      share += *std::max_element(counts.begin(), counts.end()) / 200.0 / 100;
    }
    return share;
  };
  const double iid =
      main_share({{"alpha", "0"}, {"beta", "0"}, {"iid", "true"}, {"samples_per_client", "200"}});
  const double zero = main_share({{"alpha", "0"}, {"beta", "0"}, {"samples_per_client", "200"}});
  EXPECT_LT(iid, 0.5);
  EXPECT_GT(zero, iid + 0.2);
}

TEST(LeafSynthetic, HasTheLawsSizesAndMoments) {
  const LoadedData data = load(
      "leaf-synthetic", {{"features", "20"}, {"classes", "5"}, {"clusters", "3"}}, clients(400));
  auto sizes = owner_sizes(data);
  std::sort(sizes.begin(), sizes.end());
  EXPECT_GE(sizes.front(), 5);
  EXPECT_LE(sizes.back(), 1000);
  EXPECT_NEAR(static_cast<double>(sizes[200]), 5 + std::exp(3.0), 6);
  EXPECT_EQ(data.shape.width, 20);
  const std::set<std::int32_t> labels(data.train.labels.begin(), data.train.labels.end());
  EXPECT_GE(labels.size(), 3u);
  EXPECT_LE(*labels.rbegin(), 4);
}

}  // namespace
}  // namespace skiff::test
