// PV-Tuning on quadratics: the order of its rivals.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/quantization/quadratic_test.h"

namespace skiff::testing {
namespace {

struct Ends {
  double k_means = 0, p_only = 0, naive = 0, ste = 0, random = 0, predicted = 0;
};

double predicted_end(const Quadratic& phi, Shared x) {
  for (int step = 0; step < 600; ++step) {
    x = p_step(phi, x);
    const Shared next = predicted_v_step(phi, x, 3);
    if (next.labels == x.labels) break;
    x = next;
  }
  return phi.at(p_step(phi, x).point());
}

double random_end(const Quadratic& phi, Shared x, Stream& stream) {
  for (int step = 0; step < 600; ++step) {
    x = p_step(phi, x);
    const std::vector<double> g = phi.gradient(x.point());
    std::vector<std::size_t> s;
    for (int k = 0; k < 3; ++k) {  // one in a hundred, by the size of the gradient
      double sum = 0;
      for (const double v : g) sum += std::abs(v);
      double u = stream.uniform() * sum;
      std::size_t i = 0;
      while (i + 1 < g.size() && (u -= std::abs(g[i])) > 0) ++i;
      if (std::find(s.begin(), s.end(), i) == s.end()) s.push_back(i);
    }
    x = subspace_v_step(phi, x, s);
  }
  return phi.at(p_step(phi, x).point());
}

// Mean over the last 100 of 600 steps, P step every time.
double straight_through_end(const Quadratic& phi, Shared x, double rate) {
  std::vector<double> latent = phi.w;
  double mean = 0;
  for (int step = 0; step < 600; ++step) {
    for (std::size_t i = 0; i < latent.size(); ++i) {
      for (std::size_t v = 0; v < x.values.size(); ++v) {
        const double now = x.values[std::size_t(x.labels[i])];
        if (std::abs(x.values[v] - latent[i]) < std::abs(now - latent[i])) {
          x.labels[i] = static_cast<int>(v);
        }
      }
    }
    x = p_step(phi, x);
    const std::vector<double> g = phi.gradient(x.point());
    for (std::size_t i = 0; i < latent.size(); ++i) latent[i] -= rate * g[i];
    if (step >= 500) mean += phi.at(x.point()) / 100;
  }
  return mean;
}

TEST(PvSubspaceTest, OnAPowerLawItLeavesItsRivalsBehind) {
  constexpr std::size_t d = 256;
  constexpr int kSeeds = 6;
  const double rates[] = {.01, .03, .1, .3, 1};  // of 1 / L; the best of them counts
  std::vector<Quadratic> problems;
  for (int seed = 0; seed < kSeeds; ++seed) {
    Stream stream(100 + static_cast<std::uint64_t>(seed), "power law");
    problems.push_back(power_law(d, stream));
  }
  for (int bits = 1; bits <= 3; ++bits) {
    Ends mean;
    std::vector<double> straight_through(std::size(rates));
    for (int seed = 0; seed < kSeeds; ++seed) {
      const Quadratic& phi = problems[std::size_t(seed)];
      Stream stream(7, "ends", static_cast<std::uint64_t>(seed), static_cast<std::uint64_t>(bits));
      const Shared start = k_means(phi.w, std::size_t{1} << bits, stream);
      const Shared p = p_step(phi, start);
      std::vector<std::size_t> all(d);
      std::iota(all.begin(), all.end(), std::size_t{0});
      const double smoothness = subspace_smoothness(phi, all);
      mean.k_means += phi.at(start.point()) / kSeeds;
      mean.p_only += phi.at(p.point()) / kSeeds;
      mean.naive += phi.at(p_step(phi, subspace_v_step(phi, p, all)).point()) / kSeeds;
      for (std::size_t r = 0; r < std::size(rates); ++r) {
        straight_through[r] += straight_through_end(phi, start, rates[r] / smoothness) / kSeeds;
      }
      mean.random += random_end(phi, start, stream) / kSeeds;
      mean.predicted += predicted_end(phi, start) / kSeeds;
    }
    mean.ste = *std::min_element(straight_through.begin(), straight_through.end());
    EXPECT_LE(mean.predicted, mean.random * 1.02) << bits;
    EXPECT_LT(mean.random, mean.ste) << bits;
    EXPECT_LT(mean.ste, mean.p_only) << bits;
    EXPECT_LT(mean.p_only, mean.k_means) << bits;
    EXPECT_NEAR(mean.naive, mean.p_only, 0.02 * mean.p_only) << bits;  // few or no codes change
  }
}

}  // namespace
}  // namespace skiff::testing
