// Quadratics for the tests of PV-Tuning, and where it starts on them.
#pragma once

#include <cmath>
#include <numeric>
#include <vector>

#include "algorithms/quantization/pv_quadratic.h"
#include "sim/core/distributions.h"

namespace skiff::testing {

inline std::vector<double> gaussians(std::size_t n, Stream& stream) {
  std::vector<double> x(n);
  for (double& v : x) v = normal(stream);
  return x;
}

// A = Q diag(1 / k) Q^T with Q Haar, w ~ N(0, I), phi divided by that of 0.
inline Quadratic power_law(std::size_t d, Stream& stream) {
  std::vector<std::vector<double>> q;
  for (std::size_t k = 0; k < d; ++k) {
    std::vector<double> v = gaussians(d, stream);
    for (int twice = 0; twice < 2; ++twice) {
      for (const std::vector<double>& u : q) {
        const double inner = std::inner_product(u.begin(), u.end(), v.begin(), 0.0);
        for (std::size_t i = 0; i < d; ++i) v[i] -= inner * u[i];
      }
    }
    const double norm = std::sqrt(std::inner_product(v.begin(), v.end(), v.begin(), 0.0));
    for (double& x : v) x /= norm;
    q.push_back(v);
  }
  Quadratic phi{std::vector<double>(d * d), gaussians(d, stream)};
  for (std::size_t k = 0; k < d; ++k) {
    for (std::size_t i = 0; i < d; ++i) {
      for (std::size_t j = 0; j < d; ++j) {
        phi.a[i * d + j] += q[k][i] * q[k][j] / static_cast<double>(k + 1);
      }
    }
  }
  const double scale = phi.at(std::vector<double>(d));
  for (double& v : phi.a) v /= scale;
  return phi;
}

// The best of five runs of k-means on w.
inline Shared k_means(const std::vector<double>& w, std::size_t c, Stream& stream) {
  Shared best;
  double least = 1e30;
  for (int start = 0; start < 5; ++start) {
    Shared x{{}, std::vector<int>(w.size())};
    for (std::size_t v = 0; v < c; ++v) {
      x.values.push_back(w[stream.below(static_cast<std::uint32_t>(w.size()))] +
                         1e-6 * static_cast<double>(v));
    }
    double error = 0;
    for (int round = 0; round < 100; ++round) {
      std::vector<double> sums(c), counts(c);
      error = 0;
      for (std::size_t i = 0; i < w.size(); ++i) {
        for (std::size_t v = 0; v < c; ++v) {
          if (std::abs(x.values[v] - w[i]) < std::abs(x.values[std::size_t(x.labels[i])] - w[i])) {
            x.labels[i] = static_cast<int>(v);
          }
        }
        const auto label = static_cast<std::size_t>(x.labels[i]);
        error += std::pow(x.values[label] - w[i], 2);
        sums[label] += w[i];
        counts[label] += 1;
      }
      for (std::size_t v = 0; v < c; ++v) {
        if (counts[v] > 0) x.values[v] = sums[v] / counts[v];
      }
    }
    if (error < least) {
      least = error;
      best = x;
    }
  }
  return best;
}

}  // namespace skiff::testing
