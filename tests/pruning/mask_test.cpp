// Exact counts, ties, patterns.
#include "algorithms/pruning/mask.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "sim/core/random.h"

namespace skiff::testing {
namespace {

using pruning::Mask;
using ::testing::ElementsAre;

TEST(MaskTest, SharesAreNotLostInBinary) {
  EXPECT_EQ(pruning::floor_share(100, 0.29), 29);
  EXPECT_EQ(pruning::floor_share(16, 0.5), 8);
  EXPECT_EQ(pruning::floor_share(7, 0.5), 3);
  EXPECT_EQ(pruning::ceil_share(60, 0.3), 18);
  EXPECT_EQ(pruning::ceil_share(7, 0.5), 4);
}

TEST(MaskTest, AmongEqualScoresTheLowerIndexGoes) {
  const std::vector<double> scores{3, 1, 2, 1, 1, 0};
  EXPECT_THAT(pruning::lowest(scores, 3), ElementsAre(0, 1, 0, 1, 0, 1));
  EXPECT_THAT(pruning::lowest_of_rows(scores, 3, 1), ElementsAre(0, 1, 0, 0, 0, 1));
  EXPECT_THAT(pruning::lowest_of_rows(std::vector<double>{2, 2, 2, 2}, 4, 2),
              ElementsAre(1, 1, 0, 0));
}

TEST(MaskTest, ANumberThatIsNoneStays) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(pruning::lowest(std::vector<double>{nan, 5, -0.0, 4}, 2), ElementsAre(0, 0, 1, 1));
}

TEST(MaskTest, EqualsAStableSort) {
  for (int trial = 0; trial < 50; ++trial) {
    Stream draws(7, "test", 0, trial);
    std::vector<double> scores(1 + draws.below(300));
    for (double& s : scores) s = draws.below(20) * 0.1;  // many ties
    const auto k =
        static_cast<std::int64_t>(draws.below(static_cast<std::uint32_t>(scores.size()) + 1));
    std::vector<std::size_t> order(scores.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
    Mask expected(scores.size());
    for (std::int64_t i = 0; i < k; ++i) expected[order[static_cast<std::size_t>(i)]] = 1;
    EXPECT_EQ(pruning::lowest(scores, k), expected);
    EXPECT_EQ(pruning::lowest_of_rows(scores, static_cast<int>(scores.size()), k), expected);
  }
}

TEST(MaskTest, APatternLeavesWhatIsOver) {
  const std::vector<double> scores{4, 3, 2, 1, 0, 0, 1, 2, 3, 4, 9, 9};
  EXPECT_THAT(pruning::lowest_of_pattern(scores, 6, {2, 4}),
              ElementsAre(0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0));
  EXPECT_EQ(pruning::pattern_count({2, 4}, 2, 6), 4);
  EXPECT_EQ(pruning::pattern_count({4, 8}, 3, 20), 24);
}

}  // namespace
}  // namespace skiff::testing
