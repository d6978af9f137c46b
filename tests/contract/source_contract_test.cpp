// Every source of data that needs no file, with its least parameters.

#include <cmath>

#include "algorithms/data/source.h"
#include "tests/contract/contract_test.h"

namespace skiff::testing {
namespace {

constexpr DataOptions kOptions{.clients = 6, .test_fraction = 0.2, .server_samples = 10};

class SourceContract : public ::testing::Test {
 protected:
  template <class Test>
  static void for_generators(Test test) {
    for (const auto& [name, entry] : Registry<DataSource>::instance().entries()) {
      const auto reads_a_file = [](const FieldInfo& f) { return f.required && f.type == "file"; };
      const bool reads = std::any_of(entry.fields.begin(), entry.fields.end(), reads_a_file);
      if (entry.about.planned || reads) continue;
      SCOPED_TRACE(name);
      const auto source = Registry<DataSource>::instance().make(least_map<DataSource>(entry));
      if (!source->timing_only()) test(*source);
    }
  }
};

bool is_label(const TaskShape& shape, std::int32_t label) {
  if (shape.kind == TaskKind::kBinaryLogistic) return label == -1 || label == 1;
  if (shape.kind != TaskKind::kClassification) return label >= 0;  // a topic, for partitions
  return label >= 0 && label < shape.classes;
}

void expect_samples(const Samples& samples, const TaskShape& shape) {
  const std::size_t rows = samples.labels.size();
  EXPECT_EQ(samples.width, shape.width);
  EXPECT_EQ(samples.features.size(), rows * static_cast<std::size_t>(shape.width));
  for (const float x : samples.features) ASSERT_TRUE(std::isfinite(x));
  for (const std::int32_t label : samples.labels) ASSERT_TRUE(is_label(shape, label)) << label;
  EXPECT_EQ(samples.length, shape.is_text() ? shape.text_length() : 0);
  EXPECT_EQ(samples.tokens.size(), rows * static_cast<std::size_t>(samples.length));
  for (const std::int32_t id : samples.tokens) {
    ASSERT_TRUE(id == kNoToken || (id >= 0 && id < shape.vocabulary)) << id;
  }
}

TEST_F(SourceContract, SamplesFitTheirShape) {
  for_generators([](const DataSource& source) {
    const LoadedData data = source.load(kOptions, 3);
    const TaskShape& shape = data.shape;
    EXPECT_GT(data.train.rows(), 0);
    EXPECT_TRUE(shape.is_text() || shape.classes >= 2);
    if (shape.is_image()) {
      EXPECT_EQ(shape.width, shape.channels * shape.height * shape.image_width);
    }
    for (const Samples* s : {&data.train, &data.test, &data.server}) {
      if (s->rows() > 0) expect_samples(*s, shape);
    }
  });
}

TEST_F(SourceContract, OwnersAreClientsThatExist) {
  for_generators([](const DataSource& source) {
    const LoadedData data = source.load(kOptions, 3);
    if (data.train_owner.empty()) return;
    EXPECT_EQ(data.train_owner.size(), data.train.labels.size());
    for (const std::int32_t owner : data.train_owner) {
      ASSERT_GE(owner, -1);
      ASSERT_LT(owner, static_cast<std::int32_t>(data.owners.size()));
    }
  });
}

TEST_F(SourceContract, TheSeedDecidesEverySample) {
  for_generators([](const DataSource& source) {
    const LoadedData a = source.load(kOptions, 3), b = source.load(kOptions, 3);
    EXPECT_EQ(a.train.features, b.train.features);
    EXPECT_EQ(a.train.labels, b.train.labels);
    EXPECT_EQ(a.train.tokens, b.train.tokens);
    const LoadedData other = source.load(kOptions, 4);
    EXPECT_TRUE(a.train.features != other.train.features || a.train.tokens != other.train.tokens);
  });
}

}  // namespace
}  // namespace skiff::testing
