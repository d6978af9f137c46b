// PV-Tuning's steps on one layer.
#include <gmock/gmock.h>

#include "algorithms/quantization/pv_layer.h"
#include "sim/core/distributions.h"
#include "tests/quantization/quantization_test.h"

namespace skiff::testing {
namespace {

LayerMatrix small_matrix(int rows, int cols, std::uint64_t seed = 1) {
  LayerMatrix m{"hidden.0", 0, false, rows, cols, {}};
  Stream stream(seed, "matrix");
  for (int i = 0; i < rows * cols; ++i) m.values.push_back(static_cast<float>(normal(stream)));
  return m;
}

TableFormat table_format(int bits, int dimension) {
  TableFormat format;
  format.bits = bits * dimension;
  format.dimension = dimension;
  format.group = GroupSize{GroupSize::kRow};
  return format;
}

// Gradient of 0.5 |What - T|^2.
std::vector<float> pull(const PvLayer& layer, const std::vector<float>& target) {
  std::vector<float> g(target.size());
  for (std::size_t i = 0; i < g.size(); ++i) g[i] = layer.values()[i] - target[i];
  return g;
}
double distance(const PvLayer& layer, const std::vector<float>& target) {
  double sum = 0;
  for (const float e : pull(layer, target)) sum += 0.5 * double(e) * e;
  return sum;
}

TEST(PvLayerTest, GradientsOfTableAndScalesAreDifferences) {
  for (const int dimension : {1, 2}) {
    const LayerMatrix m = small_matrix(4, 31);
    const std::vector<float> target = small_matrix(4, 31, 2).values;
    PvLayer layer(m, table_format(2, dimension));
    std::vector<double> table(layer.table().size()), scales(layer.scales().size());
    layer.pull_back(pull(layer, target), table, scales);
    const std::vector<float> t0 = layer.table(), s0 = layer.scales();
    constexpr float kStep = 1e-2F;  // the loss is quadratic in each: differences are exact
    for (std::size_t i = 0; i < t0.size(); ++i) {
      std::vector<float> up = t0, down = t0;
      up[i] += kStep;
      down[i] -= kStep;
      layer.set(up, s0);
      const double above = distance(layer, target);
      layer.set(down, s0);
      const double slope = (above - distance(layer, target)) / (double(up[i]) - down[i]);
      EXPECT_NEAR(table[i], slope, 1e-4 * (1 + std::abs(slope)));
    }
    for (std::size_t i = 0; i < s0.size(); ++i) {
      std::vector<float> up = s0, down = s0;
      up[i] *= 1 + kStep;
      down[i] *= 1 - kStep;
      layer.set(t0, up);
      const double above = distance(layer, target);
      layer.set(t0, down);
      const double slope = (above - distance(layer, target)) / (2 * kStep);
      EXPECT_NEAR(scales[i], slope, 1e-4 * (1 + std::abs(slope)));
    }
  }
}

TEST(PvLayerTest, NoStepChangesMoreCodesThanItsShare) {
  const LayerMatrix m = small_matrix(8, 64);
  const std::vector<float> target = small_matrix(8, 64, 2).values;
  for (const PvMode mode : {PvMode::kPv, PvMode::kPvSte}) {
    // Without latent weights a step must cross half the gap to the next level by itself.
    const double rate = mode == PvMode::kPv ? 1.0 : 0.1;
    for (const double share : {0.001, 0.01, 0.1}) {
      PvLayer layer(m, table_format(2, 1));
      const auto most = static_cast<std::size_t>(std::ceil(share * double(layer.groups())));
      std::size_t all = 0;
      for (int step = 0; step < 40; ++step) {
        const std::vector<std::uint16_t> before = layer.codes();
        const std::size_t changed =
            layer.step(pull(layer, target), mode, {1e-3, rate, share}, Stream(1, "step"));
        std::size_t counted = 0;
        for (std::size_t i = 0; i < before.size(); ++i) counted += before[i] != layer.codes()[i];
        EXPECT_EQ(counted, changed);
        EXPECT_LE(changed, most);
        all += changed;
      }
      EXPECT_GT(all, 0U);
    }
  }
}

TEST(PvLayerTest, TheWholeSubspaceIsTheBaselineWithoutOne) {
  const LayerMatrix m = small_matrix(8, 64);
  const std::vector<float> target = small_matrix(8, 64, 2).values;
  const auto after = [&](PvMode mode) {
    PvLayer layer(m, table_format(2, 1));
    for (int step = 0; step < 20; ++step) {
      layer.step(pull(layer, target), mode, {1e-3, 0.05, 1.0}, Stream(1, "step"));
    }
    return std::vector<float>(layer.values().begin(), layer.values().end());
  };
  EXPECT_EQ(after(PvMode::kPvSte), after(PvMode::kSte));
  EXPECT_EQ(after(PvMode::kPv), after(PvMode::kNaive));
  EXPECT_NE(after(PvMode::kPvSte), after(PvMode::kPv));
}

TEST(PvLayerTest, WithoutACodeStepTheCodesStay) {
  const LayerMatrix m = small_matrix(8, 64);
  PvLayer layer(m, table_format(3, 1));
  const std::vector<std::uint16_t> codes = layer.codes();
  const std::vector<float> target = small_matrix(8, 64, 2).values;
  const double before = distance(layer, target);
  for (int step = 0; step < 50; ++step) {
    EXPECT_EQ(layer.step(pull(layer, target), PvMode::kPOnly, {0.01, 1, 1}, Stream(1, "s")), 0U);
  }
  EXPECT_EQ(layer.codes(), codes);
  EXPECT_LT(distance(layer, target), before);
}

TEST(PvTuningTest, ItsStartIsBetterThanTheGaussiansOwnGrid) {
  Stream stream(3, "uniform");
  std::vector<float> w(64 * 256);
  for (float& v : w) v = stream.uniform_float() - 0.5F;
  const double error =
      relative_error(compressed(*make("pv-tuning", {{"bits", "2"}}), 64, 256, w), w);
  EXPECT_LT(error, 1.0 / 16 * 1.06);  // an even grid of 4 on even weights: 1 / 16
}

}  // namespace
}  // namespace skiff::testing
