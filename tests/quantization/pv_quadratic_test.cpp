// PV-Tuning on quadratics: figures without chance, descent.
#include "algorithms/quantization/pv_quadratic.h"

#include <gmock/gmock.h>

#include <cmath>

#include "tests/quantization/quadratic_test.h"

namespace skiff::testing {
namespace {

Quadratic six() {
  Quadratic phi{{}, {1, -2, 3, -1, .5, 2}};
  for (int i = 0; i < 6; ++i) {
    for (int j = 0; j < 6; ++j) phi.a.push_back(std::pow(.9, std::abs(i - j)));
  }
  return phi;
}

TEST(PvExactTest, SixCoordinatesWithoutChance) {
  const Quadratic phi = six();
  std::vector<double> trace;
  pv_exact(phi, Shared::of(std::vector<double>{0, 0, 0, 1, 1, 1}), trace);
  ASSERT_EQ(trace.size(), 4U);
  const double first[] = {1.43648, 1.234985195, .920963216, .670007236};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(trace[i], first[i], 1e-8) << i;
  pv_exact(phi, Shared::of(std::vector<double>{-1, -1, 2, -1, -1, 2}), trace);
  EXPECT_NEAR(trace.back(), .450463987, 1e-8);
  EXPECT_EQ(trace.size(), 2U);
}

Quadratic random_six(Stream& stream) {
  Quadratic phi{std::vector<double>(36), gaussians(6, stream)};
  const std::vector<double> b = gaussians(36, stream);
  for (std::size_t i = 0; i < 6; ++i) {
    for (std::size_t j = 0; j < 6; ++j) {
      for (std::size_t k = 0; k < 6; ++k) phi.a[i * 6 + j] += b[i * 6 + k] * b[j * 6 + k];
    }
    phi.a[i * 7] += 0.1;
  }
  return phi;
}

TEST(PvExactTest, DescendsAndEndsAtAnOptimumOfBothSteps) {
  Stream stream(1, "pv");
  for (int start = 0; start < 50; ++start) {
    const Quadratic phi = random_six(stream);
    for (std::size_t c = 1; c <= 6; ++c) {
      std::vector<double> x = gaussians(6, stream);
      for (std::size_t i = 0; i < 6; ++i) x[i] = x[i % c];
      std::vector<double> trace;
      const Shared end = pv_exact(phi, Shared::of(x), trace);
      for (std::size_t k = 1; k < trace.size(); ++k) {
        EXPECT_LE(trace[k], trace[k - 1] + 1e-9 * (1 + trace[0]));
      }
      std::vector<double> slopes(end.values.size());
      const std::vector<double> g = phi.gradient(end.point());
      for (std::size_t i = 0; i < 6; ++i) slopes[std::size_t(end.labels[i])] += g[i];
      for (const double slope : slopes) EXPECT_NEAR(slope, 0, 1e-8);
      if (c == 6) {
        EXPECT_NEAR(trace.back(), 0, 1e-9);  // from six values, the minimiser
      }
      if (c == 1) {  // one dimension: v = 1^T A w / 1^T A 1
        double top = 0, bottom = 0;
        for (std::size_t i = 0; i < 6; ++i) {
          for (std::size_t j = 0; j < 6; ++j) {
            top += phi.a[i * 6 + j] * phi.w[j];
            bottom += phi.a[i * 6 + j];
          }
        }
        EXPECT_NEAR(end.values[0], top / bottom, 1e-9);
      }
    }
  }
}

TEST(PvSubspaceTest, NoStepOnAnySubspaceLetsAQuadraticGrow) {
  Stream stream(2, "subspace");
  const Quadratic phi = power_law(64, stream);
  for (int trial = 0; trial < 200; ++trial) {
    const Shared x = k_means(gaussians(64, stream), 2 + stream.below(6), stream);
    std::vector<std::size_t> s;
    for (std::size_t i = 0; i < 64; ++i) {
      if (stream.below(1 + static_cast<std::uint32_t>(trial % 30)) == 0) s.push_back(i);
    }
    const double before = phi.at(x.point());
    EXPECT_LE(phi.at(subspace_v_step(phi, x, s).point()), before * (1 + 1e-9));
    EXPECT_LE(phi.at(predicted_v_step(phi, x, 4).point()), before * (1 + 1e-9));
  }
}

}  // namespace
}  // namespace skiff::testing
