// What every pruner promises, whatever its mathematics.
#include <gtest/gtest.h>

#include <cmath>

#include "algorithms/masked_values.h"
#include "sim/core/parallel.h"
#include "tests/pruning/pruners_fixture.h"

namespace skiff::testing {
namespace {

// Every pruner with every structure that it knows, at 50%.
std::vector<std::shared_ptr<const Compressor>> all_pruners() {
  std::vector<std::shared_ptr<const Compressor>> all;
  for (const auto& [name, entry] : Registry<Compressor>::instance().entries()) {
    if (entry.about.family != "pruning" || entry.about.planned) continue;
    for (const FieldInfo& field : entry.fields) {
      if (field.name != "structure") continue;
      for (const std::string& structure : field.rules.words) {
        SCOPED_TRACE(name + " " + structure);
        // Of the tiny models; one round is enough here.
        Keys more;
        if (structure.find("head") != std::string::npos) more.emplace_back("head_width", "12");
        if (name == "bonsai") more.insert(more.end(), {{"step", "0.25"}, {"sub_models", "12"}});
        all.push_back(pruner(name, "0.5", structure, more));
      }
    }
  }
  return all;
}

// Whether it works on the model at all: an mlp has no heads.
bool works(const Compressor& pruner, const SmallModel& small) {
  try {
    pruner.shape(dense_shape(small.architecture->layout()));
    return true;
  } catch (const std::invalid_argument& reason) {
    EXPECT_GT(std::string(reason.what()).size(), 20U);
    return false;
  }
}

TEST(PrunersTest, TheShapeIsDeclaredToTheByte) {
  for (const char* family : {"mlp", "llama"}) {
    const SmallModel small(family);
    int tried = 0;
    for (const auto& pruner : all_pruners()) {
      if (!works(*pruner, small)) continue;
      Model model = small.model();
      const Shape declared = pruner->shape(shape_of(model));
      State memory;
      pruner->compress(model, small.calibration.get(), memory, Stream(1, "prepare"));
      const Shape after = shape_of(model);
      EXPECT_EQ(declared.stored, after.stored);
      EXPECT_LT(after.stored, shape_of(small.model()).stored);
      ASSERT_EQ(declared.tensors.size(), after.tensors.size());
      for (std::size_t t = 0; t < after.tensors.size(); ++t) {
        EXPECT_EQ(declared.tensors[t].stored, after.tensors[t].stored);
        EXPECT_EQ(declared.tensors[t].kept, after.tensors[t].kept);
        EXPECT_EQ(declared.layout->slices[t].rows, model.layout->slices[t].rows);
        EXPECT_EQ(declared.layout->slices[t].cols, model.layout->slices[t].cols);
      }
      EXPECT_EQ(pruner->changes_shapes(), model.layout->size != small.weights.values.size());
      EXPECT_GT(pruner->cost(shape_of(small.model())).fp32.value(), 0);
      ++tried;
    }
    EXPECT_GE(tried, 20) << family;
  }
}

TEST(PrunersTest, TheSameBitsOnAnyNumberOfThreads) {
  const SmallModel small("llama");
  for (const auto& pruner : all_pruners()) {
    if (!works(*pruner, small)) continue;
    std::vector<float> first;
    for (const int count : {1, 2, 8}) {
      set_threads(count);
      Model model = small.model();
      State memory;
      pruner->compress(model, small.calibration.get(), memory, Stream(1, "prepare"));
      const std::vector<float> values = decoded(model).values;
      if (count == 1) first = values;
      EXPECT_EQ(values, first);
    }
    set_threads(0);
  }
}

TEST(PrunersTest, TheFirstMaskHoldsForLaterCalls) {
  const SmallModel small("llama");
  for (const auto& pruner : all_pruners()) {
    if (!works(*pruner, small)) continue;
    Model first = small.model();
    State memory;
    pruner->compress(first, small.calibration.get(), memory, Stream(1, "prepare"));
    // The weights have moved since: another choice would be made.
    Vector moved = small.weights;
    Stream draws(11, "moved");
    for (float& w : moved.values) w += 0.2F * (draws.uniform_float() - 0.5F);
    Model second = dense_model(moved);
    pruner->compress(second, small.calibration.get(), memory, Stream(2, "prepare"));
    EXPECT_EQ(first.kept_rows, second.kept_rows);
    EXPECT_EQ(first.kept_cols, second.kept_cols);
    for (std::size_t t = 0; t < first.tensors.size(); ++t) {
      const MaskedValues* a = masked_values(first.tensors[t]);
      const MaskedValues* b = masked_values(second.tensors[t]);
      ASSERT_EQ(a == nullptr, b == nullptr);
      if (a != nullptr) {
        EXPECT_EQ(a->bitmap(), b->bitmap());
      }
    }
  }
}

TEST(PrunersTest, WhatIsNoTargetStaysAsItIs) {
  const SmallModel small("llama");
  for (const auto& pruner : all_pruners()) {
    if (!works(*pruner, small)) continue;
    Model model = small.model();
    State memory;
    pruner->compress(model, small.calibration.get(), memory, Stream(1, "prepare"));
    EXPECT_EQ(model.tensors.front().dense(), small.model().tensors.front().dense());
    EXPECT_EQ(model.tensors.back().dense(), small.model().tensors.back().dense());
  }
}

TEST(PrunersTest, CalibrationIsAskedForInPlainWords) {
  const SmallModel small("llama");
  for (const auto& pruner : all_pruners()) {
    if (!works(*pruner, small) || !pruner->needs_calibration()) continue;
    Model model = small.model();
    State memory;
    try {
      pruner->compress(model, nullptr, memory, Stream(1, "prepare"));
      FAIL() << "nothing was refused";
    } catch (const std::invalid_argument& reason) {
      EXPECT_NE(std::string(reason.what()).find("data.server_samples"), std::string::npos);
    }
  }
}

TEST(PrunersTest, ALayerGoesOnWithWhatThePrunedOnesBeforeItPutOut) {
  const SmallModel small("mlp");
  Model model = small.model();
  State memory;
  pruner("wanda", "0.5", "unstructured")
      ->compress(model, small.calibration.get(), memory, Stream(1, "prepare"));
  // The second layer's mask is what its own inputs, after the pruned first layer, say.
  Vector half = small.weights;
  const Slice& first = half.layout->slices[0];
  from_row_major(first, model.tensors[0].dense(),
                 std::span(half.values).subspan(first.offset, first.size()));
  const InputStatistics inputs = small.calibration->inputs(half, 1);
  const StoredTensor second = small.model().tensors[2];
  const std::vector<float> w = second.dense();
  for (int i = 0; i < second.rows; ++i) {
    double most_gone = 0, least_kept = 1e300;
    for (int j = 0; j < second.cols; ++j) {
      const auto at = static_cast<std::size_t>(i * second.cols + j);
      const double score = std::abs(static_cast<double>(w[at])) * std::sqrt(inputs.squared_norm(j));
      double& extreme = masked_values(model.tensors[2])->is_kept(at) ? least_kept : most_gone;
      extreme = masked_values(model.tensors[2])->is_kept(at) ? std::min(extreme, score)
                                                             : std::max(extreme, score);
    }
    EXPECT_LE(most_gone, least_kept);
  }
}

}  // namespace
}  // namespace skiff::testing
