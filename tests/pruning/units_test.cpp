// Cutting units out: the narrow model computes what the masked one does, in every architecture.
#include "algorithms/pruning/units.h"

#include <gtest/gtest.h>

#include "algorithms/models/full_weights.h"
#include "tests/pruning/pruners_fixture.h"

namespace skiff::testing {
namespace {

using pruning::Mask;
using pruning::Units;

Removal removal_of(const std::string& structure) {
  Removal removal;
  removal.structure = structure;
  return removal;
}

// Every module loses other numbers of units.
Units some_units(const std::vector<pruning::UnitGroup>& groups) {
  Units removed;
  Stream draws(9, "units");
  for (const pruning::UnitGroup& g : groups) {
    removed.emplace_back(static_cast<std::size_t>(g.count));
    for (int u = 1; u < g.count; ++u) {
      removed.back()[static_cast<std::size_t>(u)] = draws.below(2) == 0 ? 1 : 0;
    }
  }
  if (groups.size() > 1) std::fill(removed[0].begin(), removed[0].end(), std::uint8_t{0});
  return removed;
}

std::vector<float> logits_of(const SmallModel& small, const Vector& weights) {
  FullWeights bound(weights);
  Workspace workspace;
  BatchRows batch;
  const std::vector<std::uint32_t> rows{0, 1, 2, 3, 4};
  batch.gather(small.samples, rows);
  const TaskShape& task = small.architecture->task();
  const int outputs = task.is_text() ? task.vocabulary * task.sequence_length : task.classes;
  std::vector<float> logits(rows.size() * static_cast<std::size_t>(outputs));
  small.architecture->predict(bound, batch.batch(), logits, workspace);
  return logits;
}

class Cut : public ::testing::TestWithParam<const char*> {
 protected:
  Cut() : small(GetParam()) {
    const bool heads = std::string(GetParam()) != "mlp";
    groups = pruning::unit_groups(*small.architecture->layout(),
                                  removal_of(heads ? "channel-and-head" : "channel"), 12);
    removed = some_units(groups);
    model = small.model();
    pruning::cut(model, groups, removed);
  }
  SmallModel small;
  std::vector<pruning::UnitGroup> groups;
  Units removed;
  Model model;
};

TEST_P(Cut, TheNarrowModelComputesWhatTheMaskedOneDoes) {
  Vector masked = small.weights;
  for (std::size_t g = 0; g < groups.size(); ++g) pruning::silence(masked, groups[g], removed[g]);
  const std::vector<float> narrow = logits_of(small, decoded(model)),
                           full = logits_of(small, masked);
  for (std::size_t i = 0; i < full.size(); ++i) EXPECT_NEAR(narrow[i], full[i], 1e-5);
  EXPECT_LT(model.layout->size, masked.layout->size);
}

TEST_P(Cut, ItsGradientIsThatOfTheMaskedOneOnWhatIsKept) {
  Vector masked = small.weights;
  for (std::size_t g = 0; g < groups.size(); ++g) pruning::silence(masked, groups[g], removed[g]);
  Vector full, narrow;
  small.calibration->loss_and_gradient(masked, full);
  small.calibration->loss_and_gradient(decoded(model), narrow);
  for (std::size_t t = 0; t < model.tensors.size(); ++t) {
    const Slice &wide = full.layout->slices[t], &slim = narrow.layout->slices[t];
    std::vector<float> all(wide.size()), some(slim.size());
    to_row_major(wide, std::span(full.values).subspan(wide.offset, wide.size()), all);
    to_row_major(slim, std::span(narrow.values).subspan(slim.offset, slim.size()), some);
    for (int i = 0; i < slim.rows; ++i) {
      const int row =
          model.kept_rows[t].empty() ? i : model.kept_rows[t][static_cast<std::size_t>(i)];
      for (int j = 0; j < slim.cols; ++j) {
        const int col =
            model.kept_cols[t].empty() ? j : model.kept_cols[t][static_cast<std::size_t>(j)];
        EXPECT_NEAR(some[static_cast<std::size_t>(i * slim.cols + j)],
                    all[static_cast<std::size_t>(row * wide.cols + col)], 1e-5)
            << slim.name;
      }
    }
  }
}

TEST_P(Cut, CostsFallWithTheShapes) {
  const Layout &wide = *small.architecture->layout(), &slim = *model.layout;
  for (const int batch : {1, 5}) {
    EXPECT_LT(small.architecture->inference_cost(slim, batch).flops,
              small.architecture->inference_cost(wide, batch).flops);
    EXPECT_LE(small.architecture->training_cost(slim, batch).activations,
              small.architecture->training_cost(wide, batch).activations);
  }
  // What a training step says it takes is what it takes.
  const Vector weights = decoded(model);
  FullWeights bound(weights);
  Workspace workspace;
  BatchRows rows;
  const std::vector<std::uint32_t> five{0, 1, 2, 3, 4};
  rows.gather(small.samples, five);
  small.architecture->loss_and_gradient(bound, rows.batch(), workspace);
  EXPECT_EQ(small.architecture->training_cost(slim, 5).activations,
            Bytes(static_cast<std::int64_t>(workspace.peak_bytes())));
}

TEST_P(Cut, CuttingTwiceKeepsTheFullModelsIndices) {
  Model again = model;
  const auto left = pruning::unit_groups(*model.layout, removal_of("channel"), 12);
  pruning::cut(again, left, some_units(left));
  for (std::size_t t = 0; t < again.tensors.size(); ++t) {
    if (again.kept_rows[t].empty()) continue;
    const std::vector<float> all = small.model().tensors[t].dense(),
                             some = again.tensors[t].dense();
    const std::vector<int>& cols = again.kept_cols[t];
    const auto wide = static_cast<std::size_t>(small.architecture->layout()->slices[t].cols);
    for (std::size_t i = 0; i < again.kept_rows[t].size(); ++i) {
      const auto row = static_cast<std::size_t>(again.kept_rows[t][i]);
      const auto col = cols.empty() ? 0 : static_cast<std::size_t>(cols[0]);
      EXPECT_EQ(some[i * static_cast<std::size_t>(again.tensors[t].cols)], all[row * wide + col]);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Families, Cut, ::testing::Values("mlp", "llama", "bert", "vit"));

TEST(UnitsTest, AHeadOfKeysGoesWithAllQueriesThatReadIt) {
  const SmallModel small("llama");  // 4 heads of 12, 2 of keys and values
  const auto groups = pruning::unit_groups(*small.architecture->layout(), removal_of("head"), 12);
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[0].count, 2);
  EXPECT_EQ(groups[0].reader_width(), 24);
  EXPECT_EQ(groups[0].parameters, 48 * (24 + 12 + 12 + 24));
}

TEST(UnitsTest, RefusesInPlainWords) {
  const SmallModel mlp("mlp"), llama("llama");
  EXPECT_THROW(pruning::unit_groups(*mlp.architecture->layout(), removal_of("head"), 12),
               std::invalid_argument);
  EXPECT_THROW(pruning::unit_groups(*llama.architecture->layout(), removal_of("head"), 0),
               std::invalid_argument);
  EXPECT_THROW(pruning::unit_groups(*llama.architecture->layout(), removal_of("head"), 7),
               std::invalid_argument);
}

}  // namespace
}  // namespace skiff::testing
